"""What callers send and get in the shapes of the SDKs they use: pure mappings, a folder for each dialect, no I/O."""

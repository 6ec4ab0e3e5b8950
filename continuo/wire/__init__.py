"""What callers send and get in the shapes of the SDKs they use: pure mappings, a folder or a file a dialect, no I/O."""

"""What `continuo doctor` looks at: one small function a check, in one file a topic."""

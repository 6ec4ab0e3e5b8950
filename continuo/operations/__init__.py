"""What is reported, retried and pruned."""

"""What is seen of a pattern before it runs: files, mistakes, outline, worst case."""

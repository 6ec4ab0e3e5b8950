"""What a test of patterns needs: servers of its own, jobs, and replay."""

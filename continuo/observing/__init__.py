"""What a process shows of itself to who watches it: metrics for Prometheus."""

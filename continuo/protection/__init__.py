"""What guards money, providers and keys."""

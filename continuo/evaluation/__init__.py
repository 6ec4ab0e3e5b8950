"""What is measured of patterns, pure: scores of answers against golden sets, and what may be concluded from them."""

"""What a terminal shows, whatever its width, and what a pipe gets."""

"""What an answer must pass before anybody has it, as pure decisions."""

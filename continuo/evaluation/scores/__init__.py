"""How well one answer does at one example: a file a kind."""

"""What the engine does, one thing a file, each read from top to bottom."""

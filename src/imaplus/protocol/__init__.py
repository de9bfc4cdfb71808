"""State: what a connection is told, what it may say, and what belongs to what. No I/O."""

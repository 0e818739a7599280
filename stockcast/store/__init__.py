"""Floor 3: models on disk."""

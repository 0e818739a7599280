"""Floor 3: what each column is, by its name or by its numbers."""

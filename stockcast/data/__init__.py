"""Floor 1: prices in, arrays out."""

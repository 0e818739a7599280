"""Floor 2: what is wrong with prices, and what may be mended."""

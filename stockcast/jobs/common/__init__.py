"""What several commands do alike, and the Python API with them."""

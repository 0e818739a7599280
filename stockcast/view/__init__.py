"""Floor 3: pictures, tables and sentences."""

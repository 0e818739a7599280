"""Floor 3: how dates are written."""

"""How the prices of a saved model lie to those that it was trained on, and what a command makes of that."""

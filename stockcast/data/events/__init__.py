"""Floor 1: what is known to come, how high it has been, and the inputs that it gives."""

"""Floor 2: the network, its training, and everything that can forecast."""

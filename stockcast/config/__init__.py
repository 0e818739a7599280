"""Floor 0: the settings. `sections` <- `rules` <- `run`."""

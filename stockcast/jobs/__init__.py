"""Floor 5: one file a command. Read, call, write, return a result record."""

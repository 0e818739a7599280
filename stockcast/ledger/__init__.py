"""Floor 3: the ledger, every forecast that was issued and what came of it. Nothing in it is changed or deleted."""

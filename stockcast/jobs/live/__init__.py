"""Jobs on the ledger: to issue forecasts and keep them, and to score them when the prices have come."""

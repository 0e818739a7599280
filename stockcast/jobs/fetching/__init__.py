"""What `fetch` and `--csv https://...` keep on disk: prices by symbol, report dates, and copies of addresses."""

"""Floor 3: prices from elsewhere. Requests, answers and adjustment; what comes of them is written by jobs."""

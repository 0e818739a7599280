"""Floor 2: judging forecasts. Handed forecasters and rows; knows no network."""

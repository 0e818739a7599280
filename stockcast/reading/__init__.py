"""Floor 3: the text of price files to `PriceSeries`, or a question."""

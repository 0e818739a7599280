"""The row file as anyone may bring it: its cells, its rules, its table, and the prices that it is about."""

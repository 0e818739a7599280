"""stockcast: honest price forecasts from a Keras LSTM, on the command line."""

__version__ = "0.1.0"

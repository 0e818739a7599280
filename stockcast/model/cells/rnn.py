"""The simple recurrent unit (Elman 1990): tanh of a linear function of the input and the last output."""

import keras

from stockcast.model.cells.common import seeded

layer = seeded(keras.layers.SimpleRNN, own_first=True)

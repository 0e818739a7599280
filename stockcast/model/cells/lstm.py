"""The long short-term memory (Hochreiter and Schmidhuber 1997), with forget gates (Gers and others 2000)."""

import keras

from stockcast.model.cells.common import seeded
from stockcast.model.kernels import FusedLSTM

layer = seeded(keras.layers.LSTM)
fused_layer = seeded(FusedLSTM)

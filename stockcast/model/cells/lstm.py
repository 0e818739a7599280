"""The long short-term memory (Hochreiter and Schmidhuber 1997), with forget gates (Gers and others 2000)."""

import keras

from stockcast.model.kernels import FusedLSTM

layer = keras.layers.LSTM
fused_layer = FusedLSTM

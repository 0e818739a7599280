"""The gated recurrent unit (Cho and others 2014)."""

import keras

layer = keras.layers.GRU

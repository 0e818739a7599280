"""The gated recurrent unit (Cho and others 2014)."""

import keras

from stockcast.model.cells.common import seeded

layer = seeded(keras.layers.GRU)

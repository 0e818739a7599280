"""The simple recurrent unit (Elman 1990): tanh of a linear function of the input and the last output."""

import keras

layer = keras.layers.SimpleRNN

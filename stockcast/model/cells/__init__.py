"""The cells: what a network may be made of, from the linear unit to the LSTM and its variants.

A cell turns windows (B, L, F) into what the head reads: (B, U), or (B, L, U) at every position. Each stands in the
module of its name in this folder, which `model/body.py` loads when a network of it is built:

- a recurrent cell has `layer`, which makes a layer over sequences from its units, the names of its kernels'
  initializers, seeds and the options of `keras.layers.RNN`, and may have `fused_layer`, which does the same with a
  kernel that trains faster;
- a cell that reads the window as a whole has `layers`, the layers below the head on a symbolic tensor of windows.

To add one, write its module and name it in `sections.Cell`; in `sections.FLAT_CELLS`, too, if it reads the window as a
whole.
"""

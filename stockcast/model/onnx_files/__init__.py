"""Networks as ONNX: converted once a kind, and filled with weights."""

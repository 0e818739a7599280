"""The same jobs as others do them: the tutorial's script in stock Keras, Darts, NeuralForecast."""

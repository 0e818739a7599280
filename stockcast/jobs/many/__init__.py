"""Work on many models in one run: each by itself, told of as it ends, and all of them in the end."""

"""What a reader asks once a model is judged: when it does well, and what it looks at."""

"""What a retraining is made of: what is new, the challenger and its gate, and the records of both."""

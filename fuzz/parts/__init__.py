"""What `fuzz/run.py` is made of."""

"""PyAirbyte as people use it: `sync.py` is run by the Python of PyAirbyte's own environment."""

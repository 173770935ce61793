"""Singer's wrapper of Airbyte's sources: `tap.py` is run by the Python of its own environment."""

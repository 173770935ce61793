"""Linear's API: one way to ask it, and nothing of Airbyte. It would serve another program as it is."""

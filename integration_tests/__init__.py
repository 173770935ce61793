"""The connector process against the simulator of Linear's API."""

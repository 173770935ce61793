"""The connector process against the stand-in of Linear's API."""

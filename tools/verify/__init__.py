"""`make verify`: whether Linear's API is as docs/linear-api.md says, for whoever has a key.

Reads only, within a bound on requests and points that is said beforehand. The report holds no content of the
workspace.
"""

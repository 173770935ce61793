"""Every fault of Linear's API, at every place where it may strike."""

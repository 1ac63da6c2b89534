"""Users and Groups: documents ↔ rows of the directory, through its services."""

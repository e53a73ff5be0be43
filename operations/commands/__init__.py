"""One module per command; `operations.cli` loads the one that was asked for, and no other."""

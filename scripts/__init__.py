"""Entry points that keep the names of an earlier layout."""

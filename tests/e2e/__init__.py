"""The rehearsed site as people use it, and what happens to them when parts of it fail."""

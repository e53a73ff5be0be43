"""Helpers of `bin/dev` and `bin/test`; they are not part of the image."""

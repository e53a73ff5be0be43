"""What we build with and ship: its parts, their licenses, what is known against them, and where that is accepted."""

UNAUDITED = "LZ_UNAUDITED"
"""A rehearsal of the pipeline sets it to `reported`: there no vulnerability service and no scan is reached."""

"""What we build with and ship: its parts, their licenses, what is known against them, and where that is accepted."""

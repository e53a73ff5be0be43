"""The local organization: every account of the landing zone, on one machine."""

"""The approval packet: what a release would change in an environment, for the person who lets it through."""

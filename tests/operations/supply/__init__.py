"""What we build with and ship."""

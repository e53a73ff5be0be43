"""The commands behind `./lz`."""

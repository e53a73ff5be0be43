"""Tests of the commands behind `./lz`."""

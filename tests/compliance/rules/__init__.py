"""Tests of our own rules."""

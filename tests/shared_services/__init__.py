"""Tests of the shared services."""

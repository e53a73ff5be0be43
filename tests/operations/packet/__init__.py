"""Tests of the approval packet."""

"""Benchmarks: measured by hand and written to docs/performance.md, never run as tests."""

"""Workloads that the landing zone hosts."""

"""Shared network and parent DNS zone, in the shared services account."""

from shared_services.stage import SharedServicesStage

__all__ = ["SharedServicesStage"]

"""The way in: the rehearsal's real names on real ports, through a proxy on this machine."""

from rehearsal.door.controller import Door, DoorError, DoorState

__all__ = ["Door", "DoorError", "DoorState"]

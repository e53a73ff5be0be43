"""What the emulator does not do, for the rehearsal's report."""

from collections.abc import Mapping

RECORDED_ONLY: Mapping[str, str] = {}
NOT_ENFORCED: tuple[str, ...] = ()

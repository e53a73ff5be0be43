"""How much memory a rehearsal takes at most: its own commands, the local AWS, and all that runs in it."""

import os
import threading

from rehearsal.engine.supervisor import memory_bytes, process_ids, status_fields

_PERIOD_SECONDS = 1.0
_MIB = 1 << 20


class MemoryWatch:
    """Looks at this process and all that descends from it, every second, until it is closed.

    Attributes:
        peak_mib: the most that was seen, in MiB; memory that several processes share counts once.
    """

    def __init__(self) -> None:
        self.peak_mib = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="memory")

    def begin(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(_PERIOD_SECONDS):
            self.peak_mib = max(self.peak_mib, sum(memory_bytes(one) for one in _family(os.getpid())) // _MIB)


def _family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    children: dict[int, list[int]] = {}
    for one in process_ids():
        fields = status_fields(one)
        if fields:
            children.setdefault(int(fields[1]), []).append(one)
    found, new = [], [pid]
    while new:
        found += new
        new = [child for parent in new for child in children.get(parent, [])]
    return found

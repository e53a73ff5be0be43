"""How much memory the local AWS and all that runs in it takes at most."""

import threading

from rehearsal.engine.supervisor import memory_bytes, process_ids, status_fields

_PERIOD_SECONDS = 3.0
_MIB = 1 << 20


class MemoryWatch:
    """Looks at a process and all that descends from it, every few seconds, until it is closed.

    Attributes:
        peak_mib: the most that was seen, in MiB; memory that several processes share counts once.
    """

    def __init__(self) -> None:
        self.peak_mib = 0
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, pid: int) -> None:
        """Begin.

        Args:
            pid: the first process: the emulator's, which all others descend from.
        """
        self._thread = threading.Thread(target=self._run, args=(pid,), daemon=True, name="memory")
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._done.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, pid: int) -> None:
        while not self._done.wait(_PERIOD_SECONDS):
            self.peak_mib = max(self.peak_mib, sum(memory_bytes(one) for one in _family(pid)) // _MIB)


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

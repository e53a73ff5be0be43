"""How much memory a rehearsal takes at most: its own commands, the local AWS, and all that runs in it."""

import os
import threading
import time

from rehearsal.engine.supervisor import memory_bytes, process_ids, status_fields

_PERIOD_SECONDS = 1.0
_LONGEST_SECONDS = 5.0
_MIB = 1 << 20


class MemoryWatch:
    """Looks at this process and all that descends from it, until it is closed.

    What each process holds is cheap to ask, so that is done every second. What they share, which must count once, costs
    the kernel a look at every page: half a millisecond for each process. That is asked when more is held than ever
    before, or five seconds after it was asked last.

    Attributes:
        peak_mib: the most that was seen, in MiB; memory that several processes share counts once.
    """

    def __init__(self) -> None:
        self.peak_mib = 0
        self._most_held = 0
        self._looked = float("-inf")
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
            self.look()

    def look(self) -> None:
        """Look once."""
        family = _family(os.getpid())
        held, now = sum(family.values()), time.monotonic()
        if held > self._most_held or now - self._looked >= _LONGEST_SECONDS:
            self._most_held, self._looked = max(self._most_held, held), now
            self.peak_mib = max(self.peak_mib, sum(map(memory_bytes, family)) // _MIB)


def _family(pid: int) -> dict[int, int]:
    """Return a process and its descendants, each with the pages that it holds, shared ones too."""
    children: dict[int, list[int]] = {}
    pages: dict[int, int] = {}
    for one in process_ids():
        fields = status_fields(one)
        if fields:
            children.setdefault(int(fields[1]), []).append(one)
            pages[one] = int(fields[21])
    found: dict[int, int] = {}
    new = [pid]
    while new:
        found |= {one: pages.get(one, 0) for one in new}
        new = [child for parent in new for child in children.get(parent, [])]
    return found

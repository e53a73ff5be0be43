"""Watches several things, each in a thread of its own, until each has shown."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

LOOK_SECONDS = 0.25
PATIENCE_SECONDS = 60.0  # after what was to bring it about is through


class NotShownError(Exception):
    """Something did not show."""


@contextmanager
def watched(
    shows: Mapping[str, Callable[[], bool]], since: float, *, patience: float = PATIENCE_SECONDS
) -> Iterator[dict[str, float]]:
    """Note when each thing shows first, while the body runs and for a while after it.

    No thread goes on afterwards: neither when the body raises, nor when something never shows.

    Args:
        shows: name -> says whether it shows now; called again and again.
        since: the moment to count from, on the monotonic clock.
        patience: seconds to wait after the body.

    Yields:
        name -> seconds, for those that have shown.

    Raises:
        NotShownError: something did not show.
    """
    seen: dict[str, float] = {}
    over = threading.Event()

    def watch(name: str, look: Callable[[], bool]) -> None:
        while not over.is_set():
            if look():
                seen[name] = time.monotonic() - since
                return
            over.wait(LOOK_SECONDS)

    threads = [
        threading.Thread(target=watch, args=one, daemon=True, name=f"watch {one[0]}") for one in shows.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield seen
        until = time.monotonic() + patience
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
    finally:
        over.set()
    missing = [name for name in shows if name not in seen]
    if missing:
        raise NotShownError(f"not seen within {patience:.0f} s of its end: {', '.join(missing)}")

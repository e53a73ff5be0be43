"""What a rehearsal takes at most is seen, and looking for it costs little."""

import os
import time

import pytest

from rehearsal import memory
from rehearsal.memory import MemoryWatch

MIB = 1 << 20


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes whose shared memory was asked for."""
    seen: list[int] = []

    def memory_bytes(pid: int) -> int:
        seen.append(pid)
        return 10 * MIB * len(seen)

    monkeypatch.setattr(memory, "memory_bytes", memory_bytes)
    return seen


def held(monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
    monkeypatch.setattr(memory, "_family", lambda _pid: {1: pages})


def test_this_process_is_seen_with_what_it_holds() -> None:
    watch = MemoryWatch()
    watch.look()
    assert watch.peak_mib > 10
    assert memory._family(os.getpid())[os.getpid()] > 1000


def test_shared_memory_is_asked_for_when_more_is_held_than_before(
    monkeypatch: pytest.MonkeyPatch, looked_at: list[int]
) -> None:
    watch = MemoryWatch()
    for pages, looks in ((100, 1), (100, 1), (99, 1), (101, 2), (100, 2)):
        held(monkeypatch, pages)
        watch.look()
        assert len(looked_at) == looks
    assert watch.peak_mib == 20


def test_shared_memory_is_asked_for_now_and_then_whatever_is_held(
    monkeypatch: pytest.MonkeyPatch, looked_at: list[int]
) -> None:
    watch = MemoryWatch()
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    held(monkeypatch, 100)
    watch.look()
    now += 4.9
    watch.look()
    assert len(looked_at) == 1
    now += 0.2
    watch.look()
    assert len(looked_at) == 2

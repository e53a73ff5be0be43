"""What brings a rehearsal down is not cut short, and signals end the process again afterwards."""

import signal

import pytest

from rehearsal.command import ENDING, _uninterrupted


def handlers() -> list[object]:
    """What happens at the signals that end a rehearsal."""
    return [signal.getsignal(wanted) for wanted in ENDING]


def test_signals_are_ignored_meanwhile() -> None:
    before = handlers()

    with _uninterrupted():
        assert handlers() == [signal.SIG_IGN] * len(ENDING)

    assert handlers() == before


def test_signals_are_heard_again_after_an_exception() -> None:
    before = handlers()

    with pytest.raises(OSError, match="no space"), _uninterrupted():
        raise OSError("no space")

    assert handlers() == before


def test_an_end_that_an_exception_leads_to_is_not_cut_short_either() -> None:
    before = dict(zip(ENDING, handlers(), strict=True))
    try:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            with _uninterrupted():
                pass
        assert handlers() == [signal.SIG_IGN] * len(ENDING)
    finally:
        for wanted, handler in before.items():
            signal.signal(wanted, handler)  # type: ignore[arg-type]

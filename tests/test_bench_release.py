"""The benchmark of releases comes to an end, however a release ends."""

import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from bench import release
from bench.release import Released
from bench.visitors import Tally
from bench.watching import NotShownError, watched
from rehearsal.pipeline_run import PipelineError


def watchers() -> list[threading.Thread]:
    """Threads that still watch, after they had time to see that it is over."""
    for thread in (found := [one for one in threading.enumerate() if one.name.startswith("watch ")]):
        thread.join(5)
    return [thread for thread in found if thread.is_alive()]


def test_each_thing_is_noted_when_it_shows_first() -> None:
    shown = threading.Event()
    began = time.monotonic()

    with watched({"staging": lambda: True, "production": shown.is_set}, began) as seen:
        shown.set()

    assert seen.keys() == {"staging", "production"}
    assert 0 <= seen["staging"] <= seen["production"] < 5
    assert watchers() == []


def test_nobody_watches_on_when_a_release_has_failed() -> None:
    def watch_a_release_that_fails() -> None:
        with watched({"staging": lambda: False, "production": lambda: False}, time.monotonic()):
            raise PipelineError("the pipeline stopped")

    with pytest.raises(PipelineError, match="the pipeline stopped"):
        watch_a_release_that_fails()

    assert watchers() == []


def test_a_site_that_never_serves_the_new_version_is_named() -> None:
    with (
        pytest.raises(NotShownError, match=r"^not seen within 0 s of its end: production$"),
        watched({"production": lambda: False}, time.monotonic(), patience=0),
    ):
        pass

    assert watchers() == []


class OneThatFails:
    """A bench whose second release fails."""

    environments = ("staging", "production")
    log = Path("emulator.log")

    def release(self, name: str, *, app: bool, infrastructure: bool) -> Released:
        if infrastructure and not app:
            raise PipelineError(
                "execution 1 of the pipeline stopped\nStaging/Media.Deploy failed:\n  KeyError"
            )
        return Released(name, {"staging": 41.0, "production": 62.0}, Tally(Counter({200: 7})), ("Web",))


def test_a_failed_release_ends_the_table_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(release, "Bench", OneThatFails)

    code = release.main()

    said = capsys.readouterr()
    assert code == 1
    assert said.out.splitlines()[-1] == "| application alone | 41 | 62 | 7 | 0 | Web |"
    assert said.err == (
        "infrastructure alone: execution 1 of the pipeline stopped: Staging/Media.Deploy failed: KeyError; "
        "emulator.log tells more\n"
    )

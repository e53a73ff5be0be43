"""`lz open`: finds the rehearsal that is up, and a browser."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from operations import cli
from operations.node import ROOT
from rehearsal import kept
from rehearsal.door import DoorState
from rehearsal.door import controller as door_controller
from rehearsal.door import sites as door_sites
from rehearsal.door.browser import Browsers, arguments, find_browser, has_display
from rehearsal.door.sites import Site

PATIENCE_SECONDS = 10.0
SITE, STATIC = "https://staging.acme.example/", "https://static.staging.acme.example/"
# Stands in for Chromium: it writes down how it was called, and stays.
BROWSER = '#!/bin/sh\nprintf "%s\\n" "$@" > "$(dirname "$0")/called.part"\nmv "$(dirname "$0")/called.part" '
BROWSER += '"$(dirname "$0")/called"\nsleep 60\n'


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a rehearsal that is up, as it looks."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(door_controller, "is_running", lambda *_: True)
    monkeypatch.setattr(
        door_sites, "sites", lambda _: [Site(SITE, ("zone", "alias")), Site(STATIC, ("zone",))]
    )
    made = tmp_path / f"{kept.PREFIX}test"
    (made / "door").mkdir(parents=True)
    kept.remember(made, {"project": str(ROOT), "environment": {}})
    (made / "door" / "door.json").write_text(json.dumps(asdict(_state(made))), encoding="utf-8")
    return made


def _state(directory: Path) -> DoorState:
    return DoorState(
        pid=os.getpid(),
        proxy="http://127.0.0.1:4000",
        ca_file=str(directory / "door" / "ca.pem"),
        fingerprints=("one=", "two="),
        sites=(SITE, STATIC),
        resolver="127.0.0.1:4001",
    )


@pytest.fixture
def browser(tmp_path: Path, directory: Path) -> Iterator[Path]:
    """A browser, ended afterwards."""
    program = tmp_path / "bin" / "chromium"
    program.parent.mkdir()
    program.write_text(BROWSER, encoding="utf-8")
    program.chmod(0o755)
    yield program
    if not (directory / "browsers.json").exists():
        return
    for entry in json.loads((directory / "browsers.json").read_text(encoding="utf-8")):
        subprocess.run(["kill", "-9", "--", f"-{entry['pid']}"], check=False, capture_output=True)
        os.waitpid(entry["pid"], 0)


def test_it_says_how_the_site_is_reached_by_programs(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["open", "staging", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["proxy"] == "http://127.0.0.1:4000"
    assert found["urls"] == {"site": SITE, "admin": f"{SITE}admin/", "static": STATIC}
    assert [way["chain"] for way in found["ways"]] == [["zone", "alias"], ["zone"]]


def test_it_says_how_the_site_is_reached_by_people(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["open", "staging", "--print"]) == 0
    out = capsys.readouterr().out
    assert f"curl --proxy http://127.0.0.1:4000 --cacert {directory}/door/ca.pem {SITE}" in out
    assert "--ignore-certificate-errors-spki-list=one=,two=" in out


def test_a_browser_starts_with_a_profile_of_its_own_and_is_left_to_its_user(
    directory: Path, browser: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["open", "staging", "--browser", str(browser)]) == 0
    deadline = time.monotonic() + 10
    while not (browser.parent / "called").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    called = (browser.parent / "called").read_text(encoding="utf-8").splitlines()
    (profile,) = [one.partition("=")[2] for one in called if one.startswith("--user-data-dir=")]
    assert Path(profile).parent == directory
    assert "--proxy-server=http://127.0.0.1:4000" in called
    assert called[-1] == SITE
    assert f"opened {SITE}" in capsys.readouterr().out


def test_a_way_that_is_broken_is_told_and_no_browser_starts(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = [Site(SITE, step="delegation", problem="no such server"), Site(STATIC, ("zone",))]
    monkeypatch.setattr(door_sites, "sites", lambda _: broken)
    assert cli.main(["open", "staging"]) == 1
    assert f"{SITE}: the chain breaks at its delegation: no such server" in capsys.readouterr().err
    assert not (directory / "browsers.json").exists()


def test_an_environment_that_was_not_rehearsed_is_told(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["open", "production"]) == 1
    told = capsys.readouterr().err
    assert "has no my-django-app/production" in told
    assert "./lz rehearse --down, then ./lz rehearse --keep" in told, (
        "one that is up is in the way of another"
    )


def test_without_a_rehearsal_the_command_that_starts_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert cli.main(["open", "staging"]) == 1
    assert "./lz rehearse --keep" in capsys.readouterr().err


def test_a_door_that_has_ended_is_told(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(door_controller, "is_running", lambda *_: False)
    assert cli.main(["open", "staging"]) == 1
    assert "does not run any more" in capsys.readouterr().err


def test_without_a_browser_the_other_ways_are_named(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_browser() is None
    assert cli.main(["open", "staging"]) == 2
    assert "./lz open staging --print" in capsys.readouterr().err


def test_without_a_display_no_browser_starts_and_the_other_way_is_named_to_copy(
    directory: Path, browser: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(browser.parent))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert cli.main(["open", "staging"]) == 2
    told = capsys.readouterr().err
    assert "neither DISPLAY nor WAYLAND_DISPLAY is set" in told
    assert "./lz open staging --print" in " ".join(told.split())
    assert not (directory / "browsers.json").exists()
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        with monkeypatch.context() as set_one:
            set_one.setenv(name, ":0")
            assert has_display()


def test_a_browser_that_cannot_start_is_told(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["open", "staging", "--browser", "/nowhere/chromium"]) == 2
    assert "/nowhere/chromium cannot be started: No such file" in capsys.readouterr().err


def test_a_browser_that_ends_at_once_is_told_with_its_own_words(
    directory: Path, browser: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    browser.write_text("#!/bin/sh\necho '[1:2/3:ERROR:x11.cc(4)] Missing X server or $DISPLAY'\nexit 1\n")
    assert cli.main(["open", "staging", "--browser", str(browser)]) == 1
    told = capsys.readouterr()
    assert "ended as soon as it was started: exit code 1: Missing X server or $DISPLAY" in told.err
    assert "--print" in told.err
    assert "opened" not in told.out
    assert [entry.name for entry in directory.iterdir() if entry.name.startswith("browser")] == []


def test_only_root_has_to_switch_the_sandbox_off(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for user, expected in ((0, True), (1000, False)):
        monkeypatch.setattr("os.geteuid", lambda user=user: user)
        assert ("--no-sandbox" in arguments(_state(directory), directory)) is expected


def test_browsers_end_with_the_rehearsal(directory: Path, browser: Path) -> None:
    browsers = Browsers(directory)
    browsers.open(str(browser), _state(directory), [SITE])
    (entry,) = json.loads((directory / "browsers.json").read_text(encoding="utf-8"))
    assert Path(f"/proc/{entry['pid']}").exists()

    browsers.close()

    status, deadline = Path(f"/proc/{entry['pid']}/status"), time.monotonic() + PATIENCE_SECONDS
    # Ended; this test is its parent and has not looked yet. A busy machine takes a moment to end what was killed.
    while "\nState:\tZ" not in status.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline
        time.sleep(0.02)

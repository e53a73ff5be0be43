"""The script at the root: what it says where its installation fails."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from operations.node import ROOT

# Stands in for a Python 3.13 that can make environments, whose pip has something to say.
PYTHON = """#!/bin/sh
case "$*" in
    --version) echo Python 3.13.1 ;;
    -c*) ;;
    *"-m venv"*) mkdir -p "$4/bin"; cp "$0" "$4/bin/python" ;;
    *"-m pip"*) echo "preparing"; cat "$SAID" >&2 || { : >"$SAID.not"; exec sleep 60; }; exit 1 ;;
esac
"""
OFFLINE = "Retrying after connection broken by NewConnectionError: Temporary failure in name resolution"
UNTRUSTED = "invalid peer certificate: UnknownIssuer"
BROKEN = "No space left on device"


def started(folder: Path) -> "subprocess.Popen[str]":
    """Start a first call in a copy of the project; what pip says is in `folder/said`, without which it hangs."""
    project, programs = folder / "project", folder / "bin"
    for each in (project / "requirements", programs):
        each.mkdir(parents=True)
    for name in ("lz", "requirements/lock.txt", "requirements/uv.txt", "package-lock.json"):
        shutil.copy(ROOT / name, project / name)
    (programs / "python3.13").write_text(PYTHON)
    (programs / "python3.13").chmod(0o755)
    return subprocess.Popen(
        [project / "lz", "--help"],
        env={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "SAID": str(folder / "said"),
            "TMPDIR": str(folder),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("said", "told", "shown"),
    [
        (OFFLINE, "lz: the first run needs the package registries (PyPI and npm)", False),
        (UNTRUSTED, "lz: a package registry shows a certificate that is not trusted here.", False),
        (BROKEN, "lz: this step failed: 2/5 uv, the installer", True),
    ],
)
def test_a_failed_installation_says_why_and_what_to_do(
    tmp_path: Path, said: str, told: str, *, shown: bool
) -> None:
    (tmp_path / "said").write_text(f"{said}\n")
    process = started(tmp_path)
    _, shown_on_stderr = process.communicate()

    assert process.returncode == 2
    lines = shown_on_stderr.splitlines()
    assert any(line.startswith(told) for line in lines), shown_on_stderr
    assert said in lines
    assert ("preparing" in lines) == shown
    assert list(tmp_path.glob("lz-install.*")) == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
def test_an_installation_that_is_cut_short_leaves_no_file(tmp_path: Path, number: int, code: int) -> None:
    process = started(tmp_path)
    while not (tmp_path / "said.not").exists():
        time.sleep(0.01)
    assert list(tmp_path.glob("lz-install.*"))

    os.killpg(process.pid, number)  # as a terminal does, to all of the job
    process.communicate(timeout=30)

    assert process.returncode == code
    assert list(tmp_path.glob("lz-install.*")) == []

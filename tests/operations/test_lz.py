"""The script at the root: what it says where its installation fails."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from operations.node import ROOT

# Stands in for a Python 3.13 that can make environments, whose pip has something to say.
PYTHON = """#!/bin/sh
case "$*" in
    --version) echo Python 3.13.1 ;;
    -c*) ;;
    *"-m venv"*) mkdir -p "$4/bin"; cp "$0" "$4/bin/python" ;;
    *"-m pip"*) echo "preparing"; cat "$SAID" >&2; exit 1 ;;
esac
"""
OFFLINE = "Retrying after connection broken by NewConnectionError: Temporary failure in name resolution"
UNTRUSTED = "invalid peer certificate: UnknownIssuer"
BROKEN = "No space left on device"


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
    project, programs = tmp_path / "project", tmp_path / "bin"
    for folder in (project / "requirements", programs):
        folder.mkdir(parents=True)
    for name in ("lz", "requirements/lock.txt", "requirements/uv.txt", "package-lock.json"):
        shutil.copy(ROOT / name, project / name)
    (programs / "python3.13").write_text(PYTHON)
    (programs / "python3.13").chmod(0o755)
    (tmp_path / "said").write_text(f"{said}\n")

    done = subprocess.run(
        [project / "lz", "--help"],
        env={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "SAID": str(tmp_path / "said"),
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert any(line.startswith(told) for line in lines), done.stderr
    assert said in lines
    assert ("preparing" in lines) == shown
    assert list(tmp_path.glob("lz-install.*")) == []

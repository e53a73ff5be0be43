import json
import shutil
from pathlib import Path

import pytest

from operations import locks
from operations.errors import CommandError
from operations.node import ROOT

SOURCES = ("requirements/uv.in", "pyproject.toml", "package.json")
UV = """#!/usr/bin/env python3
import pathlib, sys
output = pathlib.Path(sys.argv[sys.argv.index("--output-file") + 1])
output.write_text({text!r})
sys.exit({code})
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the real files, whose npm does nothing."""
    for name in (*SOURCES, *locks.PYTHON_LOCKS, locks.NODE_LOCK):
        file = tmp_path / "project" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(locks, "ROOT", tmp_path / "project")
    monkeypatch.setattr(locks, "_npm", lambda: ["true"])
    return tmp_path / "project"


def put_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, text: str, code: int = 0) -> None:
    """Stand in for uv: it writes one text, whatever it is asked."""
    uv = tmp_path / "uv"
    uv.write_text(UV.format(text=text, code=code), encoding="utf-8")
    uv.chmod(0o755)
    monkeypatch.setattr(locks, "_uv", lambda: [str(uv)])


def test_the_locks_are_written_together(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_uv(tmp_path, monkeypatch, text="click==8.1 --hash=sha256:0\n")
    assert locks.write_locks(upgrade=False, say=lambda _: None) == (
        "requirements/uv.txt",
        "requirements/lock.txt",
    )
    assert (project / "requirements/lock.txt").read_text(encoding="utf-8") == "click==8.1 --hash=sha256:0\n"


@pytest.mark.parametrize(
    ("text", "code"), [("--index-url https://packages.example/simple\n", 0), ("click==8.1\n", 2)]
)
def test_fails_without_writing_anything_when_a_file_names_a_host_or_a_resolver_fails(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, code: int
) -> None:
    before = {name: (project / name).read_bytes() for name in locks.PYTHON_LOCKS}
    put_uv(tmp_path, monkeypatch, text=text, code=code)
    with pytest.raises(CommandError) as caught:
        locks.write_locks(upgrade=False, say=lambda _: None)
    assert caught.value.exit_code == 1
    assert before == {name: (project / name).read_bytes() for name in locks.PYTHON_LOCKS}


def test_fails_when_the_node_lock_names_a_registry(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_uv(tmp_path, monkeypatch, text="click==8.1\n")
    packages = {"node_modules/x": {"resolved": "https://registry.example/x.tgz"}}
    (project / locks.NODE_LOCK).write_text(json.dumps({"packages": packages}), encoding="utf-8")
    with pytest.raises(CommandError, match=r"package-lock\.json would name the host"):
        locks.write_locks(upgrade=False, say=lambda _: None)


def test_the_committed_locks_name_no_host() -> None:
    locks._refuse_hosts(
        {name: (ROOT / name).read_text(encoding="utf-8") for name in (*locks.PYTHON_LOCKS, locks.NODE_LOCK)}
    )


def test_every_locked_package_has_hashes() -> None:
    for name in locks.PYTHON_LOCKS:
        text = (ROOT / name).read_text(encoding="utf-8")
        entries = [block for block in text.replace(" \\\n", " ").splitlines() if "==" in block]
        assert entries
        assert all("--hash=sha256:" in entry for entry in entries)


def test_fails_with_the_remedy_without_uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(CommandError, match="uv is not installed"):
        locks._uv()

"""What `./lz rehearse --push` refuses, and what it leaves as it was. No emulator."""

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from operations.errors import CommandError
from operations.rehearsed import ROOT, kept_directory
from rehearsal.approver import Approver
from rehearsal.by_pipeline import replace_folder
from rehearsal.kept import PREFIX, remember
from rehearsal.process_group import command_line
from rehearsal.progress import Progress
from rehearsal.pushing import push
from tests import documents


def _up(folder: Path, name: str, **state: Any) -> Path:
    """A rehearsal's folder, as it looks."""
    made = folder / f"{PREFIX}{name}"
    made.mkdir()
    remember(made, {"project": str(ROOT), "environment": {}, "by_pipeline": True, "running": None, **state})
    return made


def _pushed(root: Path) -> int:
    console = Console(file=io.StringIO())
    progress = Progress(console)
    return push(
        documents.configured(documents.sample()),
        root=root,
        progress=progress,
        approver=Approver("auto", progress, console),
        console=console,
    )


def test_nothing_is_pushed_to_what_another_terminal_still_brings_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two would follow one pipeline, and answer its approvals."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    running = _up(tmp_path, "running", running=(os.getpid(), command_line(os.getpid())))
    with pytest.raises(CommandError, match="still being brought up in another terminal") as told:
        _pushed(tmp_path)
    assert told.value.exit_code == 1
    assert "wait for its end" in str(told.value)
    assert kept_directory() == running, "it can be looked at"
    kept = _up(tmp_path, "kept")
    os.utime(kept, (1, 1))
    assert kept_directory(running=False) == kept


def test_a_rehearsal_that_ended_with_the_machine_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    _up(tmp_path, "left")
    with pytest.raises(CommandError, match="no emulator was started") as told:
        _pushed(tmp_path)
    assert "./lz rehearse --down, then ./lz rehearse --keep" in str(told.value)
    assert told.value.exit_code == 1


def _zipped(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "{}")
    return buffer.getvalue()


def test_an_assembly_takes_the_place_of_the_earlier_one_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "work" / "released"
    replace_folder(folder, _zipped("first.json"))
    with pytest.raises(zipfile.BadZipFile):
        replace_folder(folder, _zipped("second.json")[:-8])
    assert [file.name for file in folder.iterdir()] == ["first.json"]
    replace_folder(folder, _zipped("third.json"))
    assert [file.name for file in folder.iterdir()] == ["third.json"]
    assert list(folder.parent.iterdir()) == [folder]

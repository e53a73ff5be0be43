"""An earlier result: from a file, or of another revision of this repository."""

import subprocess
from pathlib import Path

import pytest

from compliance.results import RESULT, Problem, Status, write_result
from operations import baseline
from operations.baseline import from_file, from_revision
from operations.cli import main
from operations.errors import CommandError
from tests.compliance.results import WAIVER, result, row

SYNTH = """
import pathlib, sys
assert sys.argv[1:] == ["synth"]
file = pathlib.Path("reports/compliance/compliance.json")
file.parent.mkdir(parents=True)
file.write_bytes(pathlib.Path("committed.json").read_bytes())
sys.exit(1)
"""


def git(folder: Path, *words: str) -> None:
    own = ["-c", "user.name=test", "-c", "user.email=test@acme.example", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *own, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, whose `lz synth` is a script, and which then changed."""
    folder = tmp_path / "project"
    (folder / "operations").mkdir(parents=True)
    (folder / "operations" / "__main__.py").write_text(SYNTH, encoding="utf-8")
    for name in baseline.TOOLCHAIN:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("#!/bin/sh\nexec python3 -m operations $1\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    write_result(result(), folder / "committed.json")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "first")
    (folder / "committed.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(baseline, "ROOT", folder)
    return folder


def worktrees(folder: Path) -> int:
    done = subprocess.run(["git", "worktree", "list"], cwd=folder, check=True, capture_output=True, text=True)
    return len(done.stdout.splitlines())


def test_a_revision_is_synthesized_by_its_own_code_and_leaves_nothing_behind(project: Path) -> None:
    told: list[str] = []
    commit, earlier = from_revision("HEAD", say=told.append)
    assert earlier == result()
    assert len(commit) == 10
    assert "the toolchain of this folder" in told[0]
    assert worktrees(project) == 1
    assert not (project / RESULT).exists()


def test_a_revision_with_other_locks_brings_its_own_toolchain(project: Path) -> None:
    (project / "package-lock.json").write_text("{}", encoding="utf-8")
    told: list[str] = []
    assert from_revision("main", say=told.append)[1] == result()
    assert "its own toolchain" in told[0]


def test_rejects_a_revision_that_git_does_not_know(project: Path) -> None:
    for name in ("nowhere", "--output=/etc/passwd"):
        with pytest.raises(CommandError, match="git knows no revision"):
            from_revision(name, say=print)


def test_tells_what_a_revision_said_that_wrote_no_result(project: Path) -> None:
    (project / "operations" / "__main__.py").write_text("raise SystemExit('too old')", encoding="utf-8")
    git(project, "commit", "--quiet", "--all", "--message", "second")
    with pytest.raises(CommandError, match="too old"):
        from_revision("HEAD", say=lambda _: None)
    assert worktrees(project) == 1


@pytest.mark.parametrize("text", ["", "{}", '{"format": 2}', "\x00"])
def test_rejects_a_file_that_is_no_result(tmp_path: Path, text: str) -> None:
    file = tmp_path / "compliance.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match="is no result that this version can read"):
        from_file(file)


def test_the_command_reports_on_a_result_against_a_baseline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after, output = tmp_path / "before.json", tmp_path / "after.json", tmp_path / "out"
    write_result(result(rows=result().rows[1:], waivers=()), before)
    write_result(result(), after)
    words = ["compliance", "--result", str(after), "--baseline", str(before), "--output", str(output)]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "since before.json: rows 1 new; waivers 1 new; 1 to decide" in told
    assert WAIVER.reason in " ".join(told.split()), "what is to decide is named"
    assert (output / "compliance-change.json").is_file()


def test_the_command_fails_on_a_result_that_stops_a_release(tmp_path: Path) -> None:
    file = tmp_path / "compliance.json"
    write_result(result(passed=False), file)
    assert main(["compliance", "--result", str(file), "--output", str(tmp_path / "out"), "--json"]) == 1


def test_the_command_names_what_stops_a_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "compliance.json"
    found = (
        row(
            "LZ-NET-1", "ShopStaging/Web/Hole", "ShopStaging-Web", Status.NON_COMPLIANT, finding="it is open"
        ),
    )
    problem = Problem(where="waivers.toml", problem="expired on 2026-01-01", fix="fix the finding")
    write_result(result(passed=False, rows=found, problems=(problem,)), file)
    assert main(["compliance", "--result", str(file), "--output", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().out
    for words in ("LZ-NET-1", "it is open", "expired on 2026-01-01", "1 problem of the ledger"):
        assert words in told


def test_rejects_two_baselines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "compliance.json"
    write_result(result(), file)
    assert main(["compliance", "--since", "HEAD", "--baseline", str(file)]) == 2
    assert "give one of the two" in capsys.readouterr().err

"""The commit of a checkout, against a real repository."""

import subprocess
from pathlib import Path

import pytest

from operations.checkout import Checkout, read_checkout


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Test", "-c", "user.email=test@acme.example", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def test_a_checkout_has_a_commit_as_long_as_nothing_differs_from_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("one")
    assert read_checkout(tmp_path) == Checkout(None, uncommitted=True), "nothing is committed yet"
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message", "First")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert read_checkout(tmp_path) == Checkout(commit, uncommitted=False)

    (tmp_path / "file").write_text("another")
    assert read_checkout(tmp_path) == Checkout(None, uncommitted=True)
    (tmp_path / "file").write_text("one")
    assert read_checkout(tmp_path) == Checkout(commit, uncommitted=False)
    (tmp_path / "new").write_text("not in git")
    assert read_checkout(tmp_path) == Checkout(None, uncommitted=True)


def test_outside_of_a_repository_or_without_git_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert read_checkout(tmp_path) == Checkout(None, uncommitted=False)
    monkeypatch.setenv("PATH", "/nowhere")
    assert read_checkout(tmp_path) == Checkout(None, uncommitted=False)

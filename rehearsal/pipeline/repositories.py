"""The code host of a rehearsal: bare git repositories that a folder is pushed to and that builds clone.

A push does not touch the folder's own repository: what is not committed there becomes a commit here, so that every
run has a commit id as on AWS. Objects of the folder's repository are shared, not copied.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_WHO = {
    "GIT_AUTHOR_NAME": "rehearsal",
    "GIT_AUTHOR_EMAIL": "rehearsal@localhost",
    "GIT_COMMITTER_NAME": "rehearsal",
    "GIT_COMMITTER_EMAIL": "rehearsal@localhost",
}
_FORMAT = "%H%x00%s%x00%aI"


class RepositoryError(Exception):
    """A repository cannot be pushed to or read; the message says why."""


@dataclass(frozen=True)
class Commit:
    """A commit of the code host.

    Args:
        id: its id.
        message: first line of its message.
        date: when it was written, ISO 8601.
    """

    id: str
    message: str
    date: str


@dataclass(frozen=True)
class Push:
    """What a push brought.

    Args:
        commit: the branch's new head.
        snapshot: whether it holds changes that the folder's own repository does not have.
    """

    commit: Commit
    snapshot: bool


class Repositories:
    """The repositories, by their full id, such as `acme/landing-zone`.

    Args:
        directory: folder for them.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def push(self, repository: str, branch: str, folder: Path, *, message: str = "") -> Push:
        """Make a branch hold what is in a folder: what is committed there, and what is not, unless it is ignored.

        Args:
            repository: full id of the repository; made if it does not exist.
            branch: its branch.
            folder: the folder.
            message: of the commit, where one has to be made.

        Raises:
            RepositoryError: git is missing or failed.
        """
        host = self._path(repository)
        if not host.is_dir():
            host.mkdir(parents=True)
            _git("init", "--quiet", "--bare", str(host))
        base = _head_of(folder)
        if base:
            objects = _git("-C", str(folder), "rev-parse", "--path-format=absolute", "--git-path", "objects")
            (host / "objects" / "info" / "alternates").write_text(f"{objects}\n", encoding="utf-8")
        base = base or self._resolve(host, branch)
        tree = _tree(host, folder, base)
        snapshot = not base or _git("--git-dir", str(host), "rev-parse", f"{base}^{{tree}}") != tree
        commit = base
        if snapshot:
            parent = ("-p", base) if base else ()
            text = message or f"Working tree of {folder.name}"
            commit = _git("--git-dir", str(host), "commit-tree", tree, *parent, "-m", text, extra=_WHO)
        _git("--git-dir", str(host), "update-ref", f"refs/heads/{branch}", commit)
        return Push(self._commit(host, commit), snapshot)

    def head(self, repository: str, branch: str) -> Commit | None:
        """Give a branch's head; None if there is no such repository or branch."""
        host = self._path(repository)
        found = self._resolve(host, branch) if host.is_dir() else ""
        return self._commit(host, found) if found else None

    def clone(self, repository: str, commit: str, folder: Path) -> None:
        """Clone into a folder that does not exist, or is empty, and check a commit out.

        Raises:
            RepositoryError: there is no such repository or commit.
        """
        host = self._path(repository)
        if not host.is_dir():
            raise RepositoryError(f"there is no repository {repository}")
        _git("clone", "--quiet", "--shared", "--no-checkout", str(host), str(folder))
        _git("-C", str(folder), "checkout", "--quiet", "--detach", commit)

    def archive(self, repository: str, commit: str) -> bytes:
        """Give a commit's files as a zip file."""
        return _run("--git-dir", str(self._path(repository)), "archive", "--format=zip", commit)

    def _path(self, repository: str) -> Path:
        owner, _, name = repository.partition("/")
        if not owner or not name or {owner, name} & {".", ".."} or "/" in name:
            raise RepositoryError(f'"{repository}" is not owner/name')
        return self._directory / owner / f"{name}.git"

    def _resolve(self, host: Path, branch: str) -> str:
        done = subprocess.run(
            _command("--git-dir", str(host), "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}"),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()

    def _commit(self, host: Path, commit: str) -> Commit:
        shown = _git("--git-dir", str(host), "show", "--no-patch", f"--format={_FORMAT}", commit)
        return Commit(*shown.split("\0"))


def _head_of(folder: Path) -> str:
    """The commit that is checked out in a folder; empty if it is no repository's own folder."""
    if not (folder / ".git").exists():
        return ""
    done = subprocess.run(
        _command("-C", str(folder), "rev-parse", "--verify", "--quiet", "HEAD"),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def _tree(host: Path, folder: Path, base: str) -> str:
    """Write a folder's files into the host's objects; gives the tree."""
    index = host / "push.index"
    index.unlink(missing_ok=True)
    where = {"GIT_INDEX_FILE": str(index)}
    paths = ("--git-dir", str(host), "--work-tree", str(folder))
    if base:
        _git(*paths, "read-tree", base, extra=where)
    _git(*paths, "-C", str(folder), "add", "--all", extra=where)
    return _git(*paths, "write-tree", extra=where)


def _command(*arguments: str) -> list[str]:
    git = shutil.which("git")
    if git is None:
        raise RepositoryError("git was not found: the pipeline takes its source from a git repository")
    # The folder may belong to somebody else, who trusts us: we only read it.
    return [git, "-c", "safe.directory=*", "-c", "advice.detachedHead=false", *arguments]


def _run(*arguments: str, extra: Mapping[str, str] | None = None) -> bytes:
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        _command(*arguments), capture_output=True, check=False, env={**own, **(extra or {})}
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise RepositoryError(f"git {arguments[-1]}: {said or done.returncode}")
    return done.stdout


def _git(*arguments: str, extra: Mapping[str, str] | None = None) -> str:
    return _run(*arguments, extra=extra).decode().strip()

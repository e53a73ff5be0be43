"""Which files of a folder `docker build` sends: the rules of `.dockerignore`.

They are Docker's, not git's: a pattern starts at the root of the folder, the last one that matches decides,
and what lies in an excluded folder is excluded with it. Where this reader is in doubt it keeps the file: one
file too many costs a build that was not needed, one too few would release an old image.
"""

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

IGNORE_FILES = ("Dockerfile.dockerignore", ".dockerignore")
"""Where the patterns are; the first file that exists is read, and no other (Docker's own order)."""


@dataclass(frozen=True)
class Pattern:
    """One line of the file.

    Args:
        expression: matches the paths, relative to the folder, that the line is about.
        keeps: the line starts with `!`: what it matches is sent after all.
    """

    expression: re.Pattern[str]
    keeps: bool


@dataclass(frozen=True)
class DockerIgnore:
    """The patterns of a folder.

    Args:
        patterns: in the order of the file.
    """

    patterns: tuple[Pattern, ...] = ()

    def excludes_folder(self, path: str) -> bool:
        """Tell whether nothing in a folder can be in the build, so that nobody need look into it."""
        return self.excludes(path) and not any(pattern.keeps for pattern in self.patterns)

    def excludes(self, path: str) -> bool:
        """Tell whether a file stays out of the build.

        Args:
            path: relative to the folder, with `/`.
        """
        parts = path.split("/")
        candidates = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        excluded = False
        for pattern in self.patterns:
            if excluded == pattern.keeps and any(map(pattern.expression.fullmatch, candidates)):
                excluded = not pattern.keeps
        return excluded


def read_dockerignore(folder: Path) -> DockerIgnore:
    """Read a folder's patterns; without a file nothing is excluded.

    Args:
        folder: the folder that is given to `docker build`.
    """
    for name in IGNORE_FILES:
        file = folder / name
        if file.is_file():
            lines = file.read_text(encoding="utf-8-sig").splitlines()
            return DockerIgnore(tuple(filter(None, map(_pattern, lines))))
    return DockerIgnore()


def _pattern(line: str) -> Pattern | None:
    if line.startswith("#"):  # only in the first column is it a comment
        return None
    text = line.strip()
    keeps = text.startswith("!")
    text = text.removeprefix("!").strip()
    if not text:
        return None
    cleaned = posixpath.normpath(text).lstrip("/")
    if cleaned in ("", "."):  # Docker ignores it too: it would exclude everything
        return None
    return Pattern(_expression(cleaned), keeps)


def _expression(pattern: str) -> re.Pattern[str]:
    """Translate a pattern: `**` is any number of folders, `*` and `?` stay within one name."""
    translated = ""
    rest = pattern
    while rest:
        if rest in ("**", "**/"):
            translated, rest = translated + ".*", ""
        elif rest.startswith("**"):
            translated, rest = translated + "(?:.*/)?", rest[2:].removeprefix("/")
        elif rest[0] in "*?":
            translated, rest = translated + ("[^/]*" if rest[0] == "*" else "[^/]"), rest[1:]
        elif rest[0] == "[" and "]" in rest[2:]:
            end = rest.index("]", 2)
            translated, rest = translated + rest[: end + 1], rest[end + 1 :]
        else:
            escaped = rest[0] == "\\" and len(rest) > 1
            translated, rest = translated + re.escape(rest[escaped]), rest[1 + escaped :]
    try:
        return re.compile(translated, re.DOTALL)
    except re.error:  # such as [z-a]: Docker refuses it, and nothing is excluded here
        return re.compile("(?!)")

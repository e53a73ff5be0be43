"""Reads of a Dockerfile what a rehearsal needs to run its project without executing it."""

import json
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)\s+(.*)", re.DOTALL)
_HEREDOC = re.compile(r"<<(-?)([\"']?)(\w+)\2")
_FLAGS = re.compile(r"^(?:--[a-z]+(?:=\S+)?\s+)+")
_VARIABLE = re.compile(r"\\\$|\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^}]*))?\})")
# Of the image's own file system, which is not here.
_OF_THE_IMAGE = frozenset({"PATH", "HOME", "TMPDIR", "VIRTUAL_ENV", "PYTHONHOME", "LD_LIBRARY_PATH"})


@dataclass
class Stage:
    """One stage, with all that it has from the stages below it.

    Args:
        name: its name in lower case; empty if it has none.
        environment: its variables.
        directory: its working directory.
        entry_point: its entry point, as an argument list.
        runs: the shell commands of its RUN instructions, and of the stages whose files it has.
        copies: sources and target of its COPY instructions that take from the project.
    """

    name: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    directory: str = "/"
    entry_point: tuple[str, ...] = ()
    runs: list[str] = field(default_factory=list)
    copies: list[tuple[tuple[str, ...], str]] = field(default_factory=list)

    def variables(self) -> dict[str, str]:
        """Its variables, without those that speak of its own file system."""
        return {name: value for name, value in self.environment.items() if name not in _OF_THE_IMAGE}


def read(text: str, target: str | None = None) -> Stage:
    """Read a Dockerfile.

    Args:
        text: its text.
        target: the stage that counts; the last one if None.

    Raises:
        ValueError: it has no such stage.
    """
    stages: list[Stage] = []
    everywhere: dict[str, str] = {}
    arguments: dict[str, str] = {}
    for name, rest in _instructions(text):
        if name == "FROM":
            stages.append(_begun(_substituted(rest, everywhere), stages))
            arguments = {}
        elif name == "ARG":
            for key, value in _pairs(rest, {**everywhere, **arguments}):
                if stages:
                    arguments[key] = value or everywhere.get(key, "")
                else:
                    everywhere[key] = value
        elif stages:
            _apply(stages[-1], name, rest, {**arguments, **stages[-1].environment}, stages)
    chosen = [stage for stage in stages if target is None or stage.name == target.lower()]
    if not chosen:
        raise ValueError(
            f'the Dockerfile has no stage "{target}"' if target else "the Dockerfile has no FROM"
        )
    return chosen[-1]


def _begun(rest: str, stages: Sequence[Stage]) -> Stage:
    words = _FLAGS.sub("", rest).split()
    name = words[2].lower() if len(words) > 2 and words[1].upper() == "AS" else ""  # noqa: PLR2004
    below = _stage(words[0], stages)
    if below is None:
        return Stage(name)
    return Stage(
        name,
        dict(below.environment),
        below.directory,
        below.entry_point,
        list(below.runs),
        list(below.copies),
    )


def _stage(name: str, stages: Sequence[Stage]) -> Stage | None:
    if name.isdigit() and int(name) < len(stages):
        return stages[int(name)]
    return next((stage for stage in reversed(stages) if stage.name and stage.name == name.lower()), None)


def _apply(stage: Stage, name: str, rest: str, known: Mapping[str, str], stages: Sequence[Stage]) -> None:
    if name == "ENV":
        stage.environment.update(_pairs(rest, known))
    elif name == "WORKDIR":
        stage.directory = posixpath.normpath(
            posixpath.join(stage.directory, _substituted(rest, known).strip())
        )
    elif name == "ENTRYPOINT":
        words = _words(rest)
        stage.entry_point = ("/bin/sh", "-c", rest.strip()) if words is None else tuple(words)
    elif name == "RUN":
        command = _FLAGS.sub("", rest)
        stage.runs.append(shlex.join(_words(command) or ()) or command.strip())
    elif name == "COPY":
        _copied(stage, rest, stages)


def _copied(stage: Stage, rest: str, stages: Sequence[Stage]) -> None:
    flags = _FLAGS.match(rest)
    taken = re.search(r"--from=(\S+)", flags[0]) if flags else None
    if taken:
        below = _stage(taken[1], stages)
        # Whatever was run there may have made the files that come from there.
        stage.runs += [run for run in below.runs if run not in stage.runs] if below else []
        stage.copies += [copy for copy in below.copies if copy not in stage.copies] if below else []
        return
    given = _FLAGS.sub("", rest)
    words = _words(given) or given.split()
    if len(words) > 1:
        stage.copies.append((tuple(words[:-1]), words[-1]))


def _words(text: str) -> list[str] | None:
    """Return the words of an instruction in its JSON form; None for the shell form."""
    if not text.lstrip().startswith("["):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return [str(word) for word in found] if isinstance(found, list) else None


def _pairs(rest: str, known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    try:
        words = shlex.split(rest)
    except ValueError:
        words = rest.split()
    if words and "=" not in words[0]:  # the old form `ENV NAME VALUE`, and an ARG without a default
        yield words[0], _substituted(rest.strip()[len(words[0]) :].strip(), known)
        return
    for word in words:
        name, _, value = word.partition("=")
        yield name, _substituted(value, known)


def _substituted(text: str, known: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[0] == r"\$":
            return "$"
        plain = known.get(found[1] or found[2], "")
        if found[3] and "-" in found[3]:
            return plain or found[4]
        return (found[4] if plain else "") if found[3] else plain

    return _VARIABLE.sub(value, text)


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield each instruction in capitals, with what follows it on one line; of a here-document, its content."""
    lines = iter(text.splitlines())
    for line in lines:
        whole = line
        if not whole.strip() or whole.lstrip().startswith("#"):
            continue
        while whole.rstrip().endswith("\\"):
            following = next(lines, "")
            if following.lstrip().startswith("#"):
                continue
            whole = whole.rstrip()[:-1] + " " + following
        found = _INSTRUCTION.fullmatch(whole)
        if found is None:
            continue
        name, rest = found[1].upper(), found[2]
        begun = _HEREDOC.search(rest) if name in ("RUN", "COPY") else None
        if begun:
            content = []
            for inner in lines:
                if inner.strip() == begun[3]:
                    break
                content.append(inner.lstrip("\t") if begun[1] else inner)
            if name == "RUN":
                yield name, "\n".join(content)
            continue
        yield name, rest

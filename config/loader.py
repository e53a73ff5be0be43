"""Reads `config/accounts.json` and finds everything that is wrong with it, before AWS sees any of it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from config import documents, fields, rules, shape
from config.models import Configuration
from config.outline import line_and_column, outline
from config.problems import ConfigurationError, Finding, Place, Problem, dotted, printable, show
from config.rules.containers import HIDDEN, looks_secret

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DEFAULT_FILE = PROJECT_ROOT / "config" / "accounts.json"
_WHOLE_FILE = "(whole file)"
_LONGEST_MESSAGE = 600


def load(path: Path | None = None, *, check_files: bool = True) -> Configuration:
    """Read and validate a configuration file.

    Args:
        path: The file; `config/accounts.json` of this project if left out.
        check_files: Whether the folders that it names must exist, with their Dockerfiles, in this project.

    Raises:
        ConfigurationError: It cannot be read or is not valid; the error lists every problem that was found.
    """
    file = path or DEFAULT_FILE
    inside = file.is_relative_to(PROJECT_ROOT)
    name = printable(str(file.relative_to(PROJECT_ROOT) if inside else file), longest=_LONGEST_MESSAGE)
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise _unreadable(name, "no such file", "create it; the one of this project is a sample") from None
    except IsADirectoryError:
        raise _unreadable(
            name, "a folder, not a file", f"name the file in it: {name}/accounts.json"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _unreadable(name, f"cannot be read: {reason.lower()}", "make it readable for you") from None
    try:
        # An editor's byte order mark does no harm, and nobody sees it.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        problem = f"not UTF-8: byte 0x{content[error.start]:02x} in line {line}"
        raise _unreadable(name, problem, "save it as UTF-8 in your editor") from None
    if not text.strip():
        raise _unreadable(
            name, "the file is empty", "restore it from version control: git checkout"
        ) from None
    return load_text(text, name, check_files=check_files)


def load_text(text: str, file_name: str, *, check_files: bool = False) -> Configuration:
    """Validate the text of a configuration, which need not be this project's.

    Args:
        text: JSON text.
        file_name: Name of the file, for messages.
        check_files: Whether the folders that it names must exist, with their Dockerfiles, in this project.

    Raises:
        ConfigurationError: It is not valid; the error lists every problem that was found.
    """
    written, findings = documents.parse(text)
    configuration = None
    if written is not None or not findings:
        completed = fields.with_defaults(written, Configuration)
        configuration, more, valid = shape.check(completed)
        # What could not even be read was told; that it has the wrong type then is an echo.
        told = {finding.place for finding in findings}
        findings += [finding for finding in more if finding.place not in told]
        findings += rules.check(rules.View(valid, written, PROJECT_ROOT if check_files else None))
    if findings or configuration is None:
        raise ConfigurationError(_problems(findings, text, file_name, written))
    return configuration


def _problems(findings: Iterable[Finding], text: str, file_name: str, written: Any) -> list[Problem]:
    """Add file, line and value to findings, and sort them as a reader meets them in the file."""
    offsets = outline(text).offsets
    problems: dict[tuple[Place, str], Problem] = {}
    for finding in findings:
        problem = Problem(
            file=file_name,
            path=dotted(finding.place),
            value=printable(finding.value) if finding.value else _value(written, finding.place),
            # These may quote names from the file, which can be of any length and hold any character.
            problem=printable(finding.problem, longest=_LONGEST_MESSAGE),
            allowed=printable(finding.allowed, longest=_LONGEST_MESSAGE),
            fix=printable(finding.fix, longest=_LONGEST_MESSAGE),
            line=finding.line or _line(text, finding.place, offsets),
        )
        problems.setdefault((finding.place, finding.problem), problem)
    return sorted(problems.values(), key=lambda problem: problem.line or 0)


def _line(text: str, place: Place, offsets: dict[Place, int]) -> int | None:
    """Find the line of a place, or of the nearest object around it that is written."""
    while place and place not in offsets:
        place = place[:-1]
    return line_and_column(text, offsets[place])[0] if place in offsets else None


def _value(written: Any, place: Place) -> str:
    if "variables" in place and looks_secret(str(place[-1])):
        return HIDDEN
    try:
        for step in place:
            written = written[step]
    except (LookupError, TypeError):
        return "(left out)"
    return show(written)


def _unreadable(file_name: str, problem: str, fix: str) -> ConfigurationError:
    return ConfigurationError(
        [Problem(file_name, _WHOLE_FILE, "(nothing)", problem, "a readable JSON file in UTF-8", fix)]
    )

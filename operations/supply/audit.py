"""Asks what is known against the parts: pip-audit for Python packages, npm audit for Node's.

Both need the network. Whatever they could not look at is said, one by one: pip-audit by itself ends with "no known
vulnerabilities" where its service knows none of the packages.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from config.node import bundled_node
from operations.node import ROOT
from operations.supply.components import Component, Ecosystem, normal

SECONDS = 300.0
"""For one run of a tool; pip-audit asks for one package after the other."""


@dataclass(frozen=True)
class Vulnerability:
    """Something known against a package.

    Args:
        ecosystem: of the package.
        package: its name.
        version: its version.
        id: number that the database gives.
        aliases: its other numbers, such as the CVE.
        title: what it is about, in a line.
        fix: what to do.
        severity: as the database says; empty where it says none.
    """

    ecosystem: Ecosystem
    package: str
    version: str
    id: str
    aliases: tuple[str, ...]
    title: str
    fix: str
    severity: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """All of its numbers."""
        return (self.id, *self.aliases)


@dataclass(frozen=True)
class Audit:
    """What a tool said.

    Args:
        tool: its name.
        vulnerabilities: what is known.
        unaudited: why nothing is known about some, or all, of the parts; empty if all were looked at.
    """

    tool: str
    vulnerabilities: tuple[Vulnerability, ...] = ()
    unaudited: tuple[str, ...] = ()


def audit_python(components: Iterable[Component]) -> Audit:
    """Ask the Python Packaging Advisory Database, through PyPI.

    Args:
        components: the packages; each version is asked for once.
    """
    wanted = {(normal(one.name), one.version) for one in components if one.ecosystem == "pypi"}
    found: list[Vulnerability] = []
    unaudited: list[str] = []
    for group in _one_version_each(wanted):
        answer = _pip_audit(group)
        if isinstance(answer, str):
            unaudited.append(answer)
            continue
        skipped = {str(one["skip_reason"]).rpartition(": ")[0] for one in answer if "skip_reason" in one}
        count = sum("skip_reason" in one for one in answer)
        if count:
            unaudited.append(f"{count} of {len(group)} packages: {'; '.join(sorted(skipped))}")
        told = {normal(one["name"]) for one in answer}
        silent = [name for name, _ in group if name not in told]
        if silent:
            unaudited.append(f"pip-audit said nothing of {', '.join(silent)}")
        found += [known for one in answer for known in _python_vulnerabilities(one)]
    return Audit("pip-audit", tuple(found), tuple(unaudited))


def _one_version_each(wanted: Iterable[tuple[str, str]]) -> Sequence[Sequence[tuple[str, str]]]:
    """Divide packages into groups with no name twice: one requirements file cannot ask for two versions."""
    groups: list[dict[str, str]] = []
    for name, version in sorted(wanted):
        for group in groups:
            if name not in group:
                group[name] = version
                break
        else:
            groups.append({name: version})
    return [tuple(group.items()) for group in groups]


def _pip_audit(packages: Sequence[tuple[str, str]]) -> Sequence[Mapping[str, Any]] | str:
    """Return what pip-audit says of each package, or why it says nothing."""
    with TemporaryDirectory(prefix="lz-audit-") as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text("".join(f"{name}=={version}\n" for name, version in packages), encoding="utf-8")
        command = [
            *(sys.executable, "-m", "pip_audit", "--requirement", str(file), "--no-deps", "--disable-pip"),
            *("--format", "json", "--desc", "off", "--aliases", "on", "--progress-spinner", "off"),
            *("--timeout", "15", "--cache-dir", str(Path(folder) / "cache")),
        ]
        done = _run(command, folder=Path(folder))
    if isinstance(done, str):
        return done
    try:
        answer: Sequence[Mapping[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return _last_line(done.stderr, f"pip-audit ended with {done.returncode}")
    return answer


def _python_vulnerabilities(dependency: Mapping[str, Any]) -> Iterable[Vulnerability]:
    for known in dependency.get("vulns", ()):
        versions = ", ".join(known["fix_versions"])
        yield Vulnerability(
            ecosystem="pypi",
            package=dependency["name"],
            version=dependency["version"],
            id=known["id"],
            aliases=tuple(known["aliases"]),
            title=(known.get("description") or "").split("\n")[0],
            fix=f"raise it to {versions}" if versions else "no version without it exists",
        )


def audit_node(folder: Path = ROOT) -> Audit:
    """Ask the npm registry about a package-lock.json.

    Args:
        folder: where it is.
    """
    node = bundled_node()
    if node is None:
        return Audit("npm audit", unaudited=("Node is not installed",))
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    done = _run([str(node), str(npm), "audit", "--json", "--package-lock-only"], folder=folder)
    if isinstance(done, str):
        return Audit("npm audit", unaudited=(done,))
    try:
        answer = json.loads(done.stdout)
        reported = answer["vulnerabilities"]
    except (ValueError, KeyError, TypeError):
        return Audit("npm audit", unaudited=(_npm_reason(done.stdout, done.stderr),))
    versions = _node_versions(folder)
    found = {
        (via["url"], name): Vulnerability(
            ecosystem="npm",
            package=name,
            version=", ".join(versions.get(node_, "") for node_ in package["nodes"]),
            id=str(via["url"]).rpartition("/")[2],
            aliases=(),
            title=via["title"],
            fix="npm update"
            if package["fixAvailable"]
            else f"no fixed version fits; it is in {via['range']}",
            severity=via["severity"],
        )
        for name, package in reported.items()
        for via in package["via"]
        if isinstance(via, Mapping)  # a text names another entry, through which it comes
    }
    return Audit("npm audit", tuple(found.values()))


def _node_versions(folder: Path) -> Mapping[str, str]:
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    return {path: package.get("version", "") for path, package in lock["packages"].items()}


def _npm_reason(output: str, messages: str) -> str:
    try:
        return str(json.loads(output)["message"]).partition(" - ")[0]
    except (ValueError, KeyError, TypeError, AttributeError):
        return _last_line(messages, "npm audit gave no answer")


def _run(command: Sequence[str], *, folder: Path) -> subprocess.CompletedProcess[str] | str:
    environment = {**os.environ, "npm_config_update_notifier": "false"}
    try:
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {SECONDS:g} s"


def _last_line(text: str, otherwise: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else otherwise

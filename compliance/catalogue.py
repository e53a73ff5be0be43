"""What the rules of each pack say. The gate reads it; synthesis does not need it."""

import ast
import re
import tarfile
from collections.abc import Mapping
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from compliance.packs import OWN, PACKS, Pack
from compliance.results import Rule
from compliance.rules import RULES

DISTRIBUTION = "cdk-nag"


def source_of(pack: Pack) -> str:
    """Return what a pack comes from, with its version.

    Args:
        pack: the pack.
    """
    return f"{DISTRIBUTION} {distribution(DISTRIBUTION).version}" if pack.is_nags else "this project"


@cache
def rules_of(pack: Pack) -> Mapping[str, Rule]:
    """Return the rules of a pack by their ids.

    Args:
        pack: the pack.
    """
    if pack == OWN:
        return {
            rule.id: Rule(id=rule.id, pack=pack.id, level=rule.level, text=rule.text, fix=rule.fix)
            for rule in RULES
        }
    return {rule.id: rule for rule in _read(pack)}


@cache
def known_rules() -> frozenset[str]:
    """Return the ids of all rules of all packs."""
    return frozenset(rule_id for pack in PACKS for rule_id in rules_of(pack))


_CALL = re.compile(r"this\.applyRule\(\{\n(?P<body>.*?)\n\s*\}\);", re.DOTALL)
_FIELD = re.compile(r"^ {12}(?P<key>\w+): (?P<value>.*?),?$(?=\n {12}\w+:|\Z)", re.MULTILINE | re.DOTALL)
_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`")


def _read(pack: Pack) -> list[Rule]:
    """Read the rules of a pack from cdk-nag's own source: it has no list of them, and its manual lacks some."""
    found = []
    for call in _CALL.finditer(_sources()[f"{pack.id}.js"]):
        fields = {match["key"]: match["value"] for match in _FIELD.finditer(call["body"])}
        suffix = fields.get("ruleSuffixOverride")
        name = _text(suffix) if suffix else fields["rule"].rpartition(".")[2]
        found.append(
            Rule(
                id=f"{pack.prefix}{name}",
                pack=pack.id,
                level="error" if fields["level"].endswith("ERROR") else "warning",
                text=_text(fields["info"]),
                fix=_text(fields["explanation"]),
            )
        )
    return found


def _text(expression: str) -> str:
    """Read string literals of JavaScript that are added up; those of cdk-nag are also such of Python."""
    return "".join(
        literal[1:-1] if literal[0] == "`" else ast.literal_eval(literal)
        for literal in _LITERAL.findall(expression)
    )


@cache
def _sources() -> Mapping[str, str]:
    """Read the files of the archive in which cdk-nag keeps its JavaScript that list the packs' rules."""
    files = distribution(DISTRIBUTION).files or []
    archive = next(Path(str(file.locate())) for file in files if file.name.endswith(".jsii.tgz"))
    with tarfile.open(archive) as opened:
        return {
            member.name.rpartition("/")[2]: content.read().decode()
            for member in opened
            if "/packs/" in member.name
            and member.name.endswith(".js")
            and (content := opened.extractfile(member)) is not None
        }

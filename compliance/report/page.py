"""The page: one file that works offline; its lists are embedded as data and drawn in the browser."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from compliance.changes import ComplianceChange, Judgement, Kind, judgements
from compliance.report.digest import (
    COVERAGE_MEANINGS,
    MEANINGS,
    STATUSES,
    STOPPING,
    account_lines,
    account_names,
    changed_sections,
    crossings,
    describe,
    to_decide,
    totals,
    verdict,
)
from compliance.results import Cell, ComplianceResult

HERE = Path(__file__).parent
TEMPLATE = "page.html.jinja"
SOON_DAYS = 90
"""A waiver that expires within so many days is marked on the page; the gate's own warning comes later."""

MOST_SHOWN = 50
"""Changed rows that stand at the top of the page; the list below has all of them."""

KINDS = (Kind.NEW, Kind.CHANGED, Kind.GONE)


def render(result: ComplianceResult, *, change: ComplianceChange | None = None, fingerprint: str) -> str:
    """Return the page.

    Args:
        result: what the gate found.
        change: what differs from a baseline; the page then starts with that alone.
        fingerprint: SHA-256 of `compliance.json`, so that a signature says what was signed.
    """
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    stacks = {stack.name: stack for stack in result.stacks}
    return environment.get_template(TEMPLATE).render(
        result=result,
        change=change,
        fingerprint=fingerprint,
        style=Markup(style),  # noqa: S704 -- our own file
        script=Markup(script),  # noqa: S704 -- our own file
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=Markup(_embedded(_data(result, change))),  # noqa: S704 -- escaped there
        verdict=verdict(result),
        totals=totals(result),
        statuses=STATUSES,
        stopping=STOPPING,
        meanings=MEANINGS,
        coverage_meanings=COVERAGE_MEANINGS,
        accounts=account_lines(result),
        names=account_names(result),
        stacks=stacks,
        coverage=_coverage(result),
        crossings=crossings(result),
        sections={} if change is None else changed_sections(change),
        to_decide=() if change is None else to_decide(change),
        describe=describe,
        soon_days=SOON_DAYS,
        most_shown=MOST_SHOWN,
    )


def _hash(text: str) -> str:
    """Return the source expression that lets exactly this text run (Content Security Policy, level 3)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _embedded(value: Mapping[str, Any]) -> str:
    """Return JSON that cannot end the element that it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _coverage(result: ComplianceResult) -> Mapping[str, Sequence[Cell | None]]:
    """Return the matrix: stack's name -> one cell per pack, None where the result has none."""
    cells = {(cell.stack, cell.pack): cell for cell in result.coverage}
    return {
        stack.name: [cells.get((stack.name, pack.id)) for pack in result.packs] for stack in result.stacks
    }


class _Index:
    """Numbers texts in the order in which they come."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.known.setdefault(text, len(self.known))


def _data(result: ComplianceResult, change: ComplianceChange | None) -> Mapping[str, Any]:
    """Return the lists in a compact form: texts once, and rows as numbers that point to them."""
    gone = [] if change is None else [one.before for one in change.rows if one.after is None and one.before]
    changes = {} if change is None else {one.after.key: one for one in change.rows if one.after is not None}
    texts, stacks, rules = _Index(), _Index(), _Index()
    numbers = {status: number for number, status in enumerate(STATUSES)}
    rows: list[list[int]] = []
    # Without a comparison the rows need no names, and making them costs as much as the rest.
    keys = [row.key for row in judgements(result)] if changes else [None] * len(result.rows)
    for row, key in zip(result.rows, keys, strict=True):
        found = changes.get(key) if key else None
        before = -1 if found is None or found.before is None else numbers[found.before.status]
        rows.append(
            [
                *(stacks(row.stack), texts(row.resource), rules(row.rule), numbers[row.status]),
                *(-1 if row.waiver is None else row.waiver, texts(row.finding), texts(row.rechecked_by)),
                *(0 if found is None else KINDS.index(found.kind) + 1, before),
            ]
        )
    waivers = [waiver.model_dump(mode="json") for waiver in result.waivers]
    rows += [_gone(past, stacks, texts, rules, waivers) for past in gone]
    rows.sort(key=lambda row: (row[3], row[0]))
    known_stacks = {stack.name: stack for stack in result.stacks}
    known_rules = {rule.id: rule for rule in result.rules}
    packs = [pack.id for pack in result.packs]
    return {
        "statuses": STATUSES,
        "accounts": [[account.id, account.name] for account in result.accounts],
        "packs": [[pack.id, pack.title] for pack in result.packs],
        "stacks": [
            [stack.path, stack.account, stack.environment] if stack else [name, "", ""]
            for name in stacks.known
            for stack in [known_stacks.get(name)]
        ],
        "rules": [
            [name, packs.index(rule.pack) if rule.pack in packs else -1, rule.text, rule.fix]
            if rule
            else [name, -1, "", ""]
            for name in rules.known
            for rule in [known_rules.get(name)]
        ],
        "waivers": [
            [waiver[name] for name in ("reason", "owner", "ticket", "expires", "path")] for waiver in waivers
        ],
        "rows": _flat(rows),
        "texts": list(texts.known),
        "trust": [
            [
                *(trust.role, trust.account, trust.principal, trust.kind, trust.from_account),
                *(int(trust.crosses_accounts), trust.condition, " ".join(trust.used_by), trust.stack),
            ]
            for trust in result.trust
        ],
        "compared": change is not None,
    }


def _gone(
    row: Judgement, stacks: _Index, texts: _Index, rules: _Index, waivers: list[dict[str, Any]]
) -> list[int]:
    """Return a row that the baseline had alone; its waiver joins the others, as data for this row."""
    waiver = -1
    if row.waiver is not None:
        waiver = len(waivers)
        waivers.append(row.waiver.model_dump(mode="json"))
    status = STATUSES.index(row.status)
    place = (stacks(row.stack), texts(row.resource), rules(row.rule), status)
    return [*place, waiver, texts(row.finding), texts(""), KINDS.index(Kind.GONE) + 1, status]


def _flat(rows: Iterable[Sequence[int]]) -> list[int]:
    return [number for row in rows for number in row]

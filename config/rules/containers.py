"""Containers: what they run and what they are given."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from config.problems import Finding, Place, did_you_mean, show
from config.rules.view import View
from config.variables import INJECTED_VARIABLES, PARTS, parts

HIDDEN = "(hidden)"
_SECRET_WORD = re.compile(
    "PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|API_?KEY|(ACCESS|PRIVATE|SIGNING|ENCRYPTION)_?KEY"
)
# A last word that says: this is about a secret, it is not the secret.
_HARMLESS_ENDING = re.compile(
    "_(NAME|ARN|URL|URI|PATH|FILE|HEADER|ALGORITHM|ENABLED|REQUIRED|TIMEOUT|LIFETIME|TTL|AGE|LENGTH|SECONDS"
    "|MINUTES|HOURS|DAYS)$"
)
_SECRET_VALUE = re.compile(
    r"://[^/\s:@]*:[^/\s@]+@|\b(AKIA|ASIA)[A-Z0-9]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY"
)


def check(view: View) -> Iterator[Finding]:
    """Apply the rules about commands, variables and origins."""
    for name, workload in view.workloads():
        place = ("workloads", name)
        renames = workload.get("injected_variables") or {}
        absent = _absent(workload)
        yield from _commands(view, (*place, "commands"))
        yield from _renames(renames, absent, (*place, "injected_variables"))
        composed = workload.get("composed_variables") or {}
        yield from _composed(composed, renames, absent, (*place, "composed_variables"))
    for environment in view.environments():
        renames = view.get("workloads", environment.workload, "injected_variables") or {}
        composed = view.get("workloads", environment.workload, "composed_variables") or {}
        yield from _variables(environment.data.get("variables") or {}, renames, composed, environment.place)
        yield from _origins(view, environment.place, is_production=environment.is_production)


def looks_secret(name: str) -> bool:
    """Say whether the name of a variable suggests that its value is a secret."""
    return bool(_SECRET_WORD.search(name.upper())) and not _HARMLESS_ENDING.search(name.upper())


def _commands(view: View, place: Place) -> Iterator[Finding]:
    commands = view.get(*place) or {}
    for key, command in commands.items():
        program = command[0] if command else None
        if program and re.search(r"\s", program):
            try:
                words = shlex.split(program)
            except ValueError:
                words = program.split()
            yield Finding(
                (*place, key, 0),
                "one argument with a space in it: no shell takes it apart",
                "the program, then each argument by itself",
                f"write {show(words)}",
            )
    if "worker" in commands and commands["worker"] is None and commands.get("beat") is not None:
        yield Finding(
            (*place, "beat"),
            "beat without a worker would fill a queue that nobody reads",
            "null, if worker is null",
            'add "beat": null, or give a worker',
        )


def _absent(workload: Mapping[str, Any]) -> dict[str, str]:
    """Map what is not injected into this workload to the reason."""
    absent = {}
    if workload.get("media") is False:
        absent["MEDIA_BUCKET"] = "media is false"
    commands = workload.get("commands")
    if isinstance(commands, dict) and "worker" in commands and commands["worker"] is None:
        absent |= {name: "worker is null" for name in INJECTED_VARIABLES if name.startswith("CELERY_")}
    return absent


def _renames(renames: Mapping[str, str], absent: Mapping[str, str], place: Place) -> Iterator[Finding]:
    owners = {name: name for name in INJECTED_VARIABLES if name not in renames}
    for name, new in renames.items():
        if name not in INJECTED_VARIABLES:
            yield Finding(
                (*place, name),
                "not a variable that the landing zone injects",
                ", ".join(INJECTED_VARIABLES),
                did_you_mean(
                    name,
                    INJECTED_VARIABLES,
                    otherwise="use one of the names of the landing zone, or remove it",
                ),
                show(name),
            )
        elif name in absent:
            yield _without(name, absent, (*place, name))
        elif new in owners:
            yield Finding(
                (*place, name),
                f"{new} is already the name of {owners[new]}",
                "a name of its own for every variable",
                "choose another name",
            )
        owners.setdefault(new, name)


def _without(name: str, absent: Mapping[str, str], place: Place) -> Finding:
    return Finding(
        place,
        f"there is no {name}: {absent[name]}",
        "what this workload has",
        "remove it, or let the workload have it",
        show(name),
    )


def _composed(
    composed: Mapping[str, str], renames: Mapping[str, str], absent: Mapping[str, str], place: Place
) -> Iterator[Finding]:
    owners = _owners(renames)
    for name, template in composed.items():
        if template is None:
            continue
        if name in owners:
            yield Finding(
                (*place, name),
                f"{name} is already the name of what is injected ({INJECTED_VARIABLES[owners[name]]})",
                "names other than those that are injected, before and after renaming",
                "choose another name, or give what is injected another one in injected_variables",
            )
        named = list(parts(template))
        for part in dict.fromkeys(named):
            if part not in PARTS:
                yield Finding(
                    (*place, name),
                    f"{{{part}}} is not what a variable can be composed of",
                    ", ".join(PARTS),
                    f"write {{{owners[part]}}}: parts have the names from before renaming"
                    if owners.get(part) in PARTS
                    else did_you_mean(part, PARTS, otherwise="use one of these names, in braces"),
                )
            elif part in absent:
                yield _without(part, absent, (*place, name))
        if not named:
            yield Finding(
                (*place, name),
                "nothing is composed: it has no part in braces",
                "text with the name of at least one part in braces, such as {DATABASE_HOST}",
                "write a fixed text as one of the variables of each environment",
                HIDDEN if looks_secret(name) else None,
            )
        if _SECRET_VALUE.search(re.sub(r"\{[^{}]*\}", "", template)):
            yield Finding(
                (*place, name),
                "this looks like a secret, and the file is in version control",
                "parts in braces, and text that anybody may read",
                "write {DATABASE_USER}:{DATABASE_PASSWORD} in its place; if it was committed, replace it",
                HIDDEN,
            )


def _owners(renames: Mapping[str, str]) -> dict[str, str]:
    """Map each name of an injected variable, before and after renaming, to the landing zone's own."""
    renamed = {new: name for name, new in renames.items() if name in INJECTED_VARIABLES}
    return {**{name: name for name in INJECTED_VARIABLES}, **renamed}


def _variables(
    variables: Mapping[str, str], renames: Mapping[str, str], composed: Mapping[str, str], place: Place
) -> Iterator[Finding]:
    injected = _owners(renames)
    for name, value in variables.items():
        where = (*place, "variables", name)
        if name in injected:
            yield Finding(
                where,
                f"the landing zone injects this itself ({INJECTED_VARIABLES[injected[name]]})",
                "names other than those that are injected, before and after renaming",
                "remove it, or choose another name",
                HIDDEN if looks_secret(name) else None,
            )
        elif name in composed:
            yield Finding(
                where,
                "the workload's composed_variables has this name too",
                "one value for a name",
                "remove one of the two",
            )
        elif looks_secret(name) or _SECRET_VALUE.search(value):
            yield Finding(
                where,
                "this looks like a secret, and the file is in version control",
                "settings that anybody may read; a name may say _NAME, _ARN or _TIMEOUT at its end",
                "keep it in Secrets Manager and give its name or ARN here; if it was committed, replace it",
                HIDDEN,
            )


def _origins(view: View, place: Place, *, is_production: bool) -> Iterator[Finding]:
    origins: list[Any] = view.get(*place, "cors_allowed_origins") or []
    for index, origin in enumerate(origins):
        where = (*place, "cors_allowed_origins", index)
        if origin == "*" and is_production:
            yield Finding(
                where,
                '"*" lets every site read the static files of production',
                "https:// and a host, in production",
                "list the origins one by one",
            )
        elif origin is not None and origin in origins[:index]:
            yield Finding(where, "the same origin twice", "each origin once", "remove one of them")

"""Containers: what they run and what they are given."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from config.problems import Finding, Place, did_you_mean, show
from config.rules.view import View
from config.variables import INJECTED_VARIABLES

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
        yield from _commands(view, (*place, "commands"))
        yield from _renames(workload.get("injected_variables") or {}, (*place, "injected_variables"))
    for environment in view.environments():
        renames = view.get("workloads", environment.workload, "injected_variables") or {}
        yield from _variables(environment.data.get("variables") or {}, renames, environment.place)
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


def _renames(renames: Mapping[str, str], place: Place) -> Iterator[Finding]:
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
        elif new in owners:
            yield Finding(
                (*place, name),
                f"{new} is already the name of {owners[new]}",
                "a name of its own for every variable",
                "choose another name",
            )
        owners.setdefault(new, name)


def _variables(variables: Mapping[str, str], renames: Mapping[str, str], place: Place) -> Iterator[Finding]:
    injected = {**{name: name for name in INJECTED_VARIABLES}, **{new: name for name, new in renames.items()}}
    for name, value in variables.items():
        where = (*place, "variables", name)
        if name in injected:
            meaning = INJECTED_VARIABLES.get(injected[name], "renamed by injected_variables")
            yield Finding(
                where,
                f"the landing zone injects this itself ({meaning})",
                "names other than those that are injected, before and after renaming",
                "remove it, or choose another name",
                HIDDEN if looks_secret(name) else None,
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

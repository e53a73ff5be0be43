"""Accounts: one id for one role, and environments only where they belong."""

from collections import defaultdict
from collections.abc import Iterator

from config.problems import Finding, Place, did_you_mean, dotted
from config.rules.view import Environment, View

_ROLES = ("tooling", "shared_services")


def check(view: View) -> Iterator[Finding]:
    """Apply the rules about accounts."""
    yield from _one_id_for_one_role(view)
    yield from _environments_have_an_account(view)
    yield from _sharing_is_said_aloud(view)
    yield from _zones_are_distinct(view)


def _one_id_for_one_role(view: View) -> Iterator[Finding]:
    places: list[Place] = [("accounts", role) for role in _ROLES]
    places += [("accounts", "workloads", name) for name in view.accounts()]
    first: dict[str, Place] = {}
    for place in places:
        account = view.get(*place)
        if account is None:
            continue
        if account in first:
            yield Finding(
                place,
                f"the same account as {dotted(first[account])}",
                "an account of its own for every role: what breaks in one must not reach another",
                "use another account; environments that must share one name the same account each",
            )
        first.setdefault(account, place)


def _environments_have_an_account(view: View) -> Iterator[Finding]:
    if view.get("accounts", "workloads") is None:
        return
    known = view.account_names()
    for environment in view.environments():
        account = environment.data.get("account")
        if account is None or account in known:
            continue
        if account.replace("-", "_") in _ROLES:
            problem = "not a workload account"
            fix = "use an account of accounts.workloads: this one serves all environments"
        else:
            problem = "no such account in accounts.workloads"
            otherwise = f'add "{account}" to accounts.workloads, or use another'
            fix = did_you_mean(account, known, otherwise=otherwise)
        allowed = ", ".join(known) or "a name in accounts.workloads"
        yield Finding((*environment.place, "account"), problem, allowed, fix)


def _sharing_is_said_aloud(view: View) -> Iterator[Finding]:
    residents: dict[str, list[Environment]] = defaultdict(list)
    for environment in view.environments():
        if account := environment.data.get("account"):
            residents[account].append(environment)
    for account, environments in residents.items():
        if len(environments) == 1:
            continue  # share_account true is fine here: it may announce what is to come
        for environment in environments:
            if environment.data.get("share_account") is False:
                others = ", ".join(other.key for other in environments if other != environment)
                yield Finding(
                    (*environment.place, "account"),
                    f'account "{account}" also holds {others}',
                    "one environment in an account, unless every one of them says share_account true",
                    'use an account of its own, or add "share_account": true to all of them',
                )


def _zones_are_distinct(view: View) -> Iterator[Finding]:
    letters = view.get("organization", "availability_zones") or []
    for index, letter in enumerate(letters):
        if letter is not None and letter in letters[:index]:
            yield Finding(
                ("organization", "availability_zones", index),
                "the same availability zone twice",
                "two or three different letters",
                "use another letter, or leave this one out",
            )

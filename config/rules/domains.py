"""Domains: every environment has a zone of its own below the parent's, and none covers another."""

from collections.abc import Iterator

from config.naming import static_domain
from config.problems import Finding, dotted
from config.rules.view import Environment, View

# ACM: the first name of a certificate becomes its Common Name, which RFC 5280 limits to 64 characters.
# Source: API reference of AWS Certificate Manager, RequestCertificate, DomainName.
LONGEST_COMMON_NAME = 64


def check(view: View) -> Iterator[Finding]:
    """Apply the rules about domains."""
    parent = view.get("organization", "domain")
    below: list[tuple[Environment, str]] = []
    for environment in view.environments():
        domain = environment.data.get("domain")
        if domain is None:
            continue
        finding = _misplaced(environment, domain, parent) or _too_long(environment, domain)
        if finding is None:
            finding = next(filter(None, (_clash(environment, domain, *other) for other in below)), None)
            below.append((environment, domain))
        if finding is not None:
            yield finding


def _misplaced(environment: Environment, domain: str, parent: str | None) -> Finding | None:
    if parent is None or domain.endswith(f".{parent}"):
        return None
    place = (*environment.place, "domain")
    allowed = f"a name below {parent}"
    if domain == parent:
        return Finding(
            place,
            "the parent domain itself cannot be delegated to an environment's account",
            allowed,
            f'write "www.{parent}"; a redirect from the bare name can be added to the parent zone',
        )
    return Finding(
        place,
        f"not below organization.domain, whose zone must delegate it ({parent})",
        allowed,
        f'write "{domain.split(".", maxsplit=1)[0]}.{parent}", or correct organization.domain',
    )


def _too_long(environment: Environment, domain: str) -> Finding | None:
    longest = LONGEST_COMMON_NAME - len(static_domain(""))
    if len(domain) <= longest:
        return None
    return Finding(
        (*environment.place, "domain"),
        f"{len(domain)} characters, too many for the certificate of {static_domain('<domain>')}",
        f"at most {longest} characters",
        "choose a shorter name",
    )


def _clash(environment: Environment, domain: str, other: Environment, others: str) -> Finding | None:
    place, rival = (*environment.place, "domain"), dotted(other.place)
    if domain == others:
        return Finding(
            place,
            f"the same domain as {rival}",
            "a domain of its own for every environment",
            f'write another, such as "{domain.replace(".", "-2.", 1)}"',
        )
    outer, inner = sorted((domain, others), key=len)
    if not inner.endswith(f".{outer}"):
        return None
    if inner == static_domain(outer):
        problem = f"{inner} is the name of the static files of {outer} ({rival} is the other)"
    else:
        problem = f"{inner} lies inside {outer}, whose zone would hide it ({rival} is the other)"
    return Finding(place, problem, "names side by side, none below another", "move one of them up or aside")

"""What is public is what the configuration says is public."""

from collections.abc import Iterator

from compliance.exposure import declared, exposures
from compliance.rules.rule import Finding, Organization, rule
from compliance.templates import Resource


@rule(
    "LZ-PUB-1",
    text="The internet reaches what the configuration says is public, and nothing else.",
    fix="Make it private; or declare it in `compliance.public` of its environment, by host name or construct path.",
)
def the_public_is_declared(organization: Organization) -> Iterator[Finding]:
    """Look at everything that the internet can reach, and at every declaration."""
    by_path: dict[str, Resource] = {each.path: each for each in organization.assembly.resources()}
    absent = set()
    for exposure in exposures(organization):
        names = ", ".join(exposure.names)
        if exposure.resource:
            problem = "" if exposure.declared else f"the internet reaches this {exposure.kind} ({names})"
            yield Finding(by_path[exposure.resource], problem)
        else:
            absent |= set(exposure.names)
    for stage, names_of_stage in declared(organization).items():
        stacks = organization.assembly.in_stage(stage)
        for name in sorted(names_of_stage & absent):
            yield Finding(stacks[0], f"{name} is declared public, and nothing answers to it")

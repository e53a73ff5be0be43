"""What is public is what the configuration says is public."""

from collections.abc import Iterator

from compliance.exposure import absences, exposures
from compliance.rules.rule import Finding, Organization, rule
from compliance.templates import Resource


@rule(
    "LZ-PUB-1",
    text="The internet reaches what the configuration says is public, and nothing else.",
    fix="Make it private; or declare it in `compliance.public` of its environment, by host name or construct path.",
)
def the_public_is_declared(organization: Organization) -> Iterator[Finding]:
    """Look at everything that the internet can reach, and at every declaration."""
    assembly = organization.assembly
    by_path: dict[str, Resource] = {each.path: each for each in assembly.resources()}
    for exposure in exposures(organization):
        if exposure.resource:
            problem = f"the internet reaches this {exposure.kind} ({', '.join(exposure.names)})"
            yield Finding(by_path[exposure.resource], "" if exposure.declared else problem)
    for stage, names in absences(organization).items():
        for name in names:
            problem = f"{name} is declared public, and nothing answers to it"
            yield Finding(assembly.in_stage(stage)[0], problem)

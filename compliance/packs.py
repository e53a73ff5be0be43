"""The packs of rules: which there are, and which are on where."""

from collections.abc import Mapping
from dataclasses import dataclass

from config.compliance import OptionalPack
from config.models import Configuration
from config.stages import StageRef


@dataclass(frozen=True)
class Pack:
    """One pack of rules.

    Args:
        id: as in the configuration.
        name: what cdk-nag calls it; its reports start with it, and so do the ids of its rules.
        title: for people.
        prefix: what the ids of its rules start with.
        is_nags: whether it is one of cdk-nag's.
    """

    id: str
    name: str
    title: str
    prefix: str
    is_nags: bool = True


AWS_SOLUTIONS = Pack("aws-solutions", "AwsSolutions", "AWS Solutions", "AwsSolutions-")
OPTIONAL: Mapping[OptionalPack, Pack] = {
    "nist-800-53-r5": Pack("nist-800-53-r5", "NIST.800.53.R5", "NIST 800-53 revision 5", "NIST.800.53.R5-"),
    "hipaa-security": Pack("hipaa-security", "HIPAA.Security", "HIPAA Security", "HIPAA.Security-"),
    "pci-dss-321": Pack("pci-dss-321", "PCI.DSS.321", "PCI DSS 3.2.1", "PCI.DSS.321-"),
}
OWN = Pack("landing-zone", "LandingZone", "Rules of this landing zone", "LZ-", is_nags=False)
NAG_PACKS = (AWS_SOLUTIONS, *OPTIONAL.values())
PACKS = (OWN, *NAG_PACKS)


def nag_packs_of(configuration: Configuration, stage: StageRef | None) -> tuple[Pack, ...]:
    """Return the packs of cdk-nag that judge an environment.

    Args:
        configuration: the organization.
        stage: the environment; None for tooling and shared services.
    """
    chosen = stage.environment.compliance.packs if stage is not None else None
    selected = configuration.compliance.packs if chosen is None else chosen
    return (AWS_SOLUTIONS, *(pack for name, pack in OPTIONAL.items() if name in selected))


def pack_of(rule_id: str) -> Pack | None:
    """Return the pack that a rule's id belongs to; None if it is no pack's.

    Args:
        rule_id: such as `AwsSolutions-S1`.
    """
    return next((pack for pack in PACKS if rule_id.startswith(pack.prefix)), None)

"""Where the waivers of the ledger hold: every construct path that each stands for in an organization."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compliance.packs import OWN, nag_packs_of, pack_of
from compliance.waivers import Waiver, WaiverError
from config.artifacts import image_steps
from config.models import Configuration
from config.naming import Names, resource_name
from config.stages import StageRef


@dataclass(frozen=True)
class Place:
    """One waiver in one place.

    Args:
        waiver: the waiver.
        path: the construct path, with names in place of braces.
        findings: its findings, likewise.
        is_judged: whether the pack of its rule is on there.
    """

    waiver: Waiver
    path: str
    findings: tuple[str, ...]
    is_judged: bool

    @property
    def is_nags(self) -> bool:
        """Whether cdk-nag is told of it: not our own rules' waivers, nor those of what it cannot judge."""
        pack = pack_of(self.waiver.rule)
        return self.is_judged and pack != OWN and self.waiver.rechecked_by is None


def places(configuration: Configuration, waivers: Sequence[Waiver]) -> tuple[Place, ...]:
    """Spell a ledger out for an organization; what holds in no environment alone comes once.

    Args:
        configuration: the organization.
        waivers: the ledger.

    Raises:
        WaiverError: a waiver has something in braces that is no name.
    """
    stages = configuration.stages()
    named = [(stage, _names(configuration, stage)) for stage in stages]
    on = {stage.stage_name: nag_packs_of(configuration, stage) for stage in stages}
    elsewhere = nag_packs_of(configuration, None)
    found: list[Place] = []
    for waiver in waivers:
        pack = pack_of(waiver.rule)
        known: dict[tuple[str, tuple[str, ...]], Place] = {}
        for stage, names in named:
            if not waiver.classes or stage.environment.class_ in waiver.classes:
                path, findings = _spelled_out(waiver, names)
                packs = on.get(path.partition("/")[0], elsewhere)
                is_judged = pack is not None and (pack == OWN or pack in packs)
                known.setdefault((path, findings), Place(waiver, path, findings, is_judged))
        found += known.values()
    return tuple(found)


def _spelled_out(waiver: Waiver, names: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    try:
        findings = tuple(finding.format_map(names) for finding in waiver.findings)
        return waiver.path.format_map(names), findings
    except (LookupError, ValueError) as error:
        known = ", ".join(sorted(names))
        message = f"{waiver}: braces hold one of these names: {known}"
        raise WaiverError(message) from error


def _names(configuration: Configuration, stage: StageRef) -> Mapping[str, str]:
    """Return what stands in braces in the ledger."""
    return {
        "stage": stage.stage_name,
        "key": resource_name(stage.key),
        "workload": stage.workload_name,
        "account": stage.account_id,
        "region": configuration.organization.region,
        "delegation_policy": _unique_name(
            "Policy", stage.stage_name, "Dns", "Delegation", "cross-account-zone-delegation-handler-role"
        ),
        "tooling": configuration.accounts.tooling,
        "shared_services": configuration.accounts.shared_services,
        "records": Names(configuration).records_bucket,
        "image_step": image_steps(configuration.workloads)[stage.workload_name],
        "source": configuration.pipeline.repository.replace("/", "_"),
        "workload_source": (stage.workload.source.repository or configuration.pipeline.repository).replace(
            "/", "_"
        ),
    }


def _unique_name(prefix: str, *path: str) -> str:
    """Return the id that the CDK makes up for a construct from a path, by its `Names.nodeUniqueId`."""
    digest = hashlib.md5("/".join(path).encode(), usedforsecurity=False).hexdigest()[:8].upper()
    return prefix + re.sub(r"[^A-Za-z0-9]", "", "".join(path)) + digest

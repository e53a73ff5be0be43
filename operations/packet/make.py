"""Makes the packet: compares what is deployed with what a release would deploy, and finds what must not be missed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from compliance.results import ComplianceResult
from config.assembly import AssembledStack
from config.models import Acknowledgement, Configuration
from config.stages import StageRef
from operations.guard import dangers, judge
from operations.packet.compliance import compliance_of, concerns
from operations.packet.deployed import DeployedStack
from operations.packet.differences import Difference, Pair, differences
from operations.packet.highlights import highlights
from operations.packet.image_scans import scan_concerns
from operations.packet.model import (
    Fate,
    ImageChange,
    Packet,
    PreviousRelease,
    SchemaChange,
    StackChange,
)
from operations.releases.judged import Baseline
from operations.releases.migrations import Migrations
from operations.releases.record import ReleaseRecord
from operations.releases.serving import DIGEST
from operations.releases.templates import StackTemplate, stack_templates
from operations.supply.image_scans import ImageScans


@dataclass(frozen=True)
class Candidate:
    """What would be released.

    Args:
        stacks: the stacks of the assembly.
        digest: of the workload's image.
        revision: commit of the workload's source, where it is known.
        migrations: those of the image; None if nobody asked it.
        judged: what the gate found in the assembly.
        scans: what the registry's scan found in its images; None if nobody asked.
        commit: of this repository, where it is known.
        uncommitted: whether no commit holds all that would be released.
        execution_id: of the pipeline, if it is one.
    """

    stacks: Sequence[AssembledStack]
    digest: str
    revision: str | None
    migrations: Migrations | None
    judged: ComplianceResult
    scans: ImageScans | None = None
    commit: str | None = None
    uncommitted: bool = False
    execution_id: str | None = None


def make_packet(
    configuration: Configuration,
    stage: StageRef,
    *,
    candidate: Candidate,
    deployed: Sequence[DeployedStack],
    record: ReleaseRecord | None,
    baseline: Baseline,
    now: datetime,
) -> Packet:
    """Make the packet of one environment.

    Args:
        configuration: the organization.
        stage: the environment.
        candidate: what would be released.
        deployed: its stacks as they are in AWS.
        record: of its last successful release.
        baseline: what the gate found at that release.
        now: in UTC.
    """
    before, after = _before(stage, deployed), _after(stage, candidate)
    compared = _compare(before, after)
    there = {stack.name for stack in before}
    in_both = [difference for difference in compared.values() if difference.name in there]
    verdict = judge(
        dangers(in_both, before, after),
        _of_stage(stage, configuration.acknowledged_changes),
        today=now.date(),
    )
    stacks = tuple(_stack_changes(deployed, after, compared))
    image = _image(stage, candidate, record, running=running_digest(deployed))
    database = _database(candidate, record)
    compliance = compliance_of(candidate.judged, baseline, stage.key)
    return Packet(
        organization=configuration.organization.name,
        environment=stage.key,
        stage=stage.stage_name,
        domain=stage.environment.domain,
        account=stage.account_id,
        time=now,
        execution_id=candidate.execution_id,
        commit=candidate.commit,
        uncommitted=candidate.uncommitted,
        previous=_previous(record),
        highlights=(
            *highlights(verdict, stacks, before, after, image=image, database=database),
            *scan_concerns(candidate.scans),
            *concerns(compliance),
        ),
        image=image,
        scans=candidate.scans,
        database=database,
        stacks=stacks,
        compliance=compliance,
        warnings=verdict.warnings,
    )


def _previous(record: ReleaseRecord | None) -> PreviousRelease | None:
    if record is None:
        return None
    return PreviousRelease(time=record.time, execution_id=record.execution_id, commit=record.commit)


def _before(stage: StageRef, deployed: Sequence[DeployedStack]) -> tuple[StackTemplate, ...]:
    return tuple(
        StackTemplate(
            name=stack.name,
            path="",
            stage=stage.stage_name,
            account=stack.account,
            region=stack.region,
            template=stack.template,
        )
        for stack in deployed
    )


def _after(stage: StageRef, candidate: Candidate) -> tuple[StackTemplate, ...]:
    return stack_templates([stack for stack in candidate.stacks if stack.stage == stage.stage_name])


def _of_stage(stage: StageRef, acknowledged: Mapping[str, Acknowledgement]) -> Mapping[str, Acknowledgement]:
    """Keep the acknowledgements about this environment: those of others would be told as without effect."""
    name = stage.stage_name
    return {
        change: entry for change, entry in acknowledged.items() if change.startswith((f"{name}-", f"{name}:"))
    }


def _compare(before: Sequence[StackTemplate], after: Sequence[StackTemplate]) -> Mapping[str, Difference]:
    """Return the difference of each stack that is in both, and of each new one, by its name."""
    there = {stack.place: stack for stack in before}
    pairs = [
        Pair(
            name=stack.name,
            before=there[stack.place].template if stack.place in there else None,
            after=stack.template,
        )
        for stack in after
    ]
    return {difference.name: difference for difference in differences(pairs)}


def _stack_changes(
    deployed: Sequence[DeployedStack], after: Sequence[StackTemplate], compared: Mapping[str, Difference]
) -> Iterator[StackChange]:
    there = {(stack.name, stack.account, stack.region): stack for stack in deployed}
    for stack in after:
        old, difference = there.pop(stack.place, None), compared[stack.name]
        fate: Fate = "new" if old is None else "unchanged" if difference.is_empty else "changed"
        yield StackChange(
            name=stack.name,
            path=stack.path,
            account=stack.account,
            region=stack.region,
            fate=fate,
            state=old.state if old else "",
            difference=difference,
        )
    for gone in there.values():
        yield StackChange(
            name=gone.name,
            path="",
            account=gone.account,
            region=gone.region,
            fate="left behind",
            state=gone.state,
        )


def running_digest(deployed: Sequence[DeployedStack]) -> str | None:
    """Return the one image that deployed templates name; None if they name none, or a release stopped between two.

    Args:
        deployed: the stacks of an environment.
    """
    found = {digest for stack in deployed for digest in DIGEST.findall(json.dumps(stack.template))}
    return found.pop() if len(found) == 1 else None


def _image(
    stage: StageRef, candidate: Candidate, record: ReleaseRecord | None, *, running: str | None
) -> ImageChange:
    workload = stage.workload_name
    return ImageChange(
        workload=workload,
        before=running or (record.images.get(workload) if record else None),
        after=candidate.digest,
        revision_before=record.revisions.get(workload) if record else None,
        revision_after=candidate.revision,
    )


def _database(candidate: Candidate, record: ReleaseRecord | None) -> SchemaChange:
    """Compare the image's migrations with those that the database has; before a first release it has none."""
    migrations = candidate.migrations
    if migrations is None or not migrations.inspected:
        problem = migrations.problem if migrations else None
        return SchemaChange(known=False, problem=problem or "the image was not asked for its migrations")
    if record is not None and record.applied is None:
        return SchemaChange(
            known=False, problem="the last release does not say which migrations the database has"
        )
    return SchemaChange(known=True, pending=migrations.pending(record.applied or {} if record else {}))

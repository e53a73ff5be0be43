"""Makes the release record from what was built, migrated and deployed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from compliance.allowances import read_allowances
from compliance.judge import judge
from compliance.reports import COMPLIANT, SUPPRESSED, read_reports, unsettled
from compliance.results import ComplianceResult
from compliance.waivers import read_waivers
from config.assembly import read_assembly
from config.models import Configuration
from config.stages import StageRef
from operations.errors import CommandError
from operations.releases.migrations import FILE, Migrations, read_migrations
from operations.releases.outcome import Outcome, read_outcome
from operations.releases.record import AppliedBy, AppliedMigration, Nag, ReleaseRecord, Waived
from operations.releases.serving import DIGEST, Serving

BUILD_AGAIN = "release the change again from its start"


@dataclass(frozen=True)
class Evidence:
    """What the steps of this release left behind.

    Args:
        digest: of the image that was deployed.
        revision: commit of the workload's source, if the build knew it.
        migrations: `migrations.json`.
        outcome: `release.json`.
        nag: what cdk-nag said.
    """

    digest: str
    revision: str | None
    migrations: Migrations
    outcome: Outcome
    nag: Nag


def gather(stage: StageRef, *, assembly: Path, images: Path, release: Path) -> Evidence:
    """Read what the steps left behind, and check that it belongs together.

    Args:
        stage: the environment.
        assembly: the assembly that was deployed.
        images: folder with `<workload>/image.json` and `<workload>/migrations.json`.
        release: folder with `release.json`.

    Raises:
        CommandError: a part is missing, or parts are of different releases.
    """
    folder = images / stage.workload_name
    digest = deployed_digest(assembly, stage.stage_name)
    try:
        image = json.loads((folder / "image.json").read_text(encoding="utf-8"))
        built, revision = image["digest"], image.get("revision")
    except (OSError, ValueError, KeyError) as error:
        message = f"{folder / 'image.json'} is not what ./lz image writes: {type(error).__name__}"
        raise CommandError(message, fix=BUILD_AGAIN) from error
    migrations, outcome = read_migrations(folder / FILE), read_outcome(release)
    if {built, migrations.digest} != {digest}:
        message = f"{digest} was deployed, but the build handed over {built} with the migrations of {migrations.digest}"
        raise CommandError(message, fix=BUILD_AGAIN, exit_code=1)
    if outcome.environment != stage.key:
        message = f"{release} is of the release of {outcome.environment}, not of {stage.key}"
        raise CommandError(message, fix=BUILD_AGAIN, exit_code=1)
    return Evidence(digest, revision, migrations, outcome, summarized_nag(assembly))


def deployed_digest(assembly: Path, stage_name: str) -> str:
    """Return the digest of the one image that a stage's templates name.

    Args:
        assembly: the assembly.
        stage_name: the stage.

    Raises:
        CommandError: they name none, or several.
    """
    texts = [
        stack.template_file.read_text(encoding="utf-8")
        for stack in read_assembly(assembly)
        if stack.stage == stage_name
    ]
    found: set[str] = {digest for text in texts for digest in DIGEST.findall(text)}
    if len(found) != 1:
        message = (
            f"the templates of {stage_name} in {assembly} name {len(found)} images, not one: {sorted(found)}"
        )
        raise CommandError(message, fix=BUILD_AGAIN, exit_code=1)
    return found.pop()


def summarized_nag(assembly: Path) -> Nag:
    """Return what cdk-nag said about an assembly.

    Args:
        assembly: the assembly.
    """
    reports = read_reports(assembly).values()
    rows = [row for report in reports for row in report.rows]
    waived = [
        Waived(report=report.name, rule=row.rule, resource=row.resource, reason=row.reason)
        for report in reports
        for row in report.rows
        if row.compliance == SUPPRESSED
    ]
    return Nag(
        judged=len(rows),
        compliant=sum(row.compliance == COMPLIANT for row in rows),
        open=len(unsettled(reports)),
        waived=tuple(waived),
    )


def judged_now(assembly: Path, configuration: Configuration) -> ComplianceResult:
    """Return what the gate says of an assembly today.

    Args:
        assembly: the assembly.
        configuration: what it was made from.
    """
    return judge(
        assembly,
        configuration=configuration,
        waivers=read_waivers(),
        allowances=read_allowances(),
        today=datetime.now(UTC).date(),
    )


def refuse_other_images(stage: StageRef, serving: Sequence[Serving], digest: str) -> None:
    """Check that every service runs the release's image and no other.

    Args:
        stage: the environment.
        serving: what runs.
        digest: what should.

    Raises:
        CommandError: something else runs; the message says what and what to do.
    """
    wrong = [
        f"{one.process} runs {deployment.digest} ({deployment.definition.rpartition('/')[2]}, "
        f"{deployment.rollout}{': ' + deployment.reason if deployment.reason else ''})"
        for one in serving
        for deployment in one.deployments
        if deployment.digest != digest or not one.settled
    ]
    if not wrong:
        return
    lines = [f"this release of {stage.key} is {digest}, and that is not what runs:", *wrong]
    lines.append(
        f"Either ECS went back by itself, because the new tasks failed: ./lz status --env {stage.key} says why. Or "
        "somebody went to another image with ./lz rollback: CloudFormation does not know of that, and changes nothing "
        "for an image that its template had before."
    )
    fix = f"when you want this image: ./lz rollback --environment {stage.key} --to {digest}; then ./lz pipeline retry"
    raise CommandError("\n".join(lines), fix=fix, exit_code=1)


def make_record(
    stage: StageRef,
    evidence: Evidence,
    *,
    before: ReleaseRecord | None,
    time: datetime,
    execution_id: str,
    commit: str | None,
) -> ReleaseRecord:
    """Make the record.

    Args:
        stage: the environment.
        evidence: what the steps left behind.
        before: the record of the release before.
        time: now, in UTC.
        execution_id: of the pipeline.
        commit: of the repository with the infrastructure.
    """
    applied, applied_by = _applied(evidence, before)
    return ReleaseRecord(
        environment=stage.key,
        stage=stage.stage_name,
        time=time,
        execution_id=execution_id,
        commit=commit,
        images={stage.workload_name: evidence.digest},
        revisions={stage.workload_name: evidence.revision},
        applied=applied,
        applied_by=applied_by,
        new_migrations=_new(evidence, applied, before),
        nag=evidence.nag,
    )


def _applied(
    evidence: Evidence, before: ReleaseRecord | None
) -> tuple[Mapping[str, tuple[str, ...]] | None, AppliedBy]:
    if evidence.outcome.applied is not None:
        return evidence.outcome.applied, "release task"
    if not evidence.migrations.inspected:
        return None, "unknown"
    # It ended well and does not tell: then the database has what the image has, and what it had before.
    keys = {migration.key for migration in evidence.migrations.migrations}
    keys |= set(_keys(before.applied) if before and before.applied else ())
    found: dict[str, tuple[str, ...]] = {}
    for app, _, name in (key.partition(".") for key in sorted(keys)):
        found[app] = (*found.get(app, ()), name)
    return found, "assumed"


def _new(
    evidence: Evidence, applied: Mapping[str, tuple[str, ...]] | None, before: ReleaseRecord | None
) -> tuple[AppliedMigration, ...]:
    """List what this release brought; with it what a release between, that did not end well, had applied."""
    known = {migration.key: migration for migration in evidence.migrations.migrations}
    if applied is None or (before is not None and before.applied is None):
        keys = list(evidence.outcome.new)
    else:
        earlier = set(_keys(before.applied) if before and before.applied else ())
        keys = [key for key in _keys(applied) if key not in earlier]
    order = {key: place for place, key in enumerate(known)}
    return tuple(
        AppliedMigration(
            app=key.partition(".")[0],
            name=key.partition(".")[2],
            judged=key in known,
            atomic=known[key].atomic if key in known else None,
            concerns=known[key].all_concerns if key in known else (),
        )
        for key in sorted(keys, key=lambda key: order.get(key, len(order)))
    )


def _keys(applied: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [f"{app}.{name}" for app, names in applied.items() for name in names]

"""Releases of the sample's production, made of small templates."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from compliance.results import Account, ComplianceResult, Stack, Status
from config import load_text
from config.assembly import AssembledStack
from operations.packet.deployed import DeployedStack
from operations.packet.make import Candidate, make_packet
from operations.packet.model import Packet
from operations.releases.judged import Baseline
from operations.releases.migrations import Concern, Migration, Migrations, Operation
from operations.releases.record import Nag, ReleaseRecord
from tests import documents
from tests.assembly import Json
from tests.compliance.results import WAIVER, result, row

NOW = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
PRODUCTION = documents.PRODUCTION
ACCOUNT = "4" * 12
DIGEST, OTHER_DIGEST = documents.DIGEST, documents.OTHER_DIGEST
COMMIT, OTHER_COMMIT = "3f2a9c41d0aa" * 3, "9bd0e7710cfe" * 3
BREAKS = Concern(rule="drop-column", effect="breaks", text="the version before still reads notes_note.town")
LOCKS = Concern(rule="index", effect="locks", text="writes to notes_note wait until the index is built")
OWN_CODE = Concern(rule="run-python", effect="unknown", text="it runs code of the project's own")
BUCKET = f"{PRODUCTION}/Media/Bucket/Resource"
STACK = Stack(
    name=f"{PRODUCTION}-Media",
    path=f"{PRODUCTION}/Media",
    account=ACCOUNT,
    region="eu-west-1",
    environment="my-django-app/production",
    resources=3,
)


def migration(name: str, *concerns: Concern, atomic: bool = True) -> Migration:
    """Return a migration of the app `notes`."""
    operation = Operation(kind="RunSQL", description=f"Do what {name} does", concerns=concerns)
    return Migration(
        app="notes", name=name, operations=(operation,), sql=f"-- SQL of {name}\nSELECT 1;", atomic=atomic
    )


def migrations(*found: Migration, **changes: Any) -> Migrations:
    """Return the migrations of an image."""
    return Migrations(
        workload=documents.WORKLOAD, digest=DIGEST, inspected=True, migrations=found
    ).model_copy(update=changes)


def judged(*waived: str, **changes: Any) -> ComplianceResult:
    """Return what the gate says of production: the named rules are waived on a bucket of its own."""
    entries = [
        WAIVER.model_copy(update={"rule": rule, "path": BUCKET, "reason": "It holds nothing."})
        for rule in waived
    ]
    rows = [row(rule, BUCKET, STACK.name, Status.WAIVED, waiver=index) for index, rule in enumerate(waived)]
    plain: dict[str, Any] = {
        "stacks": (STACK, STACK.model_copy(update={"name": "Other", "environment": "my-django-app/staging"})),
        "accounts": (Account(name="production", id=ACCOUNT, environments=("my-django-app/production",)),),
        "waivers": tuple(entries),
        "rows": (row("LZ-DATA-1", BUCKET, STACK.name), *rows),
        "coverage": (),
        "trust": (),
        "exposures": (),
    }
    return result(**{**plain, **changes})


def record(**changes: Any) -> ReleaseRecord:
    """Return the record of the last release."""
    return ReleaseRecord(
        environment="my-django-app/production",
        stage=PRODUCTION,
        time=datetime(2026, 11, 20, 14, 2, tzinfo=UTC),
        execution_id="5d1c8f0e",
        commit=COMMIT,
        images={documents.WORKLOAD: DIGEST},
        revisions={documents.WORKLOAD: COMMIT},
        applied={"notes": ("0001",)},
        applied_by="release task",
        new_migrations=(),
        nag=Nag(judged=100, compliant=100, open=0, waived=()),
    ).model_copy(update=changes)


def assembled(template: Json, name: str = "Media", *, stage: str = PRODUCTION) -> AssembledStack:
    """Return a stack of the assembly."""
    return AssembledStack(
        path=f"{stage}/{name}",
        name=f"{stage}-{name}",
        account=ACCOUNT,
        region="eu-west-1",
        stage=stage,
        template_file=Path("template.json"),
        dependencies=(),
        template=template,
    )


def deployed(template: Json, name: str = "Media", *, state: str = "UPDATE_COMPLETE") -> DeployedStack:
    """Return a stack as it is in AWS."""
    return DeployedStack(f"{PRODUCTION}-{name}", ACCOUNT, "eu-west-1", state, template)


def packet(
    before: Json | None,
    after: Json | None,
    *,
    more: tuple[DeployedStack, ...] = (),
    state: str = "UPDATE_COMPLETE",
    last: ReleaseRecord | None = None,
    baseline: Baseline | None = None,
    acknowledged: dict[str, str] | None = None,
    **changes: Any,
) -> Packet:
    """Make the packet of a release that changes one stack.

    Args:
        before: the template that is deployed; None if there is none.
        after: the template of the assembly; None if it has no such stack.
        more: other stacks that are deployed.
        state: of the deployed stack.
        last: record of the last release; the plain one if left out.
        baseline: what the gate found at the last release; the plain result if left out.
        acknowledged: name of a change -> reason.
        changes: what is different about the candidate.
    """
    document = documents.sample()
    document["acknowledged_changes"] = {
        change: {"reason": reason, "until": str(date(2026, 12, 1))}
        for change, reason in (acknowledged or {}).items()
    }
    configuration = load_text(json.dumps(document), "accounts.json")
    candidate: dict[str, Any] = {
        "stacks": [assembled(after)] if after is not None else [],
        "digest": DIGEST,
        "revision": COMMIT,
        "migrations": migrations(migration("0001")),
        "judged": judged(),
        "commit": COMMIT,
    }
    return make_packet(
        configuration,
        configuration.find_stage("production"),
        candidate=Candidate(**{**candidate, **changes}),
        deployed=[*([deployed(before, state=state)] if before is not None else []), *more],
        record=last or record(),
        baseline=baseline or Baseline(judged()),
        now=NOW,
    )

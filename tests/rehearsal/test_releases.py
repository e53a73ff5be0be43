"""A release of the rehearsed organization: migrated, recorded, rolled back, and what each of these refuses."""

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from config.naming import Names, current_record_key
from operations.commands import logs, rollback, status
from operations.pipeline_access import PipelineAccess
from operations.pipeline_view import find_pipeline
from operations.releases.outcome import read_outcome
from operations.releases.record import read_record
from operations.tasks import TaskRun
from rehearsal import running_checks
from rehearsal.checks import Deployed
from rehearsal.looking import parameter
from rehearsal.pipeline_run import artifact
from tests.rehearsal.released import SOURCE, Released, hand_over, known_migrations
from tests.rehearsal.workload import until

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskOverrideTypeDef

pytestmark = pytest.mark.rehearsal


@pytest.fixture(scope="module")
def released(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Released]:
    """Staging, released once more by its release step, and recorded."""
    stage = deployed.configuration.find_stage("staging")
    made = Released(deployed, stage, tmp_path_factory.mktemp("released"))
    hand_over(made, known_migrations(made.digest))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("operations.commands.rollback.POLL_SECONDS", 0.3)
        done = made.release(made.folder / "release")
        assert done.code == 0, done.output
        yield made


def test_a_release_is_recorded_with_what_runs_and_what_the_database_has(released: Released) -> None:
    done = released.record()
    assert done.code == 0, done.output
    assert f"web, worker, beat of {released.stage.key} run {released.digest}" in done.output
    found = released.current()
    assert found.images == {"my-django-app": released.digest}
    assert found.execution_id == "0f1e2d3c"
    assert found.applied_by == "release task"
    assert found.applied is not None
    assert "0001_initial" in found.applied["fieldnotes"]
    assert found.new_migrations == (), "the pipeline's release recorded them before"
    new = {migration.key for migration in released.first().new_migrations}
    assert len(new) == sum(len(names) for names in found.applied.values())
    assert "fieldnotes.0001_initial" in new
    assert found.nag.judged > 400
    assert found.nag.open == 0
    assert {"AwsSolutions-IAM5"} <= {row.rule for row in found.nag.waived}
    kept = released.judged()
    assert kept is not None
    assert kept.passed
    assert {stack.environment for stack in kept.stacks} == {"", released.stage.key}
    assert any(row.resource.startswith(f"{released.stage.stage_name}/Database/") for row in kept.rows)


def test_the_run_keeps_the_reports_and_the_bills_of_materials(deployed: Deployed) -> None:
    """What a security team reads is an artifact of the execution, also what was not asked in a rehearsal."""
    tooling = deployed.configuration.accounts.tooling
    access = PipelineAccess(
        deployed.emulator.client("codepipeline", tooling),
        find_pipeline(deployed.emulator.client("cloudformation", tooling)),
        deployed.configuration,
    )
    bucket = Names(deployed.configuration).records_bucket
    s3 = deployed.emulator.client("s3", tooling)
    key = current_record_key(deployed.stages[-1].stage_name)
    record = read_record(s3.get_object(Bucket=bucket, Key=key)["Body"].read(), key)
    with zipfile.ZipFile(io.BytesIO(artifact(access, s3, record.execution_id, "Synth_reports"))) as archive:
        names = set(archive.namelist())
        supply = json.loads(archive.read("supply-chain/supply-chain.json"))
        bill = json.loads(archive.read("supply-chain/my-django-app.cdx.json"))
    assert {f"compliance/compliance.{kind}" for kind in ("html", "json", "csv", "sarif", "md")} <= names
    assert {"supply-chain/platform.cdx.json", "supply-chain/release.cdx.json"} <= names
    assert bill["bomFormat"] == "CycloneDX"
    assert any(part["name"].lower() == "django" for part in bill["components"])
    assert supply["passed"]
    assert not supply["audit_required"]
    assert len(supply["unaudited"]) == 2


def test_the_record_step_reaches_its_own_environments_records_alone(released: Released) -> None:
    emulator, tooling = released.deployed.emulator, released.deployed.configuration.accounts.tooling
    given = released.step(released.names.record_step_role(released.stage.key))
    s3 = emulator.client("s3", tooling, credentials=given)
    attempts: tuple[Callable[[], object], ...] = (
        lambda: s3.put_object(Bucket=released.names.records_bucket, Key="MyDjangoAppProduction/x", Body=b""),
        lambda: s3.get_object(Bucket=released.names.records_bucket, Key="MyDjangoAppProduction/current.json"),
        lambda: s3.delete_object(
            Bucket=released.names.records_bucket, Key=current_record_key(released.stage.stage_name)
        ),
    )
    for refused in attempts:
        with pytest.raises(ClientError, match="AccessDenied"):
            refused()


def test_another_image_under_the_released_tag_is_refused_and_the_tag_stays(
    released: Released, tmp_path: Path
) -> None:
    """Of the registry as it was deployed; the tag is a content hash, so only a mistake or an attack pushes it again."""
    image = next(one for one in released.deployed.images if one.digest == released.digest)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")

    with pytest.raises(ClientError, match="ImageTagAlreadyExistsException"):
        released.push(image.tag, tmp_path)

    ecr = released.deployed.emulator.client("ecr", released.deployed.configuration.accounts.tooling)
    (known,) = ecr.describe_images(repositoryName=image.repository, imageIds=[{"imageTag": image.tag}])[
        "imageDetails"
    ]
    assert known["imageDigest"] == released.digest


def test_another_image_that_runs_stops_the_record_and_a_rollback_mends_it(released: Released) -> None:
    other = released.push("other")
    before = released.current()

    refused = released.run(rollback.command, "--to", other)
    assert refused.code == 1, "nobody knows its migrations"
    assert "never recorded here" in refused.output
    assert set(released.runs().values()) == {released.digest}

    gone = released.run(rollback.command, "--to", other, "--even-if-unsafe")
    assert gone.code == 0, gone.output
    assert f"--to {released.digest}" in gone.output
    until(lambda: set(released.runs().values()) == {other})

    drifted = released.record()
    assert drifted.code == 1
    assert f"web runs {other}" in drifted.output
    assert f"./lz rollback --environment {released.stage.key} --to {released.digest}" in drifted.output
    assert released.current() == before

    planned = released.run(rollback.command, "--dry-run")
    assert planned.code == 0
    assert released.digest[:19] in planned.output
    assert "no migration stands against it" in planned.output
    assert set(released.runs().values()) == {other}

    back = released.run(rollback.command)
    assert back.code == 0, back.output
    until(lambda: set(released.runs().values()) == {released.digest})
    assert released.record().code == 0
    assert not released.current().new_migrations


def test_a_failing_migration_is_undone_and_told_and_the_old_version_serves_on(
    released: Released, tmp_path: Path
) -> None:
    brittle = Path("tests", "brittle")
    shutil.copytree(SOURCE / brittle, tmp_path / brittle, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests" / "__init__.py").touch()
    variables = {
        "PYTHONPATH": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "tests.brittle.settings",
        "BRITTLE": "atomic",
    }
    overrides: TaskOverrideTypeDef = {
        "containerOverrides": [
            {"name": "django", "environment": [{"name": n, "value": v} for n, v in variables.items()]}
        ]
    }
    start = TaskRun.start
    output = tmp_path / "release"
    with pytest.MonkeyPatch.context() as patch:
        # The release task as it is, on the rehearsed database, with one more app.
        patch.setattr(TaskRun, "start", lambda run: start(run, overrides))
        failed = released.release(output)

    assert failed.code == 1
    for told in (
        "migration brittle.0002_fails failed",
        "it was undone: the database has nothing of it",
        "applied before that in this release, and still there: brittle.0001_fine",
        "the old version serves on",
        "what to do: correct the cause and push",
    ):
        assert told in failed.output
    outcome = read_outcome(output)
    assert outcome.failed is not None
    assert outcome.failed.atomic is True
    assert outcome.new == ("brittle.0001_fine",)
    assert running_checks.smoke_path_answers(released.deployed)[0] == []
    assert set(released.runs().values()) == {released.digest}

    unsafe = released.run(rollback.command, "--to", "sha256:" + "0" * 64)
    assert unsafe.code == 1
    assert "brittle.0001_fine: applied by a release that did not end well" in " ".join(unsafe.output.split())


def test_what_runs_is_heard(released: Released) -> None:
    shown = released.run(logs.command, "--process", "web", "--lines", "50")
    assert shown.code == 0, shown.output
    assert "web" in shown.output
    assert "gunicorn" in shown.output
    assert "celery" not in shown.output


def test_an_image_that_ends_at_once_is_taken_back_and_the_site_serves_on(
    released: Released, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    (source / "bin").mkdir(parents=True)
    (source / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    for name, text in {
        "build": '#!/bin/sh\nmkdir -p "$1/venv/bin" "$1/app"\ncp -R "$(dirname -- "$0")" "$1/app/bin"\n',
        "web": "#!/bin/sh\necho broken\nexit 1\n",
        "worker": "#!/bin/sh\nexec sleep 600\n",
        "beat": "#!/bin/sh\nexec sleep 600\n",
    }.items():
        (source / "bin" / name).write_text(text, encoding="utf-8")
        (source / "bin" / name).chmod(0o755)
    bad = released.push("bad", source)
    (serving,) = _web_tasks(released)

    failed = released.run(rollback.command, "--to", bad, "--even-if-unsafe")

    assert failed.code == 1
    assert f"not everything runs {bad}" in failed.output
    assert f"web runs {released.digest}" in failed.output
    for said in ("Essential container", "exit code 1", "  broken"):
        assert said in failed.output, "why its tasks stopped, read with the role for rollbacks"
    assert serving in _web_tasks(released), "the task that served has served on"
    shown = released.run(status.command)
    assert shown.code == 1, shown.output
    assert "the services do not run the same image" in shown.output
    assert "web: the last failure" in shown.output
    assert "  broken" in shown.output
    # The failed migration of the test before still stands against it.
    back = released.run(rollback.command, "--to", released.digest, "--even-if-unsafe")
    assert back.code == 0, back.output
    until(lambda: set(released.runs().values()) == {released.digest})


def _web_tasks(released: Released) -> list[str]:
    ecs, cluster = released.client("ecs"), parameter(released.deployed, released.stage, "ClusterName")
    service = parameter(released.deployed, released.stage, "WebServiceName")
    found: list[str] = ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"]
    return found

"""A release of the rehearsed organization: migrated, recorded, rolled back, and what each of these refuses."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click.testing
import pytest
from botocore.exceptions import ClientError

from compliance.results import ComplianceResult
from config import StageRef
from config.naming import Names, current_record_key
from operations.commands import record, release, rollback
from operations.errors import CommandError
from operations.releases.judged import baseline
from operations.releases.migrations import Migration, Migrations, Operation
from operations.releases.outcome import read_outcome
from operations.releases.record import ReleaseRecord, read_record
from operations.tasks import TaskRun
from rehearsal import running_checks
from rehearsal.checks import Deployed
from rehearsal.images import _push
from rehearsal.running_checks import parameter
from tests.rehearsal.workload import until

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskOverrideTypeDef

pytestmark = pytest.mark.rehearsal

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "workloads" / "django" / "app"
BUILD_SERVICE = "codebuild.amazonaws.com"


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    output: str


@dataclass
class Released:
    """One environment of the rehearsed organization, and its commands."""

    deployed: Deployed
    stage: StageRef
    folder: Path

    @property
    def names(self) -> Names:
        return Names(self.deployed.configuration)

    @property
    def digest(self) -> str:
        """Of the image that was deployed."""
        return next(
            image.digest for image in self.deployed.images if image.workload == self.stage.workload_name
        )

    @property
    def assembly(self) -> Path:
        stack = next(stack for stack in self.deployed.stacks if stack.stage == self.stage.stage_name)
        return stack.template_file.parent.parent

    def step(self, role_name: str) -> Mapping[str, str]:
        """Credentials of a pipeline step's role, as CodeBuild has them."""
        tooling = self.deployed.configuration.accounts.tooling
        return self.deployed.emulator.service_session(self.names.role_arn(tooling, role_name), BUILD_SERVICE)

    def run(self, command: Any, *arguments: str, credentials: Mapping[str, str] | None = None) -> Ran:
        """Run a command with a step's credentials, or as root of the environment's account."""
        emulator = self.deployed.emulator
        variables = dict(emulator.environment(self.stage.account_id))
        if credentials is not None:
            variables |= {
                "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
                "AWS_SESSION_TOKEN": credentials["SessionToken"],
            }
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                patch.delenv(name)
            for name, value in variables.items():
                patch.setenv(name, value)
            done = click.testing.CliRunner().invoke(
                command, ["--environment", self.stage.key, *arguments], standalone_mode=False
            )
        if done.exception is not None and not isinstance(done.exception, CommandError):
            raise done.exception
        code = done.exception.exit_code if isinstance(done.exception, CommandError) else done.return_value
        return Ran(code, f"{done.output}{done.exception or ''}")

    def record(self) -> Ran:
        folders = {name: str(self.folder / name) for name in ("images", "release")}
        return self.run(
            record.command,
            *("--assembly", str(self.assembly), "--images", folders["images"]),
            *("--release", folders["release"], "--execution", "0f1e2d3c", "--deadline", "0"),
            credentials=self.step(self.names.record_step_role(self.stage.key)),
        )

    def client(self, service: str) -> Any:
        return self.deployed.emulator.client(service, self.stage.account_id)

    def runs(self) -> dict[str, str]:
        """Image of each service's tasks that really run."""
        ecs, cluster = self.client("ecs"), parameter(self.deployed, self.stage, "ClusterName")
        found = {}
        for name in ("WebServiceName", "WorkerServiceName", "BeatServiceName"):
            service = parameter(self.deployed, self.stage, name)
            for arn in ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"]:
                (task,) = ecs.describe_tasks(cluster=cluster, tasks=[arn])["tasks"]
                found[name] = task["containers"][0]["image"].partition("@")[2]
        return found

    def current(self) -> ReleaseRecord:
        """The current record, as root of tooling."""
        s3 = self.deployed.emulator.client("s3", self.deployed.configuration.accounts.tooling)
        key = current_record_key(self.stage.stage_name)
        return read_record(s3.get_object(Bucket=self.names.records_bucket, Key=key)["Body"].read(), key)

    def judged(self) -> ComplianceResult | None:
        """What the gate found at the current release, as root of tooling."""
        s3 = self.deployed.emulator.client("s3", self.deployed.configuration.accounts.tooling)
        return baseline(s3, self.names.records_bucket, self.stage.stage_name).result

    def first(self) -> ReleaseRecord:
        """The record of the first release, which the pipeline made, as root of tooling."""
        s3 = self.deployed.emulator.client("s3", self.deployed.configuration.accounts.tooling)
        prefix = f"{self.stage.stage_name}/2"  # the century: keys begin with their time
        listed = s3.list_objects_v2(Bucket=self.names.records_bucket, Prefix=prefix)["Contents"]
        key = min(entry["Key"] for entry in listed)
        return read_record(s3.get_object(Bucket=self.names.records_bucket, Key=key)["Body"].read(), key)

    def push(self, tag: str, source: Path = SOURCE) -> str:
        """Push another image of the workload; of the same layers, unless its source differs."""
        ecr = self.deployed.emulator.client("ecr", self.deployed.configuration.accounts.tooling)
        return _push(ecr, self.names.repository(self.stage.workload_name), tag, source, "x86_64")


def _known_migrations(digest: str, *changes: Migration) -> Migrations:
    told = (
        Migration(app=app, name=name, operations=(Operation(kind="CreateModel", description="Create"),))
        for app, name in (("auth", "0001_initial"), ("fieldnotes", "0001_initial"))
    )
    return Migrations(workload="my-django-app", digest=digest, inspected=True, migrations=(*told, *changes))


def _hand_over(released: Released, migrations: Migrations) -> None:
    folder = released.folder / "images" / released.stage.workload_name
    folder.mkdir(parents=True, exist_ok=True)
    image = {"digest": migrations.digest, "revision": "c0ffee"}
    (folder / "image.json").write_text(json.dumps(image), encoding="utf-8")
    (folder / "migrations.json").write_text(migrations.model_dump_json(), encoding="utf-8")


@pytest.fixture(scope="module")
def released(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Released]:
    """Staging, released once more by its release step, and recorded."""
    stage = deployed.configuration.find_stage("staging")
    made = Released(deployed, stage, tmp_path_factory.mktemp("released"))
    _hand_over(made, _known_migrations(made.digest))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LZ_POLL_SECONDS", "0.3")
        patch.setattr("operations.commands.rollback.POLL_SECONDS", 0.3)
        done = made.run(
            release.command,
            *("--output", str(made.folder / "release")),
            credentials=made.step(made.names.release_step_role(stage.key)),
        )
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
    shutil.copytree(SOURCE / "tests" / "brittle", tmp_path / "tests" / "brittle")
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
    step = released.step(released.names.release_step_role(released.stage.key))
    output = tmp_path / "release"
    with pytest.MonkeyPatch.context() as patch:
        # The release task as it is, on the rehearsed database, with one more app.
        patch.setattr(TaskRun, "start", lambda run: start(run, overrides))
        failed = released.run(release.command, "--output", str(output), credentials=step)

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
    assert serving in _web_tasks(released), "the task that served has served on"
    # The failed migration of the test before still stands against it.
    back = released.run(rollback.command, "--to", released.digest, "--even-if-unsafe")
    assert back.code == 0, back.output
    until(lambda: set(released.runs().values()) == {released.digest})


def _web_tasks(released: Released) -> list[str]:
    ecs, cluster = released.client("ecs"), parameter(released.deployed, released.stage, "ClusterName")
    service = parameter(released.deployed, released.stage, "WebServiceName")
    found: list[str] = ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"]
    return found

"""One environment of the rehearsed organization, and its commands as the pipeline's steps and people run them."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click.testing
import pytest

from compliance.results import ComplianceResult
from config import StageRef
from config.naming import Names, current_record_key
from operations.commands import record, release
from operations.errors import CommandError
from operations.releases.judged import baseline
from operations.releases.migrations import Migration, Migrations, Operation
from operations.releases.record import ReleaseRecord, read_record
from rehearsal.checks import Deployed
from rehearsal.images import _push
from rehearsal.looking import parameter
from tests.rehearsal.workload import until

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "workloads" / "django" / "app"
BUILD_SERVICE = "codebuild.amazonaws.com"
QUICKLY = {"LZ_POLL_SECONDS": "0.3"}  # as a rehearsal sets it for the pipeline's steps
PATIENCE = {"Delay": 1, "MaxAttempts": 120}


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
        variables = {**emulator.environment(self.stage.account_id), **QUICKLY}
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

    def release(self, output: Path) -> Ran:
        """Run the release step on the image that the Release stack names."""
        credentials = self.step(self.names.release_step_role(self.stage.key))
        return self.run(release.command, "--output", str(output), credentials=credentials)

    def deploy(self, digest: str, output: Path) -> None:
        """Bring an image to the environment as the pipeline does: the release task first, then what serves."""
        self._update("Release", digest)
        done = self.release(output)
        assert done.code == 0, done.output
        for stack in ("Web", "Workers"):
            self._update(stack, digest)
        until(lambda: set(self.runs().values()) == {digest})

    def _update(self, stack: str, digest: str) -> None:
        name = f"{self.stage.stage_name}-{stack}"
        (found,) = (one for one in self.deployed.stacks if one.name == name)
        template = found.template_file.read_text(encoding="utf-8")
        assert self.digest in template
        api = self.client("cloudformation")
        api.update_stack(
            StackName=name,
            TemplateBody=template.replace(self.digest, digest),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            RoleARN=self.names.bootstrap_role_arn(self.stage.account_id, "cfn-exec-role"),
        )
        api.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig=PATIENCE)

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


def known_migrations(digest: str, *changes: Migration) -> Migrations:
    told = (
        Migration(app=app, name=name, operations=(Operation(kind="CreateModel", description="Create"),))
        for app, name in (("auth", "0001_initial"), ("fieldnotes", "0001_initial"))
    )
    return Migrations(workload="my-django-app", digest=digest, inspected=True, migrations=(*told, *changes))


def hand_over(released: Released, migrations: Migrations) -> None:
    folder = released.folder / "images" / released.stage.workload_name
    folder.mkdir(parents=True, exist_ok=True)
    image = {"digest": migrations.digest, "revision": "c0ffee"}
    (folder / "image.json").write_text(json.dumps(image), encoding="utf-8")
    (folder / "migrations.json").write_text(migrations.model_dump_json(), encoding="utf-8")

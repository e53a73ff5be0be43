"""The rehearsal that is kept for many tests: its commands, its sites, its processes, and what was deployed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from config import load
from config.assembly import read_assembly
from rehearsal.checks import Deployed
from rehearsal.door import Door, DoorState
from rehearsal.emulator import Emulator
from rehearsal.images import PushedImage
from rehearsal.stacks import StackWatch

ROOT = Path(__file__).parents[1]
START_SECONDS = 900  # the first one on a machine also builds the workload
RELEASED = Path("work", "released")  # the assembly that the pipeline made, in the rehearsal's folder
STAGING, PRODUCTION = "333333333333", "444444444444"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    output: str
    messages: str


class Kept:
    """A rehearsal that was started with --keep.

    Args:
        temporary: folder for all its files.
    """

    def __init__(self, temporary: Path) -> None:
        self._environment = {**os.environ, "TMPDIR": str(temporary), "COLUMNS": "120"}
        self._temporary = temporary
        self._report = temporary / "report.json"

    def lz(self, *arguments: str, text: str = "", seconds: float = 120) -> Done:
        """Run a command as its users do.

        Args:
            arguments: after `./lz`.
            text: its standard input.
            seconds: time that it may take.
        """
        done = subprocess.run(
            [sys.executable, "-m", "operations", *arguments],
            cwd=ROOT,
            env=self._environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self) -> None:
        """Bring everything up, and keep the report."""
        done = self.lz("rehearse", "--keep", "--json", seconds=START_SECONDS)
        self._report.write_text(done.output, encoding="utf-8")
        assert done.code == 0, f"{done.output[-4000:]}\n{done.messages[-4000:]}"

    def stop(self) -> None:
        """Take everything down."""
        self.lz("rehearse", "--down")

    @property
    def directory(self) -> Path:
        """Its folder."""
        return next(self._temporary.glob("lz-rehearsal-*"))

    @property
    def door(self) -> DoorState:
        """Its way in."""
        return Door(self.directory / "door").state()

    def deployed(self) -> Deployed:
        """What the checks of a rehearsal look at."""
        emulator, configuration = Emulator.attach(self.directory / "aws"), load()
        stacks = read_assembly(self.directory / RELEASED)
        images = json.loads(self._report.read_text(encoding="utf-8"))["images"]
        return Deployed(
            emulator=emulator,
            configuration=configuration,
            stages=configuration.stages(),
            stacks=stacks,
            states=StackWatch(emulator).states(stacks),
            images=[PushedImage(**image) for image in images],
        )

    def open(self, environment: str) -> Mapping[str, Any]:
        """What `./lz open --json` says."""
        found: Mapping[str, Any] = json.loads(self.lz("open", environment, "--json").output)
        return found

    def client(self, service: str, account: str = STAGING) -> Any:
        """A client of the local AWS, as an account's root."""
        state = json.loads((self.directory / "rehearsal.json").read_text(encoding="utf-8"))
        environment = state["environment"]
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=environment["AWS_REGION"],
            aws_access_key_id=account,
            aws_secret_access_key="rehearsal",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            verify=environment["AWS_CA_BUNDLE"],
        )

    def parameter(self, name: str, *, stage: str = "MyDjangoAppStaging", account: str = STAGING) -> str:
        """A parameter that the stacks published."""
        found = self.client("ssm", account).get_parameter(Name=f"/{stage}/{name}")
        return str(found["Parameter"]["Value"])

    def tasks(
        self, service: str, *, stage: str = "MyDjangoAppStaging", account: str = STAGING
    ) -> dict[str, str]:
        """The running tasks of a service: ARN -> address.

        Args:
            service: name of the parameter that has the service's name.
            stage: name of the CDK stage.
            account: its account.
        """
        ecs = self.client("ecs", account)
        cluster = self.parameter("ClusterName", stage=stage, account=account)
        name = self.parameter(service, stage=stage, account=account)
        arns = ecs.list_tasks(cluster=cluster, serviceName=name, desiredStatus="RUNNING")["taskArns"]
        if not arns:
            return {}
        found = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
        return {task["taskArn"]: _address(task) for task in found if task["lastStatus"] == "RUNNING"}

    def kill(self, address: str) -> int:
        """Kill every process of a task, as a lost machine would; give their number."""
        mark = f"BIND_HOST={address}".encode()
        killed = 0
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    os.kill(int(entry.name), signal.SIGKILL)
                    killed += 1
            except (FileNotFoundError, PermissionError, ProcessLookupError):
                continue  # it ended meanwhile, or is another user's
        return killed


def _address(task: Mapping[str, Any]) -> str:
    details = [detail for attachment in task.get("attachments", []) for detail in attachment["details"]]
    return next((d["value"] for d in details if d["name"] == "privateIPv4Address"), "")


def eventually(holds: Callable[[], Any], *, seconds: float, every: float = 0.5) -> Any:
    """Ask again until the answer is true; give the last answer."""
    deadline = time.monotonic() + seconds
    while True:
        answer = holds()
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(every)

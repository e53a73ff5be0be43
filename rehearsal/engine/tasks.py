"""The containers of ECS tasks: the workload's own processes, with the environment and the limits that ECS gives."""

import itertools
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.emulator.calls import client
from rehearsal.engine import ecs
from rehearsal.engine.agent import Agent, Grant
from rehearsal.engine.built import image_entry_point, image_environment
from rehearsal.engine.containers import Container
from rehearsal.engine.host import Host, cpus_for
from rehearsal.engine.images import ImageStore, Reference
from rehearsal.engine.network import Network, check_port
from rehearsal.engine.process import Program

TASK_LABEL = "com.amazonaws.ecs.task-arn"
_CONTAINER_LABEL = "com.amazonaws.ecs.container-name"
_STOP_SECONDS = 30.0  # ECS's default of stopTimeout
_MIB = 1 << 20
_LAST_BYTES = 4096
# The image's own variables: those of the official Python images, without the interpreter's folder.
_IMAGE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def last_words_file(directory: Path, task_id: str, container: str) -> Path:
    """Return where the end of a failed container's log is kept.

    Args:
        directory: the emulator's folder.
        task_id: id of its task.
        container: its name.
    """
    return directory / "last-words" / f"{task_id}.{container}"


@dataclass(frozen=True)
class Platform:
    """What all tasks share.

    Args:
        host: runs the processes.
        network: gives addresses.
        agent: gives credentials.
        images: gives images.
        directory: where the containers' folders are.
        endpoint: URL of the local AWS.
        ca_file: the authority that signed its certificate.
    """

    host: Host
    network: Network
    agent: Agent
    images: ImageStore
    directory: Path
    endpoint: str
    ca_file: Path


class TaskContainer(Container):
    """One container of a task.

    Args:
        platform: what all tasks share.
        task: the task and the container definition.
        image: its image.
        settings: of the Docker client's `create`.
    """

    def __init__(
        self, platform: Platform, task: ecs.TaskRecord, image: str, settings: Mapping[str, Any]
    ) -> None:
        super().__init__(
            platform.directory,
            name=settings["name"],
            labels=settings["labels"],
            address=platform.network.address(task.arn),
        )
        self._platform = platform
        self._task = task
        self._image = image
        self._settings = settings
        self._grant: Grant | None = None

    def start(self) -> None:
        """Pull the image with the execution role's rights, and start its command."""
        definition = self._task.container
        for mapping in definition.get("portMappings", []):
            check_port(self.address, mapping["containerPort"])
        credentials = ecs.execution_credentials(self._task)
        self._open_log(credentials)
        reference = Reference.parse(self._image)
        ecr = client("ecr", region=reference.region, credentials=credentials)
        root = self._platform.images.pull(ecr, reference)
        command = self._settings.get("command") or []
        self.process = self._platform.host.start(
            Program(
                arguments=[*(definition.get("entryPoint") or image_entry_point(root)), *command],
                environment=self._environment(root),
                directory=root / "app",
                log=self.log_file,
                memory_bytes=self._task.memory_mib * _MIB,
                cpus=cpus_for(self._task.cpu_units, next(_turns)),
            )
        )

    def _open_log(self, credentials: Mapping[str, str]) -> None:
        """Make the log stream with the execution role's rights, as the log driver does; without it no task starts.

        Raises:
            PermissionError: the role may not make it, or there is no such group.
        """
        configuration = self._task.container.get("logConfiguration") or {}
        options = configuration.get("options") or {}
        prefix = options.get("awslogs-stream-prefix")
        if configuration.get("logDriver") != "awslogs" or not prefix:
            return  # without a prefix the stream is named when the container has its id
        logs = client("logs", region=options.get("awslogs-region"), credentials=credentials)
        stream = f"{prefix}/{self._task.container['name']}/{self._task.id}"
        try:
            logs.create_log_stream(logGroupName=options["awslogs-group"], logStreamName=stream)
        except ClientError as error:
            # MiniStack tries again where a start failed: what is told must be why that was, as the log driver sees it.
            if error.response["Error"]["Code"] == "ResourceAlreadyExistsException":
                return
            raise PermissionError(
                f"failed to validate logger args: failed to create log stream: {error}"
            ) from error

    def stop(self, timeout: float | None = None) -> None:  # noqa: ARG002 (the task definition says how long)
        """Send SIGTERM, and after the definition's stopTimeout kill what is left."""
        if self.process is not None:
            self.process.stop(
                number=signal.SIGTERM, seconds=float(self._task.container.get("stopTimeout") or _STOP_SECONDS)
            )

    def remove(self, *, v: bool = False, force: bool = False) -> None:
        """End it, keep what it wrote at last, and take its credentials and its address back."""
        if self.status == "running":
            self.stop()
        self._keep_last_words()
        super().remove(v=v, force=force)
        if self._grant is not None:
            self._platform.agent.revoke(self._grant)
        self._platform.network.release(self._task.arn)

    def _keep_last_words(self) -> None:
        """Keep the end of the log of what failed: a stack that is rolled back takes its log group down with it."""
        if self.process is None or not self.process.code or not self.log_file.exists():
            return
        file = last_words_file(self._platform.directory.parent, self._task.id, self._task.container["name"])
        file.parent.mkdir(mode=0o700, exist_ok=True)
        with self.log_file.open("rb") as log:
            log.seek(max(0, self.log_file.stat().st_size - _LAST_BYTES))
            file.write_bytes(log.read())

    def _environment(self, root: Path) -> dict[str, str]:
        """Return all variables: of the image, of the ECS agent, of the task definition, and the local AWS's."""
        given: dict[str, str] = dict(self._settings["environment"])
        for name in _OVERWRITTEN:
            given.pop(name, None)
        metadata = str(self._settings["environment"]["ECS_CONTAINER_METADATA_URI_V4"]).rpartition("/")[2]
        agent = {
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            "AWS_REGION": self._task.region,
            "AWS_DEFAULT_REGION": self._task.region,
            "ECS_CONTAINER_METADATA_URI_V4": f"{self._platform.agent.endpoint}/v4/{metadata}",
        }
        if self._task.task_role:
            self._grant = self._platform.agent.grant(self._task.task_role, self._task.id)
            agent["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = self._grant.uri
            agent["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = self._grant.token
        local = {
            "AWS_ENDPOINT_URL": self._platform.endpoint,
            "AWS_CA_BUNDLE": str(self._platform.ca_file),
            # A container has a network of its own and listens on 0.0.0.0; here all share the host's.
            "BIND_HOST": self.address,
        }
        return {**self._image_environment(root), **agent, **given, **local}

    def _image_environment(self, root: Path) -> dict[str, str]:
        """Return the image's variables, as its Dockerfile sets them; its /tmp is a folder of the container's own."""
        temporary = self.directory / "tmp"
        temporary.mkdir()
        image = {"PATH": f"{root}/venv/bin:{_IMAGE_PATH}", "HOME": str(temporary), "TMPDIR": str(temporary)}
        # Part of how the interpreter is installed here, as the image's own libraries are of the image.
        libraries = os.environ.get("LD_LIBRARY_PATH")
        return {
            **image_environment(root),
            **image,
            "LANG": "C.UTF-8",
            **({"LD_LIBRARY_PATH": libraries} if libraries else {}),
        }


_turns = itertools.count()

# What MiniStack sets for containers of a Docker network, and is something else here.
_OVERWRITTEN = (
    "ECS_CONTAINER_METADATA_URI_V4",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_ENDPOINT_URL",
)


class Tasks:
    """Makes the containers of tasks.

    Args:
        platform: what all tasks share.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether it is a task's container."""
        return TASK_LABEL in labels

    def create(self, image: str, **settings: Any) -> TaskContainer:
        """Make one."""
        labels = settings["labels"]
        task = ecs.find_task(labels[TASK_LABEL], labels[_CONTAINER_LABEL])
        task.note_size()
        return TaskContainer(self._platform, task, image, settings)

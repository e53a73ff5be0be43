"""Builds a workload's image once, in the tooling account's registry, and tells which digest it has."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.models import Configuration
from config.naming import Names
from operations.errors import CommandError
from operations.source import content_hash, source_files

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

__all__ = [
    "BuiltImage",
    "Registry",
    "build_image",
    "content_hash",
    "image_tag",
    "source_files",
    "write_image",
]

PLATFORMS = {"arm64": "linux/arm64", "x86_64": "linux/amd64"}
TAG_DIGITS = 40
REVISION_LABEL = "org.opencontainers.image.revision"  # OCI image specification, annotations


@dataclass(frozen=True)
class BuiltImage:
    """What the image step hands to synthesis.

    Args:
        digest: `sha256:...` of the manifest in the registry.
        tag: `source-` and the hash of the source.
        repository: name of the repository in tooling.
        workload: the workload.
        revision: commit that this run looked at; the image itself may come from an earlier one.
    """

    digest: str
    tag: str
    repository: str
    workload: str
    revision: str | None


def image_tag(source: Path, architecture: str, target: str | None = None) -> str:
    """Return the tag of an image: two sources share it only if they give the same image."""
    return f"source-{content_hash(source, architecture, target)[:TAG_DIGITS]}"


class Registry:
    """A workload's repository in the tooling account.

    Args:
        ecr: client of the tooling account.
        configuration: the organization.
        workload_name: the workload.
    """

    def __init__(self, ecr: "ECRClient", configuration: Configuration, workload_name: str) -> None:
        names = Names(configuration)
        suffix = "amazonaws.com.cn" if names.partition == "aws-cn" else "amazonaws.com"
        region = configuration.organization.region
        self._ecr = ecr
        self.repository = names.repository(workload_name)
        self.host = f"{configuration.accounts.tooling}.dkr.ecr.{region}.{suffix}"

    def digest(self, tag: str) -> str | None:
        """Return the digest of a tag, or None if nothing has it.

        Raises:
            CommandError: the repository does not exist.
        """
        try:
            answer = self._ecr.describe_images(repositoryName=self.repository, imageIds=[{"imageTag": tag}])
        except self._ecr.exceptions.ImageNotFoundException:
            return None
        except self._ecr.exceptions.RepositoryNotFoundException as error:
            message = f"the image repository {self.repository} does not exist yet"
            fix = "deploy the tooling stacks: ./lz cdk -- deploy Registry Pipeline"
            raise CommandError(message, fix=fix) from error
        return answer["imageDetails"][0]["imageDigest"]

    def reference(self, digest: str) -> str:
        """Return what `docker run` takes for an image."""
        return f"{self.host}/{self.repository}@{digest}"

    @contextlib.contextmanager
    def logged_in(self) -> Iterator[None]:
        """Let docker pull from the registry and push to it while the body runs.

        Raises:
            CommandError: docker is missing, or refuses the login.
        """
        _docker(["login", "--username", "AWS", "--password-stdin", self.host], secret=self.password())
        try:
            yield
        finally:
            _docker(["logout", self.host], check=False)

    def password(self) -> str:
        """Return the password for `docker login`; it is good for twelve hours."""
        data = self._ecr.get_authorization_token()["authorizationData"][0]
        return base64.b64decode(data["authorizationToken"]).decode().partition(":")[2]


def build_image(
    configuration: Configuration,
    workload_name: str,
    source: Path,
    *,
    registry: Registry,
    secrets: "SecretsManagerClient",
    revision: str | None,
    say: Callable[[str], None],
) -> BuiltImage:
    """Return the workload's image; build and push it if its source was never built.

    Args:
        configuration: the organization.
        workload_name: the workload.
        source: folder with its Dockerfile.
        registry: its repository.
        secrets: client of the tooling account, for the Docker Hub login if one is configured.
        revision: commit of the source; becomes a label of a new image.
        say: told what is done.

    Raises:
        CommandError: docker is missing or failed, or the registry does not have what was pushed.
    """
    workload = configuration.workloads[workload_name]
    tag = image_tag(source, workload.architecture, workload.source.target)
    digest = registry.digest(tag)
    if digest is not None:
        say(f"{registry.repository}:{tag} is there: the source is unchanged, nothing to build")
    else:
        hub = _docker_hub(secrets, configuration.pipeline.docker_hub_secret)
        platform, target = PLATFORMS[workload.architecture], workload.source.target
        digest = _build_and_push(registry, tag, source, platform, target, revision, hub, say)
    return BuiltImage(digest, tag, registry.repository, workload_name, revision)


def write_image(image: BuiltImage, directory: Path) -> Path:
    """Write `image.json`, whole or not at all.

    Args:
        image: what to write.
        directory: folder for it; made if needed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "image.json"
    draft = directory / ".image.json.new"
    draft.write_text(json.dumps(asdict(image), indent=2) + "\n", encoding="utf-8")
    draft.replace(file)
    return file


def _build_and_push(
    registry: Registry,
    tag: str,
    source: Path,
    platform: str,
    target: str | None,
    revision: str | None,
    hub: tuple[str, str] | None,
    say: Callable[[str], None],
) -> str:
    image = f"{registry.host}/{registry.repository}:{tag}"
    stage = () if target is None else ("--target", target)
    label = () if revision is None else ("--label", f"{REVISION_LABEL}={revision}")
    with registry.logged_in(), _hub_login(hub):
        say(f"building {image} for {platform}")
        _docker(["build", "--platform", platform, *stage, *label, "--tag", image, str(source)])
        pushed = _docker(["push", image], check=False)
    digest = registry.digest(tag)
    if digest is None:
        message = f"docker push ended with {pushed}, and {image} is not in the registry; its output is above"
        raise CommandError(message, exit_code=1)
    # A refused push is fine where another run pushed the same source meanwhile: tags never move.
    say(f"{'pushed' if pushed == 0 else 'another run had pushed'} {image} as {digest}")
    return digest


@contextlib.contextmanager
def _hub_login(hub: tuple[str, str] | None) -> Iterator[None]:
    """Log in to Docker Hub while the body runs, if there is a login for it."""
    if hub is None:
        yield
        return
    _docker(["login", "--username", hub[0], "--password-stdin"], secret=hub[1])
    try:
        yield
    finally:
        _docker(["logout", "docker.io"], check=False)


def _docker(arguments: Sequence[str], *, secret: str | None = None, check: bool = True) -> int:
    """Run docker with its output shown.

    Args:
        arguments: what follows `docker`; never a secret.
        secret: what goes to its standard input.
        check: a failure is an error.
    """
    docker = shutil.which("docker")
    if docker is None:
        message = "docker was not found; it is needed to build an image, and to ask one for its migrations"
        raise CommandError(message, fix="install Docker, or run this step where it is (the pipeline does)")
    # Attestations would make the pushed digest that of an index, which the registry does not scan.
    environment = {**os.environ, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    done = subprocess.run(
        [docker, *arguments], input=None if secret is None else secret.encode(), check=False, env=environment
    )
    if check and done.returncode != 0:
        message = f"docker {arguments[0]} failed with exit code {done.returncode}; its output is above"
        raise CommandError(message, exit_code=1)
    return done.returncode


def _docker_hub(secrets: "SecretsManagerClient", name: str | None) -> tuple[str, str] | None:
    """Return user name and password for Docker Hub, if the configuration names a secret.

    Raises:
        CommandError: the secret is not of that form; the message does not show it.
    """
    if name is None:
        return None
    text = secrets.get_secret_value(SecretId=name).get("SecretString", "")
    try:
        value = json.loads(text)
        return str(value["username"]), str(value["password"])
    except (ValueError, KeyError, TypeError):
        message = f"the secret {name} is not the login that it should be"
        fix = 'store it as {"username": "...", "password": "..."}; a read-only access token will do'
        raise CommandError(message, fix=fix) from None

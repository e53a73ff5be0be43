"""The docker of a build's machine: the calls that `./lz image` makes, without a container engine.

    python -m rehearsal.pipeline.builds.docker [--unprivileged] login|build|push|run|logout ...

What the landing zone depends on is real: the login, the manifest, its digest, the push and the pull with the build's
own rights. The Dockerfile is not executed: the source becomes one layer, and the process engine builds it.
"""

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from operations.supply.probe import NO_SYSTEM
from rehearsal.engine.cache import BUILD_VARIABLE, CACHE_VARIABLE, BuildError, Cache
from rehearsal.oci import Image, digest, pack, push

_NO_DAEMON = (
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running? "
    "(the project's build environment is not privileged)"
)
_REGISTRY = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")
_DOCKER_HUB = "docker.io"
_PLATFORM = re.compile(r"linux/(amd64|arm64)")
_PRIVATE = 0o600


@click.group()
@click.option("--unprivileged", is_flag=True)
@click.pass_context
def docker(context: click.Context, *, unprivileged: bool) -> None:
    """Stand in for docker in a rehearsed build."""
    if unprivileged and context.invoked_subcommand not in ("login", "logout"):
        _fail(_NO_DAEMON)


@docker.command()
@click.option("--username", required=True)
@click.option("--password-stdin", is_flag=True, required=True)
@click.argument("host", default=_DOCKER_HUB)
def login(*, username: str, password_stdin: bool, host: str) -> None:  # noqa: ARG001 -- click wants it
    """Keep a login for a registry."""
    password = sys.stdin.read().rstrip("\n")
    if not password:
        _fail("Error: Cannot perform an interactive login from a non TTY device")
    found = _REGISTRY.fullmatch(host)
    if found:
        token = _ecr(found["region"]).get_authorization_token()["authorizationData"][0]["authorizationToken"]
        if base64.b64decode(token).decode() != f"{username}:{password}":
            _fail(f"Error response from daemon: login attempt to https://{host}/v2/ failed: 400 Bad Request")
    else:
        _say(f"{host} is not asked in a rehearsal: no base image is pulled")
    _write_logins({**_logins(), host: {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}})
    click.echo("Login Succeeded")


@docker.command()
@click.argument("host", default=_DOCKER_HUB)
def logout(*, host: str) -> None:
    """Forget a login."""
    _write_logins({name: value for name, value in _logins().items() if name != host})
    click.echo(f"Removing login credentials for {host}")


@docker.command()
@click.option("--platform", required=True)
@click.option("--target")
@click.option("--label", "labels", multiple=True)
@click.option("--tag", required=True)
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
def build(*, platform: str, target: str | None, labels: Sequence[str], tag: str, source: Path) -> None:
    """Pack a source, and build it as processes will run it."""
    wanted = _PLATFORM.fullmatch(platform)
    if wanted is None:
        _fail(f"ERROR: {platform} is not rehearsed; linux/amd64 and linux/arm64 are")
    _check_target(source / "Dockerfile", target)
    _say(
        "the Dockerfile is NOT executed: the source becomes one layer, and is built for processes of this machine by"
    )
    _say("its bin/build, or from its requirements and what the Dockerfile runs with manage.py")
    from rehearsal.engine.images import unpacked  # noqa: PLC0415 -- see _ecr

    pairs = dict(label.partition("=")[::2] for label in labels)
    image = pack(source, wanted[1], pairs, target)
    try:
        _cache().built([digest(image.layer)], lambda: [unpacked(image.layer)])
    except BuildError as error:
        _fail(f"ERROR: failed to build: {error}")
    folder = _kept(tag)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("layer", "config", "manifest"):
        (folder / name).write_bytes(getattr(image, name))
    _say(f"built {tag}: {digest(image.manifest)}")


@docker.command("push")
@click.argument("tag")
def push_image(*, tag: str) -> None:
    """Push an image with the build's own rights."""
    name, _, version = tag.rpartition(":")
    host, _, repository = name.partition("/")
    folder, found = _kept(tag), _REGISTRY.fullmatch(host)
    if not folder.is_dir():
        _fail(f"An image does not exist locally with the tag: {name}")
    if found is None:
        _fail(f"{host} is not rehearsed; the registries of the rehearsed accounts are")
    if host not in _logins():
        _fail("no basic auth credentials")
    from botocore.exceptions import ClientError  # noqa: PLC0415 -- see _ecr

    image = Image(*((folder / part).read_bytes() for part in ("layer", "config", "manifest")))
    try:
        given = push(_ecr(found["region"]), repository, version, image)
    except ClientError as error:
        _fail(f"denied: {error}")
    click.echo(f"{version}: digest: {given} size: {len(image.manifest)}")


@docker.command(context_settings={"ignore_unknown_options": True})
@click.option("--rm", is_flag=True)
@click.option("--interactive", "-i", is_flag=True)
@click.option("--network")
@click.option("--env", "-e", "variables", multiple=True)
@click.option("--entrypoint")
@click.argument("image")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def run(
    *,
    rm: bool,  # noqa: ARG001 -- nothing stays behind in any case
    interactive: bool,
    network: str | None,  # noqa: ARG001 -- processes share the machine's
    variables: Sequence[str],
    entrypoint: str | None,
    image: str,
    command: Sequence[str],
) -> None:
    """Run a command in an image, as a process, with the variables that a container would have."""
    from rehearsal.engine.built import image_environment  # noqa: PLC0415 -- see _ecr

    root = _pulled(image)
    given = dict(item.partition("=")[::2] for item in variables)
    words = [*([entrypoint] if entrypoint else []), *command]
    with tempfile.TemporaryDirectory(prefix="container-") as temporary:
        own = {
            "PATH": f"{root}/venv/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": temporary,
            "TMPDIR": temporary,
            NO_SYSTEM: "1",
        }
        kept = {name: os.environ[name] for name in ("LANG", "LD_LIBRARY_PATH") if name in os.environ}
        try:
            done = subprocess.run(
                words,
                cwd=root / "app",
                env={**image_environment(root), **own, **kept, **given},
                stdin=None if interactive else subprocess.DEVNULL,
                check=False,
            )
        except FileNotFoundError:
            click.echo(
                f'docker: Error response from daemon: exec: "{words[0]}": not found in $PATH', err=True
            )
            sys.exit(127)
    sys.exit(done.returncode if done.returncode >= 0 else 128 - done.returncode)


def _pulled(image: str) -> Path:
    """Return the root of an image, pulled with the build's own rights."""
    from rehearsal.engine.images import ImageError, ImageStore, Reference  # noqa: PLC0415 -- see _ecr

    store = ImageStore(
        _cache(), endpoint=os.environ["AWS_ENDPOINT_URL"], ca_file=Path(os.environ["AWS_CA_BUNDLE"])
    )
    try:
        reference = Reference.parse(image)
        if image.partition("/")[0] not in _logins():
            _fail("no basic auth credentials", code=125)
        return store.pull(_ecr(reference.region), reference)
    except ImageError as error:
        _fail(f"docker: Error response from daemon: {error}", code=125)
    finally:
        store.close()


def _check_target(dockerfile: Path, target: str | None) -> None:
    """Fail as docker does if the Dockerfile is missing, or has no stage of that name."""
    if not dockerfile.is_file():
        _fail(f"ERROR: failed to read dockerfile: open {dockerfile.name}: no such file or directory")
    stages = re.findall(
        r"^\s*FROM\s+.*\s+AS\s+(\S+)\s*$", dockerfile.read_text(encoding="utf-8"), re.I | re.M
    )
    if target is not None and target.lower() not in [stage.lower() for stage in stages]:
        _fail(f'ERROR: failed to build: target stage "{target}" could not be found')


def _cache() -> Cache:
    """Return the cache that the rehearsal's tasks take their images from."""
    return Cache(
        Path(os.environ[CACHE_VARIABLE]), environment=json.loads(os.environ[BUILD_VARIABLE]), run=_run_build
    )


def _run_build(arguments: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path) -> int:
    with log.open("ab") as output:
        done = subprocess.run(
            arguments,
            env=dict(environment),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    return done.returncode


def _ecr(region: str) -> Any:
    import botocore.session  # noqa: PLC0415 -- it takes half a second to load, and half of the calls need none
    from botocore.config import Config  # noqa: PLC0415

    session = botocore.session.get_session()
    return session.create_client(
        "ecr", region_name=region, config=Config(proxies={}, retries={"max_attempts": 0})
    )


def _kept(tag: str) -> Path:
    """Return where a built image is kept until it is pushed."""
    return _folder() / "rehearsed-images" / digest(tag.encode()).partition(":")[2]


def _folder() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")


def _logins() -> dict[str, Any]:
    file = _folder() / "config.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))["auths"]) if file.is_file() else {}


def _write_logins(logins: Mapping[str, Any]) -> None:
    file = _folder() / "config.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=_PRIVATE)
    file.write_text(json.dumps({"auths": dict(logins)}), encoding="utf-8")


def _say(text: str) -> None:
    click.echo(f"rehearsal: {text}", err=True)


def _fail(message: str, *, code: int = 1) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(code)


if __name__ == "__main__":
    docker(prog_name="docker")

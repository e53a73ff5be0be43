"""The docker of a build's machine, against the emulated registry and with a build's own rights."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rehearsal.builds import Build
from tests.rehearsal.conftest import REGION, TOOLING, Cloud
from tests.rehearsal.workload import write_source

pytestmark = pytest.mark.rehearsal

HOST = f"{TOOLING}.dkr.ecr.{REGION}.amazonaws.com"
REPOSITORY = "tests/docker"
TAG = f"{HOST}/{REPOSITORY}:source-1"
LOGIN = f"echo $PASSWORD | docker login --username AWS --password-stdin {HOST}"
BUILD = f"docker build --platform linux/arm64 --target prod --label revision=abc --tag {TAG} ."
READ = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:GetAuthorizationToken")
WRITE = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage")


@dataclass
class Registry:
    """A repository, and builds of what goes into it."""

    cloud: Cloud
    folder: Path
    cache: Path
    password: str

    def build(
        self, name: str, *commands: str, privileged: bool = True, allow: tuple[str, ...] = (*READ, *WRITE)
    ) -> Build:
        folder = self.folder / name
        folder.mkdir()
        given = self.cloud.session(self.cloud.role(account=TOOLING, allow=list(allow)))
        made = Build(
            folder,
            {"build": {"commands": list(commands)}},
            project={"environment": {"privilegedMode": privileged}},
            machine={"XDG_CACHE_HOME": str(self.cache)},
            environment={"PASSWORD": self.password},
            aws={
                "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
                "AWS_SESSION_TOKEN": given["SessionToken"],
                "AWS_REGION": REGION,
                "AWS_DEFAULT_REGION": REGION,
                "AWS_ENDPOINT_URL": self.cloud.emulator.endpoint,
                "AWS_CA_BUNDLE": str(self.cloud.emulator.ca_file),
            },
        )
        write_source(made.source, Dockerfile="FROM scratch AS prod\n")
        return made


@pytest.fixture(scope="module")
def registry(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    ecr = cloud.client("ecr", TOOLING)
    ecr.create_repository(repositoryName=REPOSITORY, imageTagMutability="IMMUTABLE")
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    password = base64.b64decode(token).decode().partition(":")[2]
    yield Registry(cloud, tmp_path_factory.mktemp("docker"), tmp_path_factory.mktemp("cache"), password)
    ecr.delete_repository(repositoryName=REPOSITORY, force=True)


def test_an_image_is_built_pushed_and_run(registry: Registry) -> None:
    build = registry.build("good", LOGIN, BUILD, f"docker push {TAG}", f"docker push {TAG}")
    result = build.run()
    told = "\n".join(build.told())
    assert "the Dockerfile is NOT executed" in told
    # Tags never move, and the second push of the same source is the one that fails.
    assert result.problem.endswith(f"docker push {TAG}. Reason: exit status 1")
    assert "ImageTagAlreadyExistsException" in told

    ecr = registry.cloud.client("ecr", TOOLING)
    (image,) = ecr.describe_images(repositoryName=REPOSITORY)["imageDetails"]
    assert image["imageTags"] == ["source-1"]
    assert f"source-1: digest: {image['imageDigest']}" in told
    manifest = json.loads(
        ecr.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "source-1"}])["images"][0][
            "imageManifest"
        ]
    )
    assert len(manifest["layers"]) == 1
    with pytest.raises(ecr.exceptions.ImageNotFoundException):
        ecr.describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": "source-2"}])

    reference = f"{HOST}/{REPOSITORY}@{image['imageDigest']}"
    container = f"docker run --rm --interactive --network host --env A='two words' {reference}"
    build = registry.build(
        "run",
        LOGIN,
        f"{container} sh -c 'echo $A; ls bin/end; env; python -c \"print(6 * 7)\"'",
        f"{container} bin/end 3; echo code $?",
        f"{container} nothing-of-that-name; echo code $?",
        f"docker logout {HOST}",
        f"{container} sh -c 'echo never'",
        allow=READ,
    )
    assert build.run().exit_code == 125
    told = "\n".join(build.told())
    assert "two words\nbin/end\n" in told
    assert "\n42\n" in told
    assert "AWS_" not in told
    assert "ending with 3\ncode 3\n" in told
    assert "code 127\n" in told
    assert build.told()[-1] == "no basic auth credentials"


@pytest.mark.parametrize("missing", ["ecr:PutImage", "ecr:UploadLayerPart"])
def test_a_push_without_a_permission_is_denied_and_names_it(registry: Registry, missing: str) -> None:
    allow = tuple(action for action in (*READ, *WRITE) if action != missing)
    build = registry.build(missing.rpartition(":")[2], LOGIN, BUILD, f"docker push {TAG}", allow=allow)
    assert not build.run().succeeded
    assert any(line.startswith("denied: ") and missing in line for line in build.told())


@pytest.mark.parametrize(
    ("name", "commands", "message"),
    [
        ("no-login", [BUILD, f"docker push {TAG}"], "no basic auth credentials"),
        ("wrong", [f"echo wrong | docker login --username AWS --password-stdin {HOST}"], "400 Bad Request"),
        ("nothing", [LOGIN, f"docker push {TAG}"], "An image does not exist locally with the tag"),
        ("target", [BUILD.replace("prod", "other")], 'target stage "other" could not be found'),
        ("broken", ["echo 'exit 3' > bin/build", BUILD], "the build ended with exit code 3"),
        ("unknown", ["docker compose up"], "No such command 'compose'"),
    ],
)
def test_docker_refuses_as_docker_does(
    registry: Registry, name: str, commands: list[str], message: str
) -> None:
    build = registry.build(name, *commands)
    assert not build.run().succeeded
    assert any(message in line for line in build.told())


def test_a_project_that_is_not_privileged_has_no_docker(registry: Registry) -> None:
    build = registry.build("unprivileged", BUILD, privileged=False)
    assert not build.run().succeeded
    assert "Cannot connect to the Docker daemon" in build.told()[0]

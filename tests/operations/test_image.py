import base64
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from config import Configuration
from operations.commands.image import _revision
from operations.errors import CommandError
from operations.image import BuiltImage, Registry, build_image, image_tag, write_image
from tests import documents
from tests.operations.support import FakeDocker, said, scripted

DIGEST = "sha256:" + "ab" * 32
HOST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
PASSWORD, HUB_PASSWORD = "registry-password", "hub-password"
TOKEN = {
    "authorizationToken": base64.b64encode(f"AWS:{PASSWORD}".encode()).decode(),
    "proxyEndpoint": f"https://{HOST}",
}
MISSING = ("describe_images", None, "ImageNotFoundException")
THERE = ("describe_images", None, {"imageDetails": [{"imageDigest": DIGEST}]})
LOGIN = ("get_authorization_token", None, {"authorizationData": [TOKEN]})

Docker = Callable[..., FakeDocker]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    def put_on_path(**exits: int) -> FakeDocker:
        folder = tmp_path / "bin"
        folder.mkdir()
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return FakeDocker(folder, exits)

    return put_on_path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch AS prod\n", encoding="utf-8")
    return folder


def with_hub_login() -> Configuration:
    return documents.configured(documents.changed({"pipeline.docker_hub_secret": "docker-hub"}))


def hub(text: str) -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
    return ("get_secret_value", {"SecretId": "docker-hub"}, {"SecretString": text})


def built(
    source: Path,
    ecr: Any,
    configuration: Configuration,
    lines: list[str] | None = None,
    *,
    secrets: Any = None,
) -> BuiltImage:
    return build_image(
        configuration,
        "my-django-app",
        source,
        registry=Registry(ecr, configuration, "my-django-app"),
        secrets=secrets,
        revision="c0ffee",
        say=(lines if lines is not None else []).append,
    )


def test_an_unchanged_source_is_not_built_again(
    source: Path, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # no docker is needed
    tag = image_tag(source, "arm64")
    asked = {"repositoryName": "acme/my-django-app", "imageIds": [{"imageTag": tag}]}
    ecr = scripted("ecr", ("describe_images", asked, THERE[2]))
    assert built(source, ecr, configuration) == BuiltImage(
        DIGEST, tag, "acme/my-django-app", "my-django-app", "c0ffee"
    )
    assert len(tag) == len("source-") + 40


def test_a_new_source_is_built_for_its_architecture_and_pushed(
    source: Path, configuration: Configuration, docker: Docker
) -> None:
    calls, ecr = docker(), scripted("ecr", MISSING, LOGIN, THERE)
    image = built(source, ecr, configuration)
    name = f"{HOST}/acme/my-django-app:{image.tag}"
    assert image.digest == DIGEST
    assert [call.arguments for call in calls.calls] == [
        ["login", "--username", "AWS", "--password-stdin", HOST],
        [
            "build",
            "--platform",
            "linux/arm64",
            "--label",
            "org.opencontainers.image.revision=c0ffee",
            "--tag",
            name,
            str(source),
        ],
        ["push", name],
        ["logout", HOST],
    ]


def test_the_configured_stage_of_the_dockerfile_is_built(source: Path, docker: Docker) -> None:
    staged = documents.configured(documents.changed({"workload.source.target": "prod"}))
    calls = docker()
    image = built(source, scripted("ecr", MISSING, LOGIN, THERE), staged)
    (build,) = (call.arguments for call in calls.calls if call.arguments[0] == "build")
    assert build[build.index("--target") + 1] == "prod"
    assert image.tag == image_tag(source, "arm64", "prod") != image_tag(source, "arm64")


def test_no_password_is_in_an_argument_or_in_what_is_told(source: Path, docker: Docker) -> None:
    lines: list[str] = []
    secrets = scripted(
        "secretsmanager", hub(json.dumps({"username": "acme-builder", "password": HUB_PASSWORD}))
    )
    calls, ecr = docker(), scripted("ecr", MISSING, LOGIN, THERE)
    built(source, ecr, with_hub_login(), lines, secrets=secrets)
    assert [call.input for call in calls.calls] == [PASSWORD, HUB_PASSWORD, "", "", "", ""]
    assert calls.calls[1].arguments == ["login", "--username", "acme-builder", "--password-stdin"]
    assert sorted(call.arguments for call in calls.calls[-2:]) == [["logout", HOST], ["logout", "docker.io"]]
    told = said(lines) + json.dumps([call.arguments for call in calls.calls])
    assert PASSWORD not in told
    assert HUB_PASSWORD not in told


def test_an_image_that_another_run_pushed_meanwhile_is_used(
    source: Path, configuration: Configuration, docker: Docker
) -> None:
    lines: list[str] = []
    docker(push=1)
    assert built(source, scripted("ecr", MISSING, LOGIN, THERE), configuration, lines).digest == DIGEST
    assert "another run had pushed" in said(lines)


def test_fails_when_the_push_failed(source: Path, configuration: Configuration, docker: Docker) -> None:
    calls = docker(push=1)
    with pytest.raises(CommandError, match="is not in the registry") as caught:
        built(source, scripted("ecr", MISSING, LOGIN, MISSING), configuration)
    assert caught.value.exit_code == 1
    assert calls.calls[-1].arguments[0] == "logout"


def test_fails_when_the_build_failed_and_logs_out(
    source: Path, configuration: Configuration, docker: Docker
) -> None:
    calls = docker(build=3)
    with pytest.raises(CommandError, match="docker build failed with exit code 3"):
        built(source, scripted("ecr", MISSING, LOGIN), configuration)
    assert [call.arguments[0] for call in calls.calls] == ["login", "build", "logout"]


def test_fails_without_docker_only_if_something_must_be_built(
    source: Path, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CommandError, match="docker was not found") as caught:
        built(source, scripted("ecr", MISSING, LOGIN), configuration)
    assert caught.value.fix is not None


def test_fails_with_the_command_to_run_while_the_registry_is_not_deployed(
    source: Path, configuration: Configuration
) -> None:
    ecr = scripted("ecr", ("describe_images", None, "RepositoryNotFoundException"))
    with pytest.raises(CommandError) as caught:
        built(source, ecr, configuration)
    assert caught.value.fix == "deploy the tooling stacks: ./lz cdk -- deploy Registry Pipeline"


@pytest.mark.parametrize("text", ["s3cr3t", '["s3cr3t"]', '{"user": "s3cr3t"}'])
def test_fails_on_a_hub_secret_of_another_form_without_showing_it(source: Path, text: str) -> None:
    secrets = scripted("secretsmanager", hub(text))
    with pytest.raises(CommandError) as caught:
        built(source, scripted("ecr", MISSING), with_hub_login(), secrets=secrets)
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_image_file_is_what_synthesis_reads(tmp_path: Path) -> None:
    image = BuiltImage(DIGEST, "source-0", "acme/my-django-app", "my-django-app", None)
    file = write_image(image, tmp_path / "new" / "folder")
    assert json.loads(file.read_text(encoding="utf-8")) == {
        "digest": DIGEST,
        "tag": "source-0",
        "repository": "acme/my-django-app",
        "workload": "my-django-app",
        "revision": None,
    }
    assert [found.name for found in file.parent.iterdir()] == ["image.json"]


def test_the_commit_of_this_project_is_no_revision_of_a_workload_from_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CODEBUILD_RESOLVED_SOURCE_VERSION", "c0ffee")
    configuration = documents.configured(documents.with_second_workload())
    assert _revision(configuration, "my-django-app") == "c0ffee"
    assert _revision(configuration, "shop") is None


def test_the_registry_of_china_has_its_own_host() -> None:
    configuration = documents.configured(documents.sample())
    organization = configuration.organization.model_copy(update={"region": "cn-north-1"})
    chinese = configuration.model_copy(update={"organization": organization})
    assert Registry(None, chinese, "my-django-app").host.endswith(".cn-north-1.amazonaws.com.cn")  # type: ignore[arg-type]

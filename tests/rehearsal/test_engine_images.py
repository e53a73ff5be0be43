"""Images: pulled by digest, checked, built once, and kept by content."""

import gzip
import hashlib
import io
import json
import multiprocessing
import os
import tarfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from rehearsal.engine.cache import BuildError, Cache, build_environment, cache_directory
from rehearsal.engine.images import ImageError, ImageStore, Reference, unpacked

IMAGE = Reference("111111111111", "eu-west-1", "acme/app", f"sha256:{'a' * 64}")


def layer(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(buffer.getvalue())


BUILD = """#!/bin/sh
set -eu
if [ "$1" = --dependencies ]; then mkdir -p "$2/venv"; echo dependencies >>"$LOG"; exit; fi
mkdir "$1/app"; cp "$(dirname "$0")/../page" "$1/app/page"; echo app >>"$LOG"
"""


class Builder:
    """A cache whose builds are counted."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "builds"
        self.log.touch()
        self.cache = Cache(
            folder / "cache", environment={"PATH": os.environ["PATH"], "LOG": str(self.log)}, run=run
        )

    def build(self, page: str, *, requirements: str = "django", script: str = BUILD) -> Path:
        files = {"app/bin/build": script, "app/page": page, "app/requirements.txt": requirements}
        return self.cache.built([page, requirements], lambda: [unpacked(layer(files))])

    @property
    def builds(self) -> list[str]:
        return self.log.read_text().split()


def run(arguments: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path) -> int:
    import subprocess  # noqa: PLC0415 (this function runs in other processes too)

    with log.open("wb") as output:
        return subprocess.run(
            arguments, env=environment, cwd=directory, stdout=output, stderr=output, check=False
        ).returncode


def test_an_image_is_built_once(tmp_path: Path) -> None:
    builder = Builder(tmp_path)

    first = builder.build("one")
    second = builder.build("one")

    assert first == second
    assert (first / "app" / "page").read_text() == "one"
    assert builder.builds == ["dependencies", "app"]


def test_a_change_of_the_source_does_not_install_again(tmp_path: Path) -> None:
    builder = Builder(tmp_path)

    first, second = builder.build("one"), builder.build("two")

    assert first != second
    assert (first / "venv").resolve() == (second / "venv").resolve()
    assert builder.builds == ["dependencies", "app", "app"]


def test_a_change_of_the_lock_installs_again(tmp_path: Path) -> None:
    builder = Builder(tmp_path)

    builder.build("one")
    builder.build("one", requirements="celery")

    assert builder.builds == ["dependencies", "app", "dependencies", "app"]


def test_what_was_built_cannot_be_written_to(tmp_path: Path) -> None:
    built = Builder(tmp_path).build("one")

    modes = [path.stat().st_mode & 0o222 for path in (built, built / "app", built / "app" / "page")]
    assert modes == [0, 0, 0]


def test_a_build_that_fails_is_told_with_its_output_and_is_tried_again(tmp_path: Path) -> None:
    builder = Builder(tmp_path)
    with pytest.raises(BuildError, match=r"exit code 3:\nno such package"):
        builder.build("one", script="#!/bin/sh\necho no such package\nexit 3\n")

    # The same layers: whatever it was, a second try finds nothing half done.
    assert (builder.build("one") / "app" / "page").read_text() == "one"


def test_a_source_that_nothing_says_how_to_build_is_told(tmp_path: Path) -> None:
    cache = Builder(tmp_path).cache

    with pytest.raises(BuildError, match="Dockerfile"):
        cache.built(["x"], lambda: [unpacked(layer({"app/manage.py": ""}))])


def test_two_that_want_the_same_image_build_it_once(tmp_path: Path) -> None:
    slow = BUILD.replace("set -eu", "set -eu; sleep 0.5")
    builder = Builder(tmp_path)
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=build_in_process, args=(str(tmp_path), slow)) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join()

    assert [other.exitcode for other in others] == [0, 0]
    assert builder.builds == ["dependencies", "app"]


def build_in_process(folder: str, script: str) -> None:
    Builder(Path(folder)).build("one", script=script)


def test_what_nobody_used_for_two_weeks_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = Builder(tmp_path)
    old = builder.build("one")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 15 * 86_400)

    builder.build("two")

    assert not old.exists()


def test_a_build_sees_where_packages_come_from_and_no_credentials() -> None:
    given = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "PIP_INDEX_URL": "https://mirror.example",
        "https_proxy": "http://proxy.example",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "GITHUB_TOKEN": "secret",
        "PYTHONPATH": "/mine",
        "VIRTUAL_ENV": "/mine",
        "DJANGO_SECRET_KEY": "secret",
    }

    assert build_environment(given).keys() == {"PATH", "HOME", "PIP_INDEX_URL", "https_proxy"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"HOME": "/home/me"}, "/home/me/.cache/django-landing-zone"),
        ({"HOME": "/home/me", "XDG_CACHE_HOME": "/cache"}, "/cache/django-landing-zone"),
        ({"HOME": "/home/me", "XDG_CACHE_HOME": "relative"}, "/home/me/.cache/django-landing-zone"),
    ],
)
def test_the_cache_is_where_the_user_has_it(given: dict[str, str], expected: str) -> None:
    assert str(cache_directory(given)) == expected


def test_a_reference_has_a_digest() -> None:
    text = f"111111111111.dkr.ecr.eu-west-1.amazonaws.com/acme/app@sha256:{'a' * 64}"
    assert Reference.parse(text) == IMAGE
    for wrong in ("nginx", text.partition("@")[0], text[:-1], text.replace("111111111111", "registry")):
        with pytest.raises(ImageError, match="no digest in a private registry"):
            Reference.parse(wrong)


class Registry:
    """The ECR calls of a pull."""

    def __init__(self, manifest: str) -> None:
        self.manifest = manifest

    def get_authorization_token(self) -> None:
        pass

    def batch_get_image(self, **_: Any) -> Any:
        return {"images": [{"imageManifest": self.manifest}]}

    def get_download_url_for_layer(self, **_: Any) -> Any:
        return {"downloadUrl": "https://registry.example/v2/acme/app/blobs/x"}


def store(tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> ImageStore:
    (tmp_path / "ca.pem").write_text("")
    images = ImageStore(Builder(tmp_path).cache, endpoint="https://127.0.0.1:1", ca_file=tmp_path / "ca.pem")
    monkeypatch.setattr("urllib.request.OpenerDirector.open", lambda *_, **__: io.BytesIO(content))
    monkeypatch.setattr("ssl.create_default_context", lambda **_: None)
    return images


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_a_manifest_that_is_not_what_its_digest_says_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = json.dumps({"layers": []})

    with pytest.raises(ImageError, match=r"the registry gave sha256:.* for sha256:aaaa"):
        store(tmp_path, b"", monkeypatch).pull(Registry(manifest), IMAGE)


def pulled(
    tmp_path: Path, sent: bytes, promised: bytes, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Path]:
    manifest = json.dumps({"layers": [{"digest": digest(promised)}]})
    image = Reference("1", "r", "acme/app", digest(manifest.encode()))
    return lambda: store(tmp_path, sent, monkeypatch).pull(Registry(manifest), image)


def test_a_layer_that_is_not_what_its_digest_says_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = layer({"app/bin/build": BUILD, "app/page": "good"})
    bad = layer({"app/bin/build": BUILD, "app/page": "evil"})

    with pytest.raises(ImageError, match="the registry gave"):
        pulled(tmp_path, bad, good, monkeypatch)()
    assert (pulled(tmp_path, good, good, monkeypatch)() / "app" / "page").read_text() == "good"


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "app/../../outside"])
def test_a_layer_cannot_write_outside_of_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageError, match="no plain file"):
        unpacked(layer({name: "x"}))(tmp_path / "inside")
    assert not (tmp_path / "outside").exists()

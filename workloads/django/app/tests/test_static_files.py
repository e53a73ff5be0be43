"""Hashed files: the same build for every stage, published once, never deleted."""

import re
from pathlib import Path

import boto3
import pytest
from django.templatetags.static import static

from runtime.static_upload import StaticFilesError, hashed_files
from tests.conftest import ROOT, script
from tests.settings import STAGE, WORK

COLLECT = """
import sys
from pathlib import Path
import django
from django.conf import settings
from django.core.management import call_command
settings.STATIC_ROOT = Path(sys.argv[1])
django.setup()
call_command("collectstatic", verbosity=0)
"""


def objects(bucket: str = "static-bucket") -> dict[str, str]:
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {entry["Key"]: entry["LastModified"] for page in pages for entry in page.get("Contents", ())}


def test_pages_point_to_the_cdn_and_to_the_file_in_the_image(built: Path) -> None:
    address = static("fieldnotes/style.css")
    assert re.fullmatch(r"https://static\.notes\.example\.com/fieldnotes/style\.[0-9a-f]{12}\.css", address)
    assert (built / "staticfiles" / address.removeprefix(STAGE["STATIC_URL"])).is_file()


def test_the_build_does_not_depend_on_the_address_of_the_cdn(built: Path) -> None:
    other = WORK / "other-static"
    collected = script("python", "-c", COLLECT, str(other), STATIC_URL="https://cdn.elsewhere.example/x/")
    assert collected.returncode == 0, collected.stderr
    here = {path.relative_to(built / "staticfiles"): path for path in (built / "staticfiles").rglob("*.*")}
    there = {path.relative_to(other): path for path in other.rglob("*.*")}
    assert here.keys() == there.keys()
    assert [name for name, path in here.items() if path.read_bytes() != there[name].read_bytes()] == []


def test_own_styles_and_scripts_name_no_address() -> None:
    for path in (ROOT / "fieldnotes" / "static").rglob("*.*"):
        assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", path.read_text()), path


@pytest.mark.usefixtures("aws", "built")
def test_publishes_what_is_new_once_and_deletes_nothing(built: Path) -> None:
    s3 = boto3.client("s3")
    old = "fieldnotes/style.0123456789ab.css"
    s3.put_object(Bucket="static-bucket", Key=old, Body=b"of the version that still serves")
    first = script(str(built / "bin/release"), "static")
    assert first.returncode == 0, first.stdout + first.stderr
    published = objects()
    names = hashed_files(built / "staticfiles")
    assert set(published) == {old, *names}
    assert f'"uploaded": {len(names)}, "unchanged": 0' in first.stdout
    key = static("fieldnotes/style.css").removeprefix(STAGE["STATIC_URL"])
    found = s3.get_object(Bucket="static-bucket", Key=key)
    assert found["CacheControl"] == "public, max-age=31536000, immutable"
    assert found["ContentType"] == "text/css"
    assert found["Body"].read() == (built / "staticfiles" / key).read_bytes()

    second = script(str(built / "bin/release"), "static")
    assert f'"uploaded": 0, "unchanged": {len(names)}' in second.stdout
    assert objects() == published, "nothing was written again"

    s3.delete_object(Bucket="static-bucket", Key=names[0])
    third = script(str(built / "bin/release"), "static")
    assert '"uploaded": 1' in third.stdout


def test_refuses_an_image_without_its_files(built: Path, tmp_path: Path) -> None:
    with pytest.raises(StaticFilesError, match="was not built with bin/build"):
        hashed_files(tmp_path)
    (tmp_path / "staticfiles.json").write_text('{"paths": {"a.css": "a.1.css"}}')
    with pytest.raises(StaticFilesError, match=r"names a\.1\.css, which is not in"):
        hashed_files(tmp_path)


@pytest.mark.usefixtures("aws")
def test_refuses_to_run_without_a_bucket_or_with_a_wrong_one(built: Path) -> None:
    missing = script(str(built / "bin/release"), "static", STATIC_BUCKET="")
    assert missing.returncode == 1
    assert "set STATIC_BUCKET" in missing.stdout
    wrong = script(str(built / "bin/release"), "static", STATIC_BUCKET="nobodys-bucket")
    assert wrong.returncode == 1
    assert "NoSuchBucket" in wrong.stdout

"""The board and its form, with photos in a private bucket."""

import io
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import boto3
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from PIL import Image

from fieldnotes.models import Note

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("aws", "built")]

HOST = {"host": "notes.example.com", "x-forwarded-proto": "https"}
NOTE = {"title": "Otter", "place": "River Esk", "text": "Five toes.", "author": "Ada", "photo_alt": "Tracks"}


@pytest.fixture
def browser() -> Client:
    return Client(headers=HOST)


def photo(
    size: tuple[int, int] = (2400, 1200), *, kind: str = "JPEG", exif: bool = True
) -> SimpleUploadedFile:
    data = Image.Exif()
    if exif:
        data[0x010F] = "A camera maker"
        data.get_ifd(0x8825)[1] = "N"  # GPS
    buffer = io.BytesIO()
    Image.new("RGB", size, "#336655").save(buffer, kind, exif=data)
    return SimpleUploadedFile("../../etc/passwd.jpg", buffer.getvalue(), "image/jpeg")


def test_a_note_waits_for_review_and_its_writer_sees_it(browser: Client) -> None:
    written = browser.post("/notes/new/", NOTE, follow=True)
    assert written.status_code == 200
    assert b"Only you see this until it was reviewed" in written.content
    assert b"Otter" not in Client(headers=HOST).get("/").content


def test_a_photo_is_made_anew_and_only_its_signed_address_opens_it(browser: Client) -> None:
    assert browser.post("/notes/new/", {**NOTE, "photo": photo()}).status_code == 302
    note = Note.objects.get()
    assert note.photo.name.startswith("photos/")
    assert "passwd" not in note.photo.name
    address = note.photo.url
    assert "X-Amz-Expires=900" in address
    with urllib.request.urlopen(address) as answer, Image.open(answer) as stored:  # noqa: S310
        assert stored.size == (1600, 800)
        assert stored.format == "JPEG"
        assert not stored.getexif(), "no camera, no location"
        assert answer.headers["Cache-Control"] == "private, max-age=900"
    acl = boto3.client("s3").get_object_acl(Bucket="media-bucket", Key=note.photo.name)
    assert [grant["Grantee"]["Type"] for grant in acl["Grants"]] == ["CanonicalUser"]
    page = browser.get("/")
    assert address.split("?")[0].encode() in page.content
    images = next(rule for rule in page["Content-Security-Policy"].split("; ") if rule.startswith("img-src"))
    assert f"{urlsplit(address).scheme}://{urlsplit(address).netloc}" in images


@pytest.mark.parametrize(
    ("upload", "message"),
    [
        (SimpleUploadedFile("x.jpg", b"GIF89a<script>", "image/jpeg"), "Upload a valid image"),
        (photo((9000, 5000), exif=False), "more than 40 megapixels"),
        (photo((20, 20), kind="TIFF", exif=False), "cannot be read as a JPEG, PNG or WebP photo"),
        (
            SimpleUploadedFile("x.jpg", photo().read() + b"0" * 9_000_000, "image/jpeg"),
            "at most 8 MB are possible",
        ),
    ],
)
def test_a_file_that_is_no_reasonable_photo_is_refused(
    browser: Client, upload: SimpleUploadedFile, message: str
) -> None:
    refused = browser.post("/notes/new/", {**NOTE, "photo": upload})
    assert refused.status_code == 422
    assert message in refused.content.decode()
    assert not Note.objects.exists()


def test_a_photo_needs_a_description_and_the_form_keeps_what_was_written(browser: Client) -> None:
    refused = browser.post("/notes/new/", {**NOTE, "photo": photo((10, 10)), "photo_alt": ""})
    assert b"Describe the photo in a few words." in refused.content
    assert b'value="River Esk"' in refused.content


def test_what_visitors_write_is_text_and_not_markup(browser: Client) -> None:
    browser.post("/notes/new/", {**NOTE, "text": "<script>alert(1)</script>"})
    assert b"<script>alert" not in browser.get("/").content


def test_a_form_from_elsewhere_is_refused() -> None:
    foreign = Client(headers=HOST, enforce_csrf_checks=True)
    assert foreign.post("/notes/new/", NOTE).status_code == 403


def test_an_editor_publishes_in_the_admin(browser: Client) -> None:
    note = Note.objects.create(**NOTE)
    browser.force_login(User.objects.create_superuser("editor", password="x"))
    action = {"action": "publish", "_selected_action": [note.pk]}
    assert browser.post("/admin/fieldnotes/note/", action, follow=True).status_code == 200
    assert b"Otter" in Client(headers=HOST).get("/").content


def test_the_sample_notes_are_hung_up_once(browser: Client) -> None:
    for _ in range(2):
        call_command("sample_notes", stdout=io.StringIO())
    page = browser.get("/").content.decode()
    assert page.count('class="photo"') == 6
    assert Note.objects.count() == 6


def test_cookies_and_headers_are_strict(browser: Client) -> None:
    page = browser.get("/notes/new/")
    assert page.cookies["csrftoken"]["secure"]
    assert page.cookies["csrftoken"]["httponly"]
    assert page["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["X-Frame-Options"] == "DENY"
    assert page["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "default-src 'self' https://static.notes.example.com;" in page["Content-Security-Policy"]
    assert "unsafe" not in page["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/notes/new/", "/journals/", "/nowhere/"])
def test_pages_hold_nothing_that_their_policy_forbids(browser: Client, path: str) -> None:
    page = browser.get(path).content.decode()
    assert "style=" not in page
    assert "<style" not in page
    assert "<script>" not in page
    assert " onclick" not in page

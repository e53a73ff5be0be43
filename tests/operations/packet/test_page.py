"""The page and the text of the packet."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from operations.packet.model import Packet
from operations.packet.page import page
from operations.packet.text import text
from operations.releases.judged import Baseline
from tests.operations.packet.releases import (
    BREAKS,
    OTHER_DIGEST,
    deployed,
    judged,
    migration,
    migrations,
    packet,
)
from tests.operations.packet.templates import resource, template

PLAIN = template(Bucket=resource("S3::Bucket", {"BucketName": "photos"}))
VOID = {"meta", "br", "link"}


@pytest.fixture(scope="module")
def full() -> Packet:
    before = template(
        Bucket=resource("S3::Bucket", {"BucketName": "photos"}),
        Web=resource("ECS::TaskDefinition", {"ContainerDefinitions": [{"Name": "django", "Memory": 512}]}),
        Group=resource("EC2::SecurityGroup", {"GroupDescription": "web"}),
    )
    after = template(
        Bucket=resource("S3::Bucket", {"BucketName": "<script>alert(1)</script>"}),
        Web=resource("ECS::TaskDefinition", {"ContainerDefinitions": [{"Name": "django", "Memory": 1024}]}),
        Group=resource(
            "EC2::SecurityGroup",
            {
                "GroupDescription": "web",
                "SecurityGroupIngress": [
                    {"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
                ],
            },
        ),
        Role=resource(
            "IAM::Role", {"AssumeRolePolicyDocument": {"Statement": []}, "ManagedPolicyArns": ["arn:x"]}
        ),
    )
    (waiver,) = judged("AwsSolutions-S1").waivers
    waivers = (waiver.model_copy(update={"reason": "<img src=x onerror=alert(1)>"}),)
    return packet(
        before,
        after,
        more=(deployed(PLAIN, "Former"),),
        digest=OTHER_DIGEST,
        migrations=migrations(migration("0002", BREAKS)),
        judged=judged("AwsSolutions-S1", waivers=waivers),
        baseline=Baseline(judged("AwsSolutions-S10")),
    )


class _Reader(HTMLParser):
    def __init__(self, content: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_the_page_is_whole_and_fetches_and_runs_nothing(full: Packet) -> None:
    reader = _Reader(page(full))
    assert not reader.open
    names = {name for name, _ in reader.tags}
    assert not names & {"script", "img", "iframe", "object", "form"}
    assert all(
        not (attributes.keys() & {"src", "srcset", "style", "onclick"}) for _, attributes in reader.tags
    )
    links = [attributes["href"] for name, attributes in reader.tags if name == "a"]
    ids = {f"#{attributes['id']}" for _, attributes in reader.tags if "id" in attributes}
    assert links
    assert set(links) <= ids
    policies = [attributes.get("content") for name, attributes in reader.tags if attributes.get("http-equiv")]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert "url(" not in page(full)


def test_what_others_wrote_is_shown_as_text(full: Packet) -> None:
    reader = _Reader(page(full))
    assert "<script>alert(1)</script>" in reader.text
    assert "<img src=x onerror=alert(1)>" in reader.text


def test_the_page_says_everything(full: Packet) -> None:
    shown = _Reader(page(full)).text
    for words in (
        "The release stops here",
        "MyDjangoAppProduction-Former: remove",
        "BucketName: photos to",
        "ContainerDefinitions[django].Memory: 512 to 1024",
        "Everyone (IPv4)",
        "managed policy",
        "the version before still reads notes_note.town",
        "-- SQL of 0002",
        "sha256:5e5e5e5e5e5e to sha256:7a7a7a7a7a7a",
        "To decide: open, newly accepted, or accepted for another reason",
        "Settled: open or accepted at the last release, and no more",
        "Otherwise than at the last release: judgements: 1 new, 1 gone; waivers: 1 new, 1 gone.",
        "left behind",
    ):
        assert words in shown, words


def test_headings_and_tables_are_marked_for_those_who_hear_them(full: Packet) -> None:
    reader = _Reader(page(full))
    levels = [int(name[1]) for name, _ in reader.tags if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    tables = sum(name == "table" for name, _ in reader.tags)
    assert tables == sum(name == "caption" for name, _ in reader.tags) > 2
    assert all("scope" in attributes for name, attributes in reader.tags if name == "th")
    assert dict(reader.tags)["html"] == {"lang": "en"}


def test_an_empty_change_is_a_short_page_that_says_so() -> None:
    shown = _Reader(page(packet(PLAIN, PLAIN))).text
    assert "Nothing changes." in shown
    assert "No migration is pending." in shown
    assert "The gate says what it said of the last release." in shown
    assert "1 unchanged." in shown


def test_a_first_release_says_so() -> None:
    shown = _Reader(page(packet(None, PLAIN).model_copy(update={"previous": None}))).text
    assert "no record yet" in shown
    assert "1 resource, all new" in shown


def test_a_checkout_that_is_not_committed_is_called_that_and_no_commit_is_named() -> None:
    found = packet(PLAIN, PLAIN, uncommitted=True)
    words = "not committed: this checkout holds changes that no commit has"
    assert words in _Reader(page(found)).text
    assert f"- infrastructure: {words}" in text(found)


def test_the_text_says_the_same(full: Packet) -> None:
    written = text(full)
    for words in (
        "# Release to my-django-app/production",
        "**STOPS THE RELEASE, data at risk**: `MyDjangoAppProduction-Media/Bucket: replace`",
        "ContainerDefinitions[django].Memory: `512` -> `1024`",
        "(opens)",
        "(broadens)",
        "- `notes.0002`: contract",
        "  -- SQL of 0002",
        "- waived: AwsSolutions-S1 on",
        "- - AwsSolutions-S10 at MyDjangoAppProduction/Media/Bucket/Resource",
        "### MyDjangoAppProduction-Former (left behind)",
    ):
        assert words in written, words
    assert "Empty change" in text(packet(PLAIN, PLAIN))


def test_long_values_that_begin_alike_are_shown_where_they_differ() -> None:
    names = ",".join(f"VARIABLE_{number}" for number in range(40))
    before, after = (
        template(Names=resource("SSM::Parameter", {"Type": "String", "Value": given}))
        for given in (names, f"{names},FEATURE_TOWNS")
    )
    (line,) = [line for line in text(packet(before, after)).splitlines() if "VARIABLE_" in line]
    old, new = line.split(" -> ")
    assert old.endswith("VARIABLE_39`")
    assert new.endswith("VARIABLE_39,FEATURE_TOWNS`")
    assert len(line) < 200

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import jsii
import pytest

from config.node import bundled_node

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from config.node import use_bundled_node
use_bundled_node()
import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2, aws_s3 as s3
app = cdk.App(outdir=sys.argv[1], builtin_cloud_formation_validation=False)
class Zones(cdk.Stack):
    @property
    def availability_zones(self):  # the library calls back into Python for it
        return ["eu-central-1a", "eu-central-1b"]
stack = Zones(app, "Stack", env=cdk.Environment(region="eu-central-1"))
for wrong in (lambda: cdk.Stack(app, "Stack"), lambda: stack.format_arn(service=1, resource="x")):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__, error, type(error.__cause__).__name__)
stack.node.set_context("kept", {"text": "\u00e4", "list": [1, 2.5, True, None]})
print(stack.node.try_get_context("kept"), stack.node.try_find_child("no"))
for minutes in (3, 3, 4, 0.5):
    print(cdk.Duration.minutes(minutes).to_seconds())
for port in (ec2.Port.tcp(80), ec2.Port.tcp_range(80, 81), ec2.Port.tcp(80), ec2.Port.udp(80)):
    print(port.to_string())
days = s3.LifecycleRule(expiration=cdk.Duration.days(3), tag_filters={"kept": "no"}, prefix=None)
s3.Bucket(stack, "Bucket", lifecycle_rules=[days], cors=[
    s3.CorsRule(allowed_methods=[s3.HttpMethods.GET], allowed_origins=["*"], max_age=0, exposed_headers=[])
])
plain = s3.CfnBucket(stack, "Plain", bucket_name="one", tags=[{"key": "a", "value": ""}], object_lock_enabled=False)
print(plain.bucket_name, plain.bucket_name)
plain.bucket_name = "two"
print(plain.bucket_name, plain.attr_arn == plain.attr_arn)
ec2.Vpc(stack, "Vpc", cidr="10.0.0.0/16")  # deprecated: the library says so on standard error
app.synth()
"""


def plain() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("JSII_", "LZ_"))}


def run(output: Path, temporary: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    temporary.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(output)],
        cwd=ROOT,
        env={**plain(), "TMPDIR": str(temporary), **variables},
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("ours")
    return folder / "out", folder / "tmp", run(folder / "out", folder / "tmp")


def test_the_one_process_gives_what_the_two_of_jsii_give(
    ours: tuple[Path, Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    theirs = run(tmp_path / "out", tmp_path / "tmp", JSII_NODE=str(bundled_node()))
    output, _, done = ours
    assert "deprecated" in theirs.stderr  # or the next line would compare nothing
    assert done.stderr == theirs.stderr
    assert "RuntimeError" in done.stdout
    assert done.stdout == theirs.stdout
    names = sorted(file.name for file in output.iterdir())
    assert names == sorted(file.name for file in (tmp_path / "out").iterdir())
    template = "Stack.template.json"
    assert (output / template).read_bytes() == (tmp_path / "out" / template).read_bytes()


def test_constants_are_asked_for_once() -> None:
    program = """
from config.node import use_bundled_node
use_bundled_node()
import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
def number(value):
    return value.__jsii_ref__.ref.partition("@")[2]
minutes = number(cdk.Duration.minutes(3))
assert number(cdk.Duration.minutes(3)) == minutes
assert minutes not in {number(cdk.Duration.minutes(4)), number(cdk.Duration.hours(3))}
assert number(s3.BlockPublicAccess.BLOCK_ALL) == number(s3.BlockPublicAccess.BLOCK_ALL)
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=plain(), capture_output=True, check=True)


def test_names_are_asked_for_once_until_another_is_set() -> None:
    program = """
from config.node import use_bundled_node
use_bundled_node()
import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from config import messages
asked = []
ask = messages._ask
messages._ask = lambda node, plain: (asked.append(plain.get("property")), ask(node, plain))
bucket = s3.CfnBucket(cdk.Stack(cdk.App(), "Stack"), "Bucket", bucket_name="one")
assert [bucket.bucket_name, bucket.bucket_name, bucket.attr_arn == bucket.attr_arn] == ["one", "one", True]
assert [asked.count(name) for name in ("bucketName", "attrArn")] == [1, 1], asked
bucket.bucket_name = "two"
assert bucket.bucket_name == "two"
bucket.tags_raw, bucket.tags_raw
assert asked.count("tagsRaw") == 2, asked
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=plain(), capture_output=True, check=True)


def test_a_library_that_cannot_be_loaded_is_told_at_the_next_call() -> None:
    program = """
from config.node import use_bundled_node
use_bundled_node()
import aws_cdk as cdk
from jsii._runtime import kernel
kernel.load("missing", "1.0.0", "/missing.tgz")
for _ in range(2):
    try:
        print(cdk.Duration.minutes(3).to_seconds())
    except Exception as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=plain(), capture_output=True, text=True, check=True
    )
    failure, seconds = done.stdout.splitlines()
    assert "/missing.tgz" in failure
    assert seconds == "180"


def test_a_list_of_findings_that_is_longer_than_a_pipe_is_told_whole(tmp_path: Path) -> None:
    failing = """
import sys
from config.node import use_bundled_node
use_bundled_node()
import aws_cdk as cdk, json
app = cdk.App(outdir=sys.argv[1], context=json.load(open("cdk.json"))["context"])
cdk.Annotations.of(cdk.Stack(app, "Stack")).add_error("finding " * 40_000)
try:
    app.synth()
except RuntimeError:
    pass
"""
    done = subprocess.run(
        [sys.executable, "-c", failing, str(tmp_path / "out")],
        cwd=ROOT,
        # Under pytest the library keeps its report to itself.
        env={
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JSII_", "LZ_", "PYTEST_"))
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.count("finding ") >= 40_000
    assert '{"stderr"' not in done.stderr


def test_nothing_stays_behind_in_the_temporary_folder(
    ours: tuple[Path, Path, subprocess.CompletedProcess[str]],
) -> None:
    assert list(ours[1].iterdir()) == []


def test_compiled_code_is_found_again(
    ours: tuple[Path, Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    cache = Path(sys.prefix) / "cache" / "jsii"
    before = {file for file in cache.rglob("*") if file.is_file()}
    assert before
    run(tmp_path / "out", tmp_path / "tmp")
    assert {file for file in cache.rglob("*") if file.is_file()} - before == set()


def test_an_installation_of_another_user_does_without_the_cache(tmp_path: Path) -> None:
    program = tmp_path / "program.js"
    program.write_text("process.stdout.write('ran');", encoding="utf-8")

    done = subprocess.run(
        [str(bundled_node()), str(ROOT / "config" / "jsii" / "runtime.js")],
        env={
            "LZ_JSII_CACHE": str(program / "cache"),
            "LZ_JSII_PROGRAM": str(program),
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stderr) == {"stdout": base64.b64encode(b"ran").decode()}
    assert [file.name for file in tmp_path.iterdir()] == ["program.js"]


def test_jsii_finds_its_worker_that_makes_the_index_of_types(tmp_path: Path) -> None:
    """Without that index each start of the CDK takes half a gigabyte more."""
    embedded = Path(jsii.__file__).parent / "_embedded" / "jsii"
    assert '"runtime-index-worker.js"' in (embedded / "lib__program.js").read_text(encoding="utf-8")
    program = tmp_path / "program.js"
    program.write_text(
        f"""
        const {{ Worker }} = require("worker_threads");
        const worker = new Worker({json.dumps(str(embedded / "runtime-index-worker.js"))},
          {{ workerData: {{ packageDir: {json.dumps(str(tmp_path))}, supportedFeatures: [] }} }});
        worker.on("message", (message) => process.stdout.write(Object.keys(message).join()));
        worker.on("error", (error) => process.stdout.write(error.code));
        """,
        encoding="utf-8",
    )

    done = subprocess.run(
        [str(bundled_node()), str(ROOT / "config" / "jsii" / "runtime.js")],
        env={
            "LZ_JSII_CACHE": str(tmp_path / "cache"),
            "LZ_JSII_PROGRAM": str(program),
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=True,
    )

    # It runs, and finds no library in that folder.
    assert json.loads(done.stderr) == {"stdout": base64.b64encode(b"error").decode()}

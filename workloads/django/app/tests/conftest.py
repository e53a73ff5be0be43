"""A real PostgreSQL, S3 and SQS over HTTP, and the project built as for an image."""

import logging
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from django.db import connections
from moto.server import ThreadedMotoServer
from psycopg import sql

from development.postgres import Postgres
from tests.settings import AWS_PORT, MASTER, STAGE, WORK

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server as RDS has it: the master is no superuser, and the application's user does not exist."""
    server = Postgres(WORK / "postgres", superuser_password="superuser", port=int(STAGE["DATABASE_PORT"]))
    server.start()
    with superuser("postgres") as connection:
        create = "CREATE ROLE master LOGIN CREATEROLE CREATEDB PASSWORD {}"
        connection.execute(sql.SQL(create).format(MASTER["DATABASE_MASTER_PASSWORD"]))
        connection.execute("CREATE DATABASE fieldnotes OWNER master")
    yield server
    connections.close_all()
    server.stop()


def superuser(database: str = "fieldnotes") -> psycopg.Connection[Any]:
    return psycopg.connect(
        host="127.0.0.1",
        port=STAGE["DATABASE_PORT"],
        dbname=database,
        user="postgres",
        password="superuser",
        autocommit=True,
    )


def script(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script of the project to its end, with a stage's environment and the given changes."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def environment(**variables: str) -> dict[str, str]:
    base = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(WORK), "TMPDIR": str(WORK)}
    base["DJANGO_SETTINGS_MODULE"] = "project.settings"
    return {**base, **STAGE, **variables}


@pytest.fixture(scope="session")
def django_db_setup(postgres: Postgres) -> None:
    """The tests' database is what the release step makes, entered as the application's user."""
    released = script("bin/release", "migrate", **MASTER)
    assert released.returncode == 0, released.stdout + released.stderr


@pytest.fixture(scope="session")
def built() -> Path:
    """The project as `bin/build` makes it, on the packages that the tests run with."""
    requirements = (ROOT / "requirements.txt").read_bytes()
    lock = subprocess.run(["cksum"], input=requirements, capture_output=True, check=True)
    venv = WORK / "venv"
    venv.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (venv / name).symlink_to(Path(sys.prefix) / name)
    (venv / ".lock").write_bytes(lock.stdout)
    subprocess.run(["bin/build", str(WORK)], cwd=ROOT, env=environment(), check=True)
    return WORK / "app"


@pytest.fixture(scope="session", autouse=True)
def clean_up() -> Iterator[None]:
    yield
    shutil.rmtree(WORK, ignore_errors=True)


@pytest.fixture(scope="session")
def _aws_server() -> Iterator[None]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=AWS_PORT, verbose=False)
    server.start()
    yield
    server.stop()


@pytest.fixture
def aws(_aws_server: None) -> None:
    """Two empty buckets, and an empty queue with a dead-letter queue."""
    urllib.request.urlopen(  # noqa: S310
        urllib.request.Request(f"{STAGE['AWS_ENDPOINT_URL']}/moto-api/reset", method="POST")  # noqa: S310
    ).close()
    for bucket in ("static-bucket", "media-bucket"):
        boto3.client("s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
    sqs = boto3.client("sqs")
    sqs.create_queue(QueueName="dead")
    redrive = '{"deadLetterTargetArn": "arn:aws:sqs:eu-central-1:123456789012:dead", "maxReceiveCount": 2}'
    sqs.create_queue(QueueName="celery", Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "120"})


@pytest.fixture
def start(postgres: Postgres) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start scripts of the project in the background; they are stopped after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*command: str, cwd: Path = ROOT, log: Path = Path("/dev/null"), **variables: str) -> Any:
        with log.open("ab") as output:
            process = subprocess.Popen(
                command, cwd=cwd, env=environment(**variables), stdout=output, stderr=subprocess.STDOUT
            )
        started.append(process)
        return process

    yield run
    for process in started:
        process.terminate()
    for process in started:
        process.wait(timeout=30)


def eventually(check: Callable[[], Any], *, seconds: float = 20) -> Any:
    """Return the first truthy answer of a check, or its last."""
    deadline = time.monotonic() + seconds
    while not (answer := check()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return answer

"""Clients that answer from a script, and tools that write down how they were called."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.stub import Stubber

REGION = "eu-west-1"

# Stands in for docker: it writes down its arguments and its input, and ends as the test wants.
DOCKER = """#!/usr/bin/env python3
import json, os, pathlib, sys
folder = pathlib.Path(__file__).parent
given = sys.stdin.read() if "--password-stdin" in sys.argv else ""
with (folder / "calls.jsonl").open("a") as calls:
    print(json.dumps({"arguments": sys.argv[1:], "input": given}), file=calls)
sys.exit(json.loads((folder / "exits.json").read_text()).get(sys.argv[1], 0))
"""


@dataclass(frozen=True)
class Call:
    """One call of a tool."""

    arguments: list[str]
    input: str


class FakeDocker:
    """A docker on PATH that builds nothing.

    Args:
        folder: where it is put; to be made the first of PATH.
        exits: subcommand -> exit code; 0 for the others.
    """

    def __init__(self, folder: Path, exits: Mapping[str, int]) -> None:
        self._folder = folder
        (folder / "docker").write_text(DOCKER, encoding="utf-8")
        (folder / "docker").chmod(0o755)
        (folder / "exits.json").write_text(json.dumps(exits), encoding="utf-8")

    @property
    def calls(self) -> list[Call]:
        """How it was called."""
        file = self._folder / "calls.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [Call(**json.loads(line)) for line in lines]


def scripted(service: str, *answers: tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | str]) -> Any:
    """Return a client that gives these answers in this order, and checks what it is asked.

    Args:
        service: such as `ecr`.
        answers: operation, the parameters that it must get (None: any), and its answer or the code of an error.
    """
    client = boto3.client(  # type: ignore[call-overload]
        service, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x"
    )
    stubber = Stubber(client)
    for operation, expected, answer in answers:
        if isinstance(answer, str):
            stubber.add_client_error(operation, service_error_code=answer, expected_params=expected)
        else:
            stubber.add_response(operation, dict(answer), expected)
    stubber.activate()
    client.assert_all_asked = stubber.assert_no_pending_responses
    return client


def said(lines: Sequence[str]) -> str:
    """Return what a command told, as one text."""
    return "\n".join(lines)


class FakeBucket:
    """Writes down what is put and deleted."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.put: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 -- boto3's names
        self.objects[Key] = self.put[Key] = Body

    def delete_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803
        del self.objects[Key]

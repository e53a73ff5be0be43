"""One-off commands: what of a task they change, and how values that stay secret get there."""

from typing import Any

import pytest

from operations.errors import CommandError
from operations.run import (
    OneOff,
    checked_name,
    environment_file,
    overrides,
    refuse_taken,
    secret_file,
    size,
    split_variables,
)
from tests.operations.support import FakeBucket


def test_the_command_reaches_the_container_word_by_word() -> None:
    words = ("python", "manage.py", "shell", "-c", "print('two  words; $HOME')", "")
    found = overrides(OneOff(words, {"A": "b c"}), container="django", file_arn=None)

    assert found == {
        "containerOverrides": [
            {"name": "django", "command": list(words), "environment": [{"name": "A", "value": "b c"}]}
        ]
    }


def test_no_secret_value_is_in_the_overrides_or_in_a_representation() -> None:
    one_off = OneOff(("true",), secrets={"PASSWORD": "hunter2"}, cpu=1024, memory=4096)
    found = overrides(one_off, container="django", file_arn="arn:aws:s3:::bucket/one-off/x.env")

    assert "hunter2" not in f"{one_off!r} {found}"
    assert found["containerOverrides"][0]["environmentFiles"] == [
        {"value": "arn:aws:s3:::bucket/one-off/x.env", "type": "s3"}
    ]
    assert (found["cpu"], found["memory"]) == ("1024", "4096")


def test_fails_before_ecs_does_when_the_overrides_are_too_long() -> None:
    with pytest.raises(CommandError, match="longer than the 8192 characters"):
        overrides(OneOff(("echo", "x" * 8192)), container="django", file_arn=None)


def test_an_environment_file_holds_values_as_they_are() -> None:
    values = {"PASSWORD": " hunter2 #'\"=\\ ", "EMPTY": ""}

    assert environment_file(values) == b"PASSWORD= hunter2 #'\"=\\ \nEMPTY=\n"


@pytest.mark.parametrize("value", ["two\nlines", "carriage\rreturn", "nul\0"])
def test_fails_for_a_value_that_an_environment_file_cannot_say(value: str) -> None:
    with pytest.raises(CommandError, match="the value of KEY has more than one line") as caught:
        environment_file({"KEY": value})
    assert value not in str(caught.value)


def test_variables_are_split_at_the_first_equals_sign() -> None:
    assert split_variables(["A=b=c", "EMPTY="]) == {"A": "b=c", "EMPTY": ""}


@pytest.mark.parametrize(
    ("given", "problem"), [("A", '"A" has no value'), ("1A=b", '"1A" is not the name'), ("=b", '"" is not')]
)
def test_fails_for_what_is_no_variable(given: str, problem: str) -> None:
    with pytest.raises(CommandError, match=problem):
        split_variables([given])


def test_fails_for_a_secret_name_that_no_shell_takes() -> None:
    with pytest.raises(CommandError, match="letters, digits and underscores"):
        checked_name("DJANGO-PASSWORD")


@pytest.mark.parametrize(
    ("one_off", "problem"),
    [
        (OneOff(("x",), secrets={"STATIC_URL": "x"}), "STATIC_URL is set in the environment already"),
        (OneOff(("x",), secrets={"DATABASE_PASSWORD": "x"}), "a secret value cannot replace it"),
        (OneOff(("x",), {"DJANGO_SECRET_KEY": "x"}), "DJANGO_SECRET_KEY is a secret of the environment"),
    ],
)
def test_fails_for_a_variable_that_would_not_arrive(one_off: OneOff, problem: str) -> None:
    with pytest.raises(CommandError, match=problem):
        refuse_taken(one_off, variables=["STATIC_URL"], secrets=["DATABASE_PASSWORD", "DJANGO_SECRET_KEY"])


def test_a_plain_variable_of_the_task_may_be_replaced() -> None:
    refuse_taken(OneOff(("x",), {"STATIC_URL": "/x/"}), variables=["STATIC_URL"], secrets=[])


@pytest.mark.parametrize(
    ("cpu", "memory", "expected"),
    [
        (None, None, (None, None)),
        (1024, None, (1024, 2048)),
        (None, 4096, (512, 4096)),
        (256, 512, (256, 512)),
    ],
)
def test_a_size_is_completed(
    cpu: int | None, memory: int | None, expected: tuple[int | None, int | None]
) -> None:
    assert size(cpu, memory) == expected


@pytest.mark.parametrize(
    ("cpu", "memory", "problem"),
    [
        (300, None, "no task with 300 CPU units"),
        (None, 700, "no task with 700 MiB"),
        (256, 8192, "with 256 CPU units, choose 512, 1024 or 2048 MiB"),
    ],
)
def test_fails_for_a_size_that_fargate_does_not_offer(
    cpu: int | None, memory: int | None, problem: str
) -> None:
    with pytest.raises(CommandError, match=problem):
        size(cpu, memory)


def test_the_file_is_there_as_long_as_it_is_needed_and_not_longer() -> None:
    bucket: Any = FakeBucket()
    with secret_file(bucket, "bucket", {"A": "b"}, partition="aws") as arn:
        (key,) = bucket.objects
        assert arn == f"arn:aws:s3:::bucket/{key}"
        assert key.startswith("one-off/")
        assert key.endswith(".env")
    assert bucket.objects == {}
    assert bucket.put[key] == b"A=b\n"


def test_the_file_goes_when_the_command_fails() -> None:
    bucket: Any = FakeBucket()
    with pytest.raises(KeyboardInterrupt), secret_file(bucket, "bucket", {"A": "b"}, partition="aws"):
        raise KeyboardInterrupt
    assert bucket.objects == {}


def test_without_secrets_nothing_is_written() -> None:
    bucket: Any = FakeBucket()
    with secret_file(bucket, "bucket", {}, partition="aws") as arn:
        assert arn is None
    assert bucket.put == {}

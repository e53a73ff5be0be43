"""The name of a session, as STS takes it."""

import re

import pytest

from operations.aws import LONGEST_SESSION_NAME, session_name


@pytest.mark.parametrize(
    ("person", "named"),
    [
        ("jane.doe", "lz-run-jane.doe"),
        ("j\u00f6rg", "lz-run-j-rg"),
        ("DOMAIN\\jane", "lz-run-DOMAIN-jane"),
        ("\u0661", "lz-run--"),  # a digit, but none of ASCII
        ("x" * 80, f"lz-run-{'x' * 57}"),
    ],
)
def test_a_session_has_the_persons_name_in_the_letters_that_sts_takes(
    person: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", person)
    found = session_name("lz-run")
    assert found == named
    # The pattern and the length of RoleSessionName: AWS STS API Reference, AssumeRole.
    assert re.fullmatch(rf"[a-zA-Z0-9_+=,.@-]{{2,{LONGEST_SESSION_NAME}}}", found)

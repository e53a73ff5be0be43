"""What packages say of their licenses, and which are allowed."""

import pytest

from operations.supply.licenses import Policy, read_policy


@pytest.fixture(scope="module")
def policy() -> Policy:
    return read_policy()


@pytest.mark.parametrize(
    ("expression", "text", "classifiers", "license_"),
    [
        ("MIT OR Apache-2.0", "GPL", ["License :: OSI Approved :: BSD License"], "MIT OR Apache-2.0"),
        ("", "BSD-3-Clause", [], "BSD-3-Clause"),
        ("", "The MIT License (MIT)", [], "MIT"),
        ("", "", ["License :: OSI Approved :: MIT License"], "MIT"),
        ("", "UNKNOWN", ["License :: OSI Approved :: MIT License"], "MIT"),
        (
            "",
            "Dual License",
            ["License :: OSI Approved :: BSD License", "License :: OSI Approved :: Apache Software License"],
            "LicenseRef-Apache AND LicenseRef-BSD",
        ),
        ("", "Copyright (c) somebody\nPermission is hereby granted", [], "Copyright (c) somebody"),
        ("", "", ["License :: OSI Approved"], ""),
        ("", "", [], ""),
    ],
)
def test_the_most_exact_statement_counts(
    policy: Policy, expression: str, text: str, classifiers: list[str], license_: str
) -> None:
    assert policy.license(expression, text, classifiers) == license_


@pytest.mark.parametrize(
    ("license_", "allowed"),
    [
        ("MIT", True),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR GPL-3.0-only) AND Apache-2.0", True),
        ("Apache-2.0 WITH LLVM-exception", False),
        ("LGPL-3.0-only", False),
        ("LicenseRef-BSD", True),
        ("Copyright (c) somebody", False),
        ("", False),
    ],
)
def test_an_or_needs_one_part_and_an_and_needs_all(policy: Policy, license_: str, *, allowed: bool) -> None:
    assert policy.allows(license_) is allowed

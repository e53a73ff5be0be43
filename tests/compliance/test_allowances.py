"""The ledger's entries about what we build with."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from compliance.allowances import Allowance, ledger_problems, ledger_warnings, read_allowances
from compliance.waivers import LEDGER, WaiverError, read_waivers

TODAY = date(2026, 11, 27)
ENTRY = """
[[allowance]]
kind = "vulnerability"
id = "CVE-2026-0001"
packages = ["Some_Package"]
reason = "The function is not called."
owner = "platform"
ticket = "SEC-200"
expires = 2027-02-01
"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "waivers.toml"
    file.write_text(text, encoding="utf-8")
    return file


def one(**changes: object) -> Allowance:
    entry = {
        "kind": "vulnerability",
        "id": "CVE-2026-0001",
        "packages": ("some-package",),
        "reason": "The function is not called.",
        "owner": "platform",
        "ticket": "SEC-200",
        "expires": TODAY + timedelta(days=90),
    }
    return Allowance.model_validate({**entry, **changes})


def test_it_stands_in_the_ledger_beside_the_waivers(tmp_path: Path) -> None:
    file = written(tmp_path, ENTRY)
    (allowance,) = read_allowances(file)
    assert allowance.expires == date(2027, 2, 1)
    assert read_waivers(file) == ()


def test_the_committed_ledger_can_be_read() -> None:
    assert all(allowance.kind for allowance in read_allowances(LEDGER))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('reason = "The function is not called."\n', ""), "reason"),
        (('reason = "The function is not called."', 'reason = " "'), "reason"),
        (('kind = "vulnerability"', 'kind = "everything"'), "kind"),
        (('packages = ["Some_Package"]', "packages = []"), "packages"),
        (("[[allowance]]", "[allowance]"), "[[allowance]]"),
        (("expires = 2027-02-01", "expires = never"), "TOML"),
        (('owner = "platform"', 'owner = "platform"\nseverity = "low"'), "severity"),
    ],
)
def test_rejects_an_entry_that_is_not_whole(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    assert change[0] in ENTRY
    with pytest.raises(WaiverError, match=r"waivers\.toml") as error:
        read_allowances(written(tmp_path, ENTRY.replace(*change)))
    assert said in str(error.value)


def test_it_covers_the_same_finding_under_another_number_and_the_package_under_another_spelling() -> None:
    assert one().covers("vulnerability", ["PYSEC-2026-1", "cve-2026-0001"], "Some.Package")
    assert not one().covers("vulnerability", ["PYSEC-2026-1"], "some-package")
    assert not one().covers("vulnerability", ["CVE-2026-0001"], "some-package-extras")
    assert not one().covers("image-finding", ["CVE-2026-0001"], "some-package")


def test_an_entry_ends_and_holds_for_a_year_at_the_longest() -> None:
    assert ledger_problems([one(expires=TODAY)], TODAY) == ()
    assert "expired on" in ledger_problems([one(expires=TODAY - timedelta(days=1))], TODAY)[0]
    assert "a year is the longest" in ledger_problems([one(expires=TODAY + timedelta(days=367))], TODAY)[0]


def test_an_entry_warns_a_month_before_it_ends() -> None:
    assert ledger_warnings([one(expires=TODAY + timedelta(days=31))], TODAY) == ()
    assert "in 30 days" in ledger_warnings([one(expires=TODAY + timedelta(days=30))], TODAY)[0]
    assert ledger_warnings([one(expires=TODAY - timedelta(days=1))], TODAY) == ()

"""What end-to-end tests need beside the organization that is up."""

import secrets
from pathlib import Path

import pytest

from rehearsal.door.browser import find_browser
from tests.kept import ROOT, Kept

REPORTS = ROOT / "reports" / "e2e"
PASSWORD = "Correct-Horse-9"


@pytest.fixture(scope="session")
def reports() -> Path:
    """Folder for screenshots and figures."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    return REPORTS


@pytest.fixture(scope="session")
def browser() -> str:
    """A Chromium or Chrome."""
    found = find_browser()
    if found is None:
        pytest.skip("no Chromium or Chrome on PATH; on Debian and Ubuntu: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def administrator(kept: Kept) -> str:
    """The name of a superuser that was made the way people make one."""
    name = f"admin-{secrets.token_hex(3)}"
    done = kept.lz(
        *["run", "--rehearsal", "--env", "staging", "--secret-env", "DJANGO_SUPERUSER_PASSWORD", "--"],
        *["python", "manage.py", "createsuperuser", "--noinput", "--username", name],
        *["--email", "admin@acme.example"],
        text=f"{PASSWORD}\n",
    )
    assert done.code == 0, done.messages
    assert PASSWORD not in done.output + done.messages
    return name

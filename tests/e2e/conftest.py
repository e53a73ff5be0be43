"""One rehearsal of both environments for all end-to-end tests."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.door.browser import find_browser
from tests.e2e.organization import ROOT, Organization

REPORTS = ROOT / "reports" / "e2e"
PASSWORD = "Correct-Horse-9"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them start the organization."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.rehearsal)


@pytest.fixture(scope="session")
def organization() -> Iterator[Organization]:
    """Both environments, up and running.

    While you work on a test, LZ_E2E_KEPT names the temporary folder (TMPDIR) of a rehearsal that is up already.
    """
    if kept := os.environ.get("LZ_E2E_KEPT"):
        yield Organization(Path(kept))
        return
    # Not below pytest's own folder: sockets in it must have short paths.
    temporary = Path(tempfile.mkdtemp(prefix="lz-e2e-"))
    running = Organization(temporary)
    try:
        done = running.start()
        assert done.code == 0, f"{done.output[-4000:]}\n{done.messages[-4000:]}"
        yield running
    finally:
        running.stop()
        shutil.rmtree(temporary, ignore_errors=True)


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
def administrator(organization: Organization) -> str:
    """The name of a superuser that was made the way people make one."""
    name = f"admin-{secrets.token_hex(3)}"
    done = organization.lz(
        *["run", "--rehearsal", "--env", "staging", "--secret-env", "DJANGO_SUPERUSER_PASSWORD", "--"],
        *["python", "manage.py", "createsuperuser", "--noinput", "--username", name],
        *["--email", "admin@acme.example"],
        text=f"{PASSWORD}\n",
    )
    assert done.code == 0, done.messages
    assert PASSWORD not in done.output + done.messages
    return name

"""The packet's page in a narrow window: it scrolls in one direction only, whatever names it shows."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from operations.packet.page import page
from rehearsal.door.browser import find_browser
from tests.operations.packet.releases import BREAKS, deployed, migration, migrations, packet
from tests.operations.packet.templates import resource, template

LONG = "PublishOutputFnGetAttReleaseDefinitionExecutionRoleA0005BD7Arn8C3" * 2
NARROW = 420
# The page in a frame of that width, and how wide it wants to be.
FRAME = f"""<iframe id="f" src="packet.html" width="{NARROW}" height="1500"></iframe><p id="o"></p><script>
f.onload = () => {{
  const page = f.contentDocument.documentElement;
  f.contentDocument.querySelectorAll("details").forEach((one) => (one.open = true));
  o.textContent = `width ${{page.scrollWidth}} of ${{page.clientWidth}}`;
}};
</script>"""


def test_a_narrow_window_scrolls_in_one_direction_only(tmp_path: Path) -> None:
    browser = find_browser()
    if browser is None:
        pytest.skip("no Chromium or Chrome on PATH; on Debian and Ubuntu: apt-get install chromium")
    before = template(Bucket=resource("S3::Bucket", {"BucketName": "photos"}))
    after = {
        **template(
            Bucket=resource("S3::Bucket", {"BucketName": LONG.lower()}), Queue=resource("SQS::Queue", {})
        ),
        "Outputs": {LONG: {"Value": "x"}, f"{LONG}2": {"Value": "y"}},
    }
    made = packet(
        before,
        after,
        more=(deployed(before, LONG),),
        migrations=migrations(migration(f"0002_{LONG}", BREAKS)),
    )
    (tmp_path / "packet.html").write_text(page(made), encoding="utf-8")
    (tmp_path / "frame.html").write_text(FRAME, encoding="utf-8")
    options = [
        "--headless=new",
        "--disable-gpu",
        "--allow-file-access-from-files",
        "--virtual-time-budget=3000",
    ]
    options += ["--no-sandbox"] if os.geteuid() == 0 else []
    # A browser's sockets must have short paths, wherever temporary files are.
    with tempfile.TemporaryDirectory(prefix="lz-", dir="/tmp", ignore_cleanup_errors=True) as short:
        done = subprocess.run(
            [browser, *options, "--dump-dom", (tmp_path / "frame.html").as_uri()],
            env={**os.environ, "TMPDIR": short, "HOME": short},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    found = re.search(r"width (\d+) of (\d+)", done.stdout.partition("</script>")[0])
    assert found, done.stderr
    wanted, there = map(int, found.groups())
    assert there > NARROW - 30
    assert wanted <= there

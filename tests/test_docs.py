"""What the documents point to is there."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
DOCUMENTS = sorted(
    file.relative_to(ROOT).as_posix()
    for file in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "workloads/django/app/README.md"]
)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_and_picture_of_a_document_leads_to_a_file(name: str) -> None:
    folder = (ROOT / name).parent
    links = [link for link in LINK.findall((ROOT / name).read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (folder / link).exists()] == []


def test_no_picture_is_kept_out_of_the_repository() -> None:
    pictures = [str(file.relative_to(ROOT)) for file in (ROOT / "docs").rglob("*") if file.is_file()]
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout of a repository")
    ignored = subprocess.run(
        ["git", "check-ignore", "--no-index", *pictures],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ignored.stdout == ""

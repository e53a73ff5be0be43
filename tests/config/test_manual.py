from pathlib import Path

import pytest

from config import manual
from config.manual import BEGIN, END

README = Path(manual.__file__).resolve().parent.parent / "README.md"
DOCUMENT = f"# Title\n\n{BEGIN}\nold\n{END}\n\nThe end\n"


def test_the_table_has_every_key_with_type_default_and_meaning() -> None:
    rows = manual.keys_table().splitlines()
    assert all(row.count(" | ") == 3 for row in rows[2:])
    table = {row.split("`")[1]: row for row in rows[2:]}
    assert len(table) == len(rows) - 2
    environment = "workloads.*.environments.*"
    assert "**required**" in table["organization.name"]
    assert '`["a", "b"]`' in table["organization.availability_zones"]
    assert '`"local"` or `"central"` or `"none"`' in table["network.egress"]
    assert "name → text" in table["accounts.workloads"]
    assert "staging `1`, production `7`" in table[f"{environment}.database.backup_days"]
    assert "its keys' defaults" in table[f"{environment}.web"]
    assert f"{environment}.class" in table


def test_the_table_replaces_what_is_between_the_markers_alone() -> None:
    text = manual.rewrite(DOCUMENT)
    assert text.startswith(f"# Title\n\n{BEGIN}\n| key |")
    assert text.endswith(f"|\n{END}\n\nThe end\n")
    assert "\nold\n" not in text
    assert manual.rewrite(text) == text


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END} {BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_rejects_a_document_without_its_markers(text: str) -> None:
    with pytest.raises(manual.MarkersMissingError, match="config keys: begin"):
        manual.rewrite(text)


def test_the_command_writes_and_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "README.md"
    file.write_text(DOCUMENT, encoding="utf-8")
    assert manual.main([str(file), "--check"]) == 1
    assert "python -m config.manual" in capsys.readouterr().err
    assert manual.main([str(file)]) == 0
    assert manual.main([str(file), "--check"]) == 0
    assert file.read_text(encoding="utf-8") == manual.rewrite(DOCUMENT)


def test_the_command_explains_what_it_cannot_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "README.md"
    assert manual.main([str(file)]) == 2
    file.write_text("no markers", encoding="utf-8")
    assert manual.main([str(file)]) == 2
    assert manual.main([]) == 2
    assert manual.main(["--chek"]) == 2
    assert "markers" not in file.read_text(encoding="utf-8").replace("no markers", "")
    assert "usage:" in capsys.readouterr().err


def test_the_readme_is_current() -> None:
    assert manual.main([str(README), "--check"]) == 0

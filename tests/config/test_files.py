from pathlib import Path

import pytest

import config
from config import ConfigurationError, Problem
from config.loader import DEFAULT_FILE
from tests.config.support import SAMPLE_TEXT, problems, refused, sample, staging


def problem_of(path: Path) -> Problem:
    with pytest.raises(ConfigurationError) as caught:
        config.load(path, check_files=False)
    (problem,) = caught.value.problems
    assert str(path) in str(caught.value)
    return problem


def test_the_configuration_of_the_project_is_valid_with_its_files() -> None:
    assert config.load() == config.load(DEFAULT_FILE)


def test_a_file_anywhere_can_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(SAMPLE_TEXT, encoding="utf-8")
    assert config.load(tmp_path / "other.json", check_files=False).organization.name == "acme"


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "windows.json").write_text(SAMPLE_TEXT.replace("\n", "\r\n"), encoding="utf-8-sig")
    assert config.load(tmp_path / "windows.json", check_files=False).organization.name == "acme"


def test_the_file_of_the_project_is_named_from_its_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_bytes", lambda _: b"{}")
    with pytest.raises(ConfigurationError) as caught:
        config.load()
    assert {problem.file for problem in caught.value.problems} == {"config/accounts.json"}
    assert DEFAULT_FILE.is_absolute()


def test_rejects_a_file_that_is_missing(tmp_path: Path) -> None:
    assert problem_of(tmp_path / "none.json").problem == "no such file"


def test_rejects_a_folder(tmp_path: Path) -> None:
    problem = problem_of(tmp_path)
    assert "a folder" in problem.problem
    assert problem.fix.endswith("accounts.json")


def test_rejects_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "permission denied" in problem_of(tmp_path / "locked.json").problem


def test_rejects_a_path_that_no_file_can_have() -> None:
    with pytest.raises(ConfigurationError) as caught:
        config.load(Path("a\0b"))
    assert caught.value.problems[0].file == "a\\x00b"


@pytest.mark.parametrize("content", [b"", b"  \n\t\n", b"\xef\xbb\xbf"])
def test_rejects_an_empty_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "empty.json").write_bytes(content)
    assert problem_of(tmp_path / "empty.json").problem == "the file is empty"


def test_rejects_text_that_is_not_utf_8_and_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(
        SAMPLE_TEXT.replace("acme.example", "acmé.example").encode("latin-1")
    )
    assert "byte 0xe9 in line 5" in problem_of(tmp_path / "latin.json").problem


def test_rejects_utf_16(tmp_path: Path) -> None:
    (tmp_path / "wide.json").write_text(SAMPLE_TEXT, encoding="utf-16")
    assert "not UTF-8" in problem_of(tmp_path / "wide.json").problem


def test_finds_mistakes_of_every_kind_at_once() -> None:
    text = SAMPLE_TEXT.replace('"222222222222",', "012345671234, // shared")
    text = text.replace('"eu-west-1"', '"eu-west-9"').replace('"10.2.0.0/20"', '"10.1.8.0/21"')
    text = text.replace('"cpu": 512', '"cpu": 512, "cpus": 1', 1).replace('"min_tasks": 0', '"min_tasks": 3')
    found = [(problem.path, problem.line) for problem in problems(text)]
    assert found == [
        ("organization.region", 6),
        ("accounts.shared_services", 12),
        ("accounts.shared_services", 12),
        ("workloads.my-django-app.environments.staging.worker.min_tasks", 44),
        ("workloads.my-django-app.environments.production.cidr", 51),
        ("workloads.my-django-app.environments.production.web.cpus", 52),
    ]


def test_rules_still_run_when_a_whole_section_is_missing() -> None:
    data = sample()
    del data["network"], data["organization"]
    staging(data)["account"] = "stagin"
    paths = {problem.path for problem in problems(data)}
    assert paths == {"network", "organization", "workloads.my-django-app.environments.staging.account"}


@pytest.mark.parametrize("text", ["[]", "null", "3", '"text"', "true"])
def test_rejects_a_document_that_is_not_an_object(text: str) -> None:
    refused(text, "(top level)", "not an object")


def test_an_error_is_its_own_text() -> None:
    with pytest.raises(ConfigurationError) as caught:
        config.load_text("{", "my.json")
    assert str(caught.value) == config.render(caught.value.problems)
    assert "my.json:1" in str(caught.value)

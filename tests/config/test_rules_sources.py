from pathlib import Path

import pytest

from config import ConfigurationError, load, loader
from tests.config.support import (
    APP,
    SAMPLE_TEXT,
    accepted,
    add_workload,
    app,
    problems,
    production,
    refused,
    sample,
)

ARN = "arn:aws:codeconnections:eu-west-1:111111111111:connection/00000000-0000-0000-0000-000000000000"
OTHER_REPOSITORY = {"repository": "acme/site", "branch": "main"}


def test_rejects_a_connection_in_another_account() -> None:
    data = sample()
    data["pipeline"]["connection_arn"] = ARN.replace("111111111111", "222222222222")
    refused(data, "pipeline.connection_arn", "in the account 222222222222", "accounts.tooling")


def test_rejects_a_connection_in_another_region() -> None:
    data = sample()
    data["pipeline"]["connection_arn"] = ARN.replace("eu-west-1", "us-east-1")
    refused(data, "pipeline.connection_arn", "in the region us-east-1", "eu-west-1")


def test_rejects_a_connection_in_another_partition() -> None:
    data = sample()
    data["pipeline"]["connection_arn"] = ARN.replace("arn:aws:", "arn:aws-cn:")
    refused(data, "pipeline.connection_arn", "partition")


def test_rejects_a_workloads_own_connection_in_another_account() -> None:
    data = sample()
    app(data)["source"] = {**OTHER_REPOSITORY, "connection_arn": ARN.replace("111111111111", "222222222222")}
    refused(data, f"{APP}.source.connection_arn", "accounts.tooling")


@pytest.mark.parametrize("approvals", [[], ["staging"]])
def test_rejects_production_without_approval(approvals: list[str]) -> None:
    data = sample()
    data["pipeline"]["approvals"] = approvals
    refused(data, "pipeline.approvals", "production needs approval")


def test_accepts_no_approvals_without_production() -> None:
    data = sample()
    del app(data)["environments"]["production"]
    data["pipeline"]["approvals"] = []
    accepted(data)


def test_rejects_an_approval_twice_or_of_no_class() -> None:
    data = sample()
    data["pipeline"]["approvals"] = ["production", "production"]
    refused(data, "pipeline.approvals", "twice")
    data["pipeline"]["approvals"] = ["production", "prod"]
    refused(data, "pipeline.approvals[1]", '"staging" or "production"')


@pytest.mark.parametrize(
    ("source", "path", "words"),
    [
        ({}, "", "neither a path nor a repository"),
        ({"path": None}, "", "neither a path nor a repository"),
        ({"path": "app", **OTHER_REPOSITORY}, "", "both a path and a repository"),
        ({"repository": "acme/site"}, "", "without a branch"),
        ({"path": "app", "branch": "main"}, ".branch", "without a repository"),
        ({"path": "app", "connection_arn": ARN}, ".connection_arn", "without a repository"),
    ],
)
def test_rejects_a_source_that_is_not_one(source: dict[str, str], path: str, words: str) -> None:
    data = sample()
    app(data)["source"] = source
    refused(data, f"{APP}.source{path}", words)


def test_accepts_another_repository_with_and_without_its_own_connection() -> None:
    data = sample()
    app(data)["source"] = OTHER_REPOSITORY
    accepted(data)
    app(data)["source"] = {**OTHER_REPOSITORY, "connection_arn": ARN}
    accepted(data)


def test_rejects_the_repository_of_the_landing_zone_as_that_of_a_workload() -> None:
    data = sample()
    app(data)["source"] = {"repository": "acme/landing-zone", "branch": "main"}
    refused(data, f"{APP}.source.repository", "the landing zone itself", "a path in this repository")


@pytest.mark.parametrize("other", [{"branch": "next"}, {"connection_arn": ARN.replace("0000-0", "0000-1")}])
def test_rejects_one_repository_with_two_branches_or_connections(other: dict[str, str]) -> None:
    data = sample()
    app(data)["source"] = OTHER_REPOSITORY
    add_workload(data, "shop")["source"] = OTHER_REPOSITORY
    accepted(data)
    data["workloads"]["shop"]["source"] = {**OTHER_REPOSITORY, **other}
    refused(data, "workloads.shop.source", f"than {APP}.source has for the same repository")


@pytest.mark.parametrize("wrong", [{"branch": "a b"}, {"connection_arn": "arn"}])
def test_sources_that_are_wrong_in_themselves_are_not_compared(wrong: dict[str, str]) -> None:
    data = sample()
    app(data)["source"] = OTHER_REPOSITORY
    add_workload(data, "shop")["source"] = {**OTHER_REPOSITORY, **wrong}
    refused(data, f"workloads.shop.source.{next(iter(wrong))}")


def test_a_source_that_is_wrong_in_itself_is_not_also_told_to_be_missing() -> None:
    data = sample()
    app(data)["source"] = {"path": "/absolute"}
    refused(data, f"{APP}.source.path", "not relative")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with the sample's workload in it."""
    folder = tmp_path / "workloads/django/app"
    folder.mkdir(parents=True)
    (folder / "Dockerfile").touch()
    monkeypatch.setattr(loader, "PROJECT_ROOT", tmp_path)
    return tmp_path


def problem_of(path: str) -> str:
    data = sample()
    app(data)["source"]["path"] = path
    return refused(data, f"{APP}.source.path", "holds a Dockerfile", check_files=True).problem


def test_accepts_a_folder_with_a_dockerfile(project: Path) -> None:
    assert not problems(sample(), check_files=True)


def test_rejects_a_folder_that_does_not_exist(project: Path) -> None:
    assert problem_of("workloads/none") == "no such folder"


def test_rejects_a_file_in_place_of_a_folder(project: Path) -> None:
    assert problem_of("workloads/django/app/Dockerfile") == "not a folder"


def test_rejects_a_folder_without_a_dockerfile(project: Path) -> None:
    assert problem_of("workloads/django") == "no Dockerfile in this folder"


def test_rejects_a_link_that_leads_out_of_the_project(project: Path) -> None:
    (project / "link").symlink_to("/")
    assert "a link leads out" in problem_of("link")


def test_files_are_checked_unless_told_otherwise(project: Path) -> None:
    (project / "accounts.json").write_text(SAMPLE_TEXT.replace("django/app", "gone"), encoding="utf-8")
    assert load(project / "accounts.json", check_files=False)
    with pytest.raises(ConfigurationError):
        load(project / "accounts.json")


def test_rules_about_approval_run_without_a_valid_class() -> None:
    data = sample()
    production(data)["class"] = "prod"
    assert (
        refused(data, f"{APP}.environments.production.class", '"staging" or "production"').value == '"prod"'
    )

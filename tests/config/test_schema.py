import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from config import schema
from config.variables import INJECTED_VARIABLES
from tests.config.support import PRODUCTION, STAGING, Json, app, production, sample, staging

VALIDATOR = Draft202012Validator(schema.schema())


def errors(data: Any) -> list[str]:
    return [".".join(map(str, error.absolute_path)) for error in VALIDATOR.iter_errors(data)]


def test_the_committed_schema_is_current() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.text()
    assert schema.main(["--check"]) == 0


def test_the_schema_is_legal_and_takes_the_sample() -> None:
    Draft202012Validator.check_schema(schema.schema())
    assert errors(sample()) == []


def test_every_key_is_described_and_no_title_is_left() -> None:
    for definition in schema.schema()["$defs"].values():
        assert definition["description"]
        assert definition["additionalProperties"] is False
        for key in definition["properties"].values():
            assert key["description"].strip()
            assert "title" not in key


def test_the_key_for_editors_is_allowed() -> None:
    assert "$schema" in schema.schema()["properties"]


def test_defaults_by_class_are_words() -> None:
    definitions = schema.schema()["$defs"]
    backup = definitions["DatabaseSize"]["properties"]["backup_days"]
    assert "default" not in backup
    assert backup["description"].endswith("Default: 1 in staging, 7 in production.")


def change(data: Json, path: str, value: Any) -> Json:
    *parents, last = path.split("/")
    target: Any = data
    for step in parents:
        target = target[step]
    target[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("accounts/tooling", 111111111111),
        ("accounts/tooling", "11111111111"),
        ("accounts/workloads/tooling", "555555555555"),
        ("accounts/workloads/Team", "555555555555"),
        ("accounts/workloads", {}),
        ("organization/region", "eu-west-9"),
        ("organization/domain", "Acme.example"),
        ("organization/availability_zones", ["a"]),
        ("organization/availability_zones", ["a", "a"]),
        ("organization/nam", "acme"),
        ("dns/parent", "yes"),
        ("network/egress", "centrl"),
        ("network/supernet", "10.0.0.0"),
        ("network/transit_gateway", "on"),
        ("pipeline/branch", "a..b"),
        ("pipeline/approvals", ["prod"]),
        ("workloads", {}),
        ("workloads/My_App", {}),
    ],
)
def test_the_schema_alone_rejects(path: str, value: Any) -> None:
    assert errors(change(sample(), path, value))


def test_the_schema_alone_rejects_wrong_environments_and_sources() -> None:
    for spoil in (
        {"class": "prod"},
        {"cidr": "10.1.0.0/33"},
        {"web": {"cpu": 300}},
        {"database": {"max_capacity": 1.3}},
        {"database": {"backup_days": 0}},
        {"worker": {"task_timeout_seconds": 1}},
        {"cors_allowed_origins": ["http://a"]},
        {"variables": {"a-b": "x"}},
        {"variables": {"A": 1}},
        {"domains": "x"},
    ):
        data = sample()
        staging(data).update(spoil)
        assert errors(data), spoil
    for source in (
        {},
        {"path": "a", "repository": "a/b", "branch": "c"},
        {"repository": "a/b"},
        {"path": "/a"},
    ):
        data = sample()
        app(data)["source"] = source
        assert errors(data), source
    data = sample()
    app(data)["injected_variables"] = {"DATABASE": "X"}
    assert errors(data)
    app(data)["injected_variables"] = dict.fromkeys(INJECTED_VARIABLES, "X")
    assert not errors(data)


def test_the_schema_names_the_place() -> None:
    data = sample()
    production(data)["port"] = 1
    staging(data)["cidr"] = 3
    assert errors(data) == [STAGING + ".cidr", PRODUCTION] or errors(data) == [PRODUCTION, STAGING + ".cidr"]


def test_check_finds_a_stale_file_and_writing_renews_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(schema, "FILE", tmp_path / "accounts.schema.json")
    assert schema.main(["--check"]) == 1
    assert "python -m config.schema" in capsys.readouterr().err
    assert schema.main([]) == 0
    assert schema.main(["--check"]) == 0
    schema.FILE.write_text(json.dumps({}), encoding="utf-8")
    assert schema.main(["--check"]) == 1
    assert schema.main(["--chek"]) == 2

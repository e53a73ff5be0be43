"""What is read of a Dockerfile that is not executed."""

import pytest

from rehearsal.dockerfile import read


def test_variables_come_from_all_stages_below_and_those_of_the_images_own_files_are_left_out() -> None:
    stage = read(
        """
        ARG FLAVOR=plain
        FROM python:3.13 AS Base
        ENV PATH=/venv/bin:$PATH HOME=/tmp
        ENV A=1 \\
            # a comment between
            B="two words"
        FROM base
        ARG FLAVOR
        ARG MISSING=none
        ENV C=${A}-$FLAVOR-${NOPE:-$MISSING}-${A:+set}
        ENV LEGACY value with spaces
        """
    )
    assert stage.variables() == {
        "A": "1",
        "B": "two words",
        "C": "1-plain-$MISSING-set",
        "LEGACY": "value with spaces",
    }


@pytest.mark.parametrize(("target", "directory"), [(None, "/last"), ("dev", "/dev"), ("DEV", "/dev")])
def test_the_stage_that_is_named_counts_else_the_last_one(target: str | None, directory: str) -> None:
    assert read("FROM a AS dev\nWORKDIR /dev\nFROM b\nWORKDIR /last\n", target).directory == directory


@pytest.mark.parametrize(("text", "target"), [("FROM a AS dev\n", "prod"), ("# nothing\n", None)])
def test_fails_without_that_stage(text: str, target: str | None) -> None:
    with pytest.raises(ValueError, match="the Dockerfile has no"):
        read(text, target)


def test_working_directories_add_up() -> None:
    assert read("FROM a\nWORKDIR /srv\nWORKDIR app/../site\n").directory == "/srv/site"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('ENTRYPOINT ["tini", "--", "run"]', ("tini", "--", "run")),
        ("ENTRYPOINT exec run", ("/bin/sh", "-c", "exec run")),
    ],
)
def test_entry_points_in_both_forms(line: str, words: tuple[str, ...]) -> None:
    assert read(f"FROM a\n{line}\n").entry_point == words


def test_commands_in_every_form_and_those_of_the_stages_whose_files_it_has() -> None:
    stage = read(
        """
FROM a AS unrelated
RUN python manage.py migrate
FROM a AS build
RUN --mount=type=cache,target=/root/.cache pip install \\
    -r requirements.txt
RUN ["python", "manage.py", "compile messages"]
RUN <<EOF
set -e
python manage.py collectstatic
EOF
FROM a
COPY --from=build /srv /srv
COPY --chown=1:1 site/ /code/
COPY ["one file", "two", "/code/"]
"""
    )
    assert [" ".join(run.split()) for run in stage.runs] == [
        "pip install -r requirements.txt",
        "python manage.py 'compile messages'",
        "set -e python manage.py collectstatic",
    ]
    assert stage.copies == [(("site/",), "/code/"), (("one file", "two"), "/code/")]

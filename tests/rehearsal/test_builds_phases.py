"""Builds as CodeBuild runs them: phases, variables, failures, artifacts; with real shells."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.pipeline.builds.artifacts import _pattern
from rehearsal.pipeline.builds.buildspec import BuildspecError, read_buildspec
from tests.rehearsal.builds import AWS, Build

MARKS = {
    name: {"commands": [f"echo {name}"], "finally": [f"echo {name} finally"]}
    for name in ("install", "pre_build", "build", "post_build")
}


def failing(name: str, **more: Any) -> dict[str, Any]:
    """All phases, of which one fails."""
    broken = {
        "commands": [f"echo {name}", "exit 5", "echo never"],
        "finally": [f"echo {name} finally"],
        **more,
    }
    return {**MARKS, name: broken}


def test_phases_run_in_order_in_one_shell(tmp_path: Path) -> None:
    build = Build(
        tmp_path,
        {
            "install": {"commands": ["mkdir deep && cd deep", "export A=1", "B=2"]},
            "build": {"commands": ["pwd", 'echo "$A $B"']},
            "post_build": {"commands": "touch ../done; pwd"},
        },
    )
    result = build.run()
    assert (result.succeeded, result.exit_code, result.phase, result.problem) == (True, 0, "COMPLETED", "")
    assert build.told() == [f"{build.source}/deep", "1 2", f"{build.source}/deep"]
    assert (build.source / "done").is_file()


@pytest.mark.parametrize(
    ("name", "ran"),
    [
        ("install", ["install"]),
        ("pre_build", ["install", "pre_build"]),
        ("build", ["install", "pre_build", "build", "post_build"]),
        ("post_build", ["install", "pre_build", "build", "post_build"]),
    ],
)
def test_a_failure_ends_the_build_where_codebuild_does(tmp_path: Path, name: str, ran: list[str]) -> None:
    build = Build(tmp_path, failing(name))
    result = build.run()
    assert not result.succeeded
    assert (result.exit_code, result.phase) == (5, name.upper())
    assert (
        result.problem
        == "COMMAND_EXECUTION_ERROR: Error while executing command: exit 5. Reason: exit status 5"
    )
    assert build.told() == [line for phase in ran for line in (phase, f"{phase} finally")]


def test_on_failure_decides_instead(tmp_path: Path) -> None:
    build = Build(tmp_path, failing("build", **{"on-failure": "ABORT"}))
    assert build.run().phase == "BUILD"
    assert "post_build" not in build.told()


def test_on_failure_continue_goes_on_and_the_build_still_fails(tmp_path: Path) -> None:
    build = Build(tmp_path, failing("install", **{"on-failure": "CONTINUE"}))
    assert build.run().phase == "INSTALL"
    assert build.told()[-1] == "post_build finally"


def test_a_failure_in_finally_fails_the_phase(tmp_path: Path) -> None:
    result = Build(tmp_path, {"build": {"commands": ["true"], "finally": ["exit 6", "exit 7"]}}).run()
    assert (result.exit_code, result.phase) == (6, "BUILD")


def test_later_phases_know_whether_the_build_succeeds(tmp_path: Path) -> None:
    ask = "echo $CODEBUILD_BUILD_SUCCEEDING"
    build = Build(
        tmp_path,
        {"install": {"commands": [ask]}, "build": {"commands": ["false"]}, "post_build": {"commands": [ask]}},
    )
    build.run()
    assert build.told() == ["1", "0"]


def test_the_log_has_the_lines_that_codebuild_writes(tmp_path: Path) -> None:
    build = Build(tmp_path, {"build": {"commands": ["echo hello", "false"]}})
    build.run()
    own = [line.split(" ", 3)[3] for line in build.lines if line.startswith("[Container]")]
    problem = "Error while executing command: false. Reason: exit status 1"
    begin = own.index("Entering phase BUILD")
    assert own[begin : begin + 6] == [
        "Entering phase BUILD",
        "Running command echo hello",
        "Running command false",
        "Command did not exit successfully false exit status 1",
        "Phase complete: BUILD State: FAILED",
        f"Phase context status code: COMMAND_EXECUTION_ERROR Message: {problem}",
    ]


def test_a_build_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    build = Build(tmp_path, {"build": {"commands": ["sleep 600"]}}, project={"timeoutInMinutes": 0.01})
    result = build.run()
    assert (result.succeeded, result.phase) == (False, "BUILD")
    assert result.problem.startswith("BUILD_TIMED_OUT")


def test_variables_of_the_action_win_over_the_project_and_those_over_the_buildspec(tmp_path: Path) -> None:
    build = Build(
        tmp_path,
        {"build": {"commands": ['echo "$A $B $C"']}},
        env={"variables": {"A": "spec", "B": "spec", "C": "yes"}},
        project={
            "environment": {
                "environmentVariables": [
                    {"name": "A", "value": "project"},
                    {"name": "B", "value": "project", "type": "PLAINTEXT"},
                ]
            }
        },
        environment={"A": "action"},
    )
    build.run()
    assert build.told() == ["action project yes"]


def test_exported_variables_are_given_back(tmp_path: Path) -> None:
    commands = ["export A='two words'", "B='not exported\nlines'"]
    build = Build(tmp_path, {"build": {"commands": commands}}, env={"exported-variables": ["A", "B", "C"]})
    assert build.run().exported == {"A": "two words", "B": "not exported\nlines", "C": ""}


def test_a_build_sees_what_codebuild_tells_and_nothing_of_the_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_PROFILE", "GITHUB_TOKEN", "VIRTUAL_ENV", "PYTHONPATH", "LZ_ANYTHING"):
        monkeypatch.setenv(name, "leaked")
    other = tmp_path / "other"
    other.mkdir()
    build = Build(
        tmp_path,
        {"build": {"commands": ["env", "echo who: ~ $(npm prefix -g)"]}},
        more_sources={"Other_Output": other},
        machine={
            "HOME": str(Path.home()),
            "PATH": os.environ["PATH"],
            "PIP_INDEX_URL": "https://packages.invalid/simple",
        },
    )
    build.run()
    variables = dict(line.partition("=")[::2] for line in build.told() if "=" in line)
    assert "leaked" not in variables.values()
    assert variables["CODEBUILD_SRC_DIR"] == str(build.source)
    assert variables["CODEBUILD_SRC_DIR_Other_Output"] == str(other)
    assert variables["CODEBUILD_BUILD_ID"] == "tests:8a4f0c52"
    assert variables["CODEBUILD_BUILD_ARN"] == "arn:aws:codebuild:eu-west-1:111111111111:build/tests:8a4f0c52"
    private = ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "npm_config_prefix", "PIP_CONFIG_FILE")
    assert all(variables[name].startswith(str(tmp_path / "work")) for name in private)
    assert str(Path.home()) not in variables["PATH"]
    assert build.told()[-1] == f"who: {tmp_path}/work/home {tmp_path}/work/npm"
    assert {name: variables[name] for name in AWS} == AWS


def test_the_runtime_that_stands_in_is_named(tmp_path: Path) -> None:
    build = Build(
        tmp_path, {"install": {"runtime-versions": {"nodejs": "22"}, "commands": ["node --version"]}}
    )
    assert build.run().succeeded
    (version,) = build.told()
    assert any(
        f"nodejs 22 is wanted; the rehearsal offers {version.removeprefix('v')}" in line
        for line in build.lines
    )


def test_a_runtime_that_is_not_offered_is_a_failure(tmp_path: Path) -> None:
    result = Build(tmp_path, {"install": {"runtime-versions": {"java": "corretto21"}}}).run()
    assert "no runtime java" in result.problem


def test_artifacts_are_what_the_patterns_say(tmp_path: Path) -> None:
    make = "mkdir -p out/deep/.hidden; touch out/a out/deep/b out/deep/.hidden/c out/x.log; chmod 755 out/a"
    build = Build(
        tmp_path,
        {"build": {"commands": [make]}},
        artifacts={"base-directory": "out", "files": "**/*", "exclude-paths": ["*.log"]},
        outputs=("Out",),
    )
    assert build.run().succeeded
    assert build.output("Out") == ["a", "deep/.hidden/c", "deep/b"]
    assert (tmp_path / "outputs" / "Out" / "a").stat().st_mode & 0o777 == 0o755


def test_several_artifacts_go_by_their_names(tmp_path: Path) -> None:
    build = Build(
        tmp_path,
        {"build": {"commands": ["mkdir one two; touch one/1 two/2"]}},
        artifacts={
            "secondary-artifacts": {
                "One": {"base-directory": "one", "files": ["*"]},
                "Two": {"files": ["two/*"], "discard-paths": "yes"},
            }
        },
        outputs=("One", "Two"),
    )
    assert build.run().succeeded
    assert (build.output("One"), build.output("Two")) == (["1"], ["2"])


@pytest.mark.parametrize(
    ("artifacts", "problem"),
    [
        ({"files": "**/*", "base-directory": "nowhere"}, "no matching base directory path found for nowhere"),
        ({"files": "*.zip"}, "no matching artifact paths found for *.zip of Out"),
        (None, "makes no artifact Out"),
    ],
)
def test_an_artifact_that_is_not_there_fails_the_build(tmp_path: Path, artifacts: Any, problem: str) -> None:
    result = Build(tmp_path, {"build": {"commands": ["true"]}}, artifacts=artifacts, outputs=("Out",)).run()
    assert (result.succeeded, result.phase) == (False, "UPLOAD_ARTIFACTS")
    assert problem in result.problem


def test_artifacts_of_a_failed_build_are_handed_over_too(tmp_path: Path) -> None:
    build = Build(
        tmp_path, {"build": {"commands": ["touch a; false"]}}, artifacts={"files": "a"}, outputs=("Out",)
    )
    assert build.run().phase == "BUILD"
    assert build.output("Out") == ["a"]


def test_a_link_is_followed_unless_the_buildspec_keeps_links(tmp_path: Path) -> None:
    for number, keep in enumerate(("no", "yes")):
        folder = tmp_path / str(number)
        folder.mkdir()
        build = Build(
            folder,
            {"build": {"commands": ["echo content > file; ln -s file link"]}},
            artifacts={"files": "**/*", "enable-symlinks": keep},
            outputs=("Out",),
        )
        assert build.run().succeeded
        assert (folder / "outputs" / "Out" / "link").is_symlink() == (keep == "yes")


def test_a_buildspec_may_be_a_file_of_the_source(tmp_path: Path) -> None:
    build = Build(tmp_path, {}, project={"source": {"buildspec": "specs/one.yaml"}})
    (build.source / "specs").mkdir()
    (build.source / "specs" / "one.yaml").write_text(
        "version: 0.2\nphases:\n  build:\n    commands:\n      - echo it\n"
    )
    assert build.run().succeeded
    assert build.told() == ["it"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("version: 0.1\nphases: {}\n", "version"),
        ("version: 0.2\nphases:\n  deploy:\n    commands: [a]\n", "phases.deploy"),
        ("version: 0.2\nphases:\n  build:\n    command: [a]\n", "phases.build.command"),
        ("version: 0.2\n", "phases: Field required"),
        ("version: [\n", "is not YAML"),
        ("- a\n- b\n", "is not a mapping"),
        ("nowhere.yaml", "no file nowhere.yaml"),
        ("arn:aws:s3:::bucket/spec.yml", "in a bucket"),
    ],
)
def test_fails_on_a_buildspec_that_codebuild_refuses(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(BuildspecError, match=problem):
        read_buildspec(text, tmp_path)
    result = Build(tmp_path, {}, project={"source": {"buildspec": text}}).run()
    assert (result.succeeded, result.phase) == (False, "DOWNLOAD_SOURCE")
    assert result.problem.startswith("YAML_FILE_ERROR")


def test_what_is_not_followed_is_said(tmp_path: Path) -> None:
    build = Build(
        tmp_path, {"build": {"commands": ["true"], "run-as": "nobody"}}, env={"git-credential-helper": "yes"}
    )
    assert build.run().succeeded
    assert [
        line.partition(": not followed")[0].split()[-1] for line in build.lines if "not followed" in line
    ] == [
        "env.git-credential-helper",
        "build.run-as",
    ]


PART = st.text("abc.-_", min_size=1, max_size=4).filter(lambda part: part not in (".", ".."))
PATH = st.lists(PART, min_size=1, max_size=4).map("/".join)


@given(path=PATH)
def test_every_file_is_among_all_files(path: str) -> None:
    assert _pattern("**/*").fullmatch(path)
    assert _pattern(path).fullmatch(path)
    assert bool(_pattern("*").fullmatch(path)) == ("/" not in path)


@given(path=PATH, folder=PART)
def test_a_folder_s_pattern_takes_what_is_in_it_and_nothing_else(path: str, folder: str) -> None:
    assert _pattern(f"{folder}/**/*").fullmatch(f"{folder}/{path}")
    assert not _pattern(f"{folder}/**/*").fullmatch(folder)
    assert not _pattern(f"{folder}/*").fullmatch(f"{folder}/deep/{path}")
    assert not _pattern(f"{folder}/**/*").fullmatch(f"other-{folder}/{path}")

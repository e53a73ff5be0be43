import json
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from operations import cli
from operations.checkoutput import summarize, tell
from operations.checks import (
    LEAVE_OUT,
    LONG,
    REHEARSAL_FOLDERS,
    TYPED,
    Result,
    Runner,
    Step,
    check_steps,
    rehearsal_step,
)
from operations.commands import check as check_command
from operations.commands import test as test_command
from operations.commands.check import choose, leave_out
from operations.errors import CommandError
from operations.node import ROOT
from rehearsal.pipeline.builds.machine import LEFT_OUT_CHECKS
from tests.conftest import pytest_collection_modifyitems as order_items


def python(name: str, program: str) -> Step:
    return Step(name, f"{name} is fine", (sys.executable, "-c", program))


def quiet(_step: Step, _result: Result | None) -> None:
    pass


def test_all_checks_run_even_if_one_fails() -> None:
    steps = [python("one", "print('bad'); raise SystemExit(3)"), python("two", ""), python("three", "")]
    results = Runner(quiet).run(steps, at_once=2)
    assert [(result.step.name, result.exit_code) for result in results] == [
        ("one", 3),
        ("two", 0),
        ("three", 0),
    ]


def test_both_streams_of_a_failing_check_are_shown_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    program = "import sys; print('first', flush=True); print('x' * 500, file=sys.stderr); sys.exit(1)"
    Runner(tell).run([python("one", program)], at_once=1)
    told = capsys.readouterr()
    assert "first\n" in told.out
    assert "x" * 500 in told.out
    assert "FAILED one" in told.err


def test_a_check_that_passes_is_one_line_and_the_tests_show_their_count(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Runner(tell).run([python("tests", "print('a'); print('=== 12 passed in 0.5s ===')")], at_once=1)
    told = capsys.readouterr()
    assert told.out == ""
    assert "(12 passed in 0.5s)" in told.err.splitlines()[-1]


def test_the_summary_names_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    results = [Result(python("one", ""), 0, 1.25), Result(python("two", ""), 2, 0.5)]
    assert summarize(results, seconds=1.5) == 1
    assert "failed: two in 2 s" in capsys.readouterr().out
    assert summarize(results[:1], seconds=1.5) == 0
    assert "all checks passed" in capsys.readouterr().out


def test_the_summary_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert summarize([Result(python("one", ""), 1, 1.26)], seconds=1.5, as_json=True) == 1
    assert json.loads(capsys.readouterr().out) == {
        "passed": False,
        "seconds": 1.5,
        "left_out": [],
        "checks": [
            {"name": "one", "title": "one is fine", "passed": False, "exit_code": 1, "seconds": 1.3}
            | {"warnings": []}
        ],
    }


@pytest.mark.parametrize("how", ["runner.run(steps, at_once=2)", "runner.run_shown(steps[0])"])
def test_an_interrupted_check_is_told_and_may_tidy_up(tmp_path: Path, how: str) -> None:
    """In a process of its own: the signal must not reach this one."""
    check = f"""
import pathlib, time
folder = pathlib.Path({str(tmp_path)!r})
try:
    (folder / "running").touch()
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.5)
    (folder / "tidied").touch()
"""
    program = f"""
import signal, sys
from operations.checks import Runner, Step
steps = [Step(str(n), "", (sys.executable, "-c", {check!r})) for n in range(3)]
signal.signal(signal.SIGINT, signal.default_int_handler)
runner = Runner(lambda *_: None)
try:
    {how}
except KeyboardInterrupt:
    sys.exit(130)
"""
    process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    timer = Timer(60, process.kill)
    timer.start()
    while not (tmp_path / "running").exists():
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)  # to it alone, as a supervisor does
    assert process.wait() == 130
    timer.cancel()
    assert (tmp_path / "tidied").exists()


def test_checks_can_be_picked_by_name() -> None:
    steps = check_steps(Path("/nowhere"))
    assert [step.name for step in choose(steps, ("types", "lint"))] == ["lint", "types"]
    assert choose(steps, ()) == steps
    with pytest.raises(CommandError) as caught:
        choose(steps, ("lnt",))
    assert caught.value.fix == 'did you mean "lint"?'


def test_the_checks_leave_nothing_in_the_tree(tmp_path: Path) -> None:
    synth = next(step for step in check_steps(tmp_path) if step.name == "synth")
    assert synth.command[-2:] == ("--output", str(tmp_path / "cdk.out"))


def test_mypy_reads_every_module_of_the_cdk_that_is_used() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        overrides = tomllib.load(file)["tool"]["mypy"]["overrides"]
    read = next(set(each["module"]) for each in overrides if each.get("follow_imports") == "normal")
    used = set()
    for name in TYPED:
        for source in (ROOT / name).rglob("*.py") if (ROOT / name).is_dir() else [ROOT / name]:
            text = source.read_text(encoding="utf-8")
            used |= set(re.findall(r"^\s*(?:from|import) (aws_cdk\.\w+)", text, re.MULTILINE))
            used |= {f"aws_cdk.{module}" for module in re.findall(r"from aws_cdk import ([a-z]\w+)", text)}
    assert used > {"aws_cdk.aws_ecs", "aws_cdk.pipelines"}
    assert used - read == set()


def test_check_leaves_the_rehearsal_out_and_test_runs_it() -> None:
    tests = next(step for step in check_steps(Path("/nowhere")) if step.name == "tests")
    assert "not rehearsal" in tests.command
    command = rehearsal_step().command
    assert command[command.index("pytest") + 1 :][:4] == ("-m", "rehearsal", *REHEARSAL_FOLDERS)


def test_a_rehearsal_test_where_nobody_would_run_it_is_refused() -> None:
    class Item:
        name = "test_it"

        def __init__(self, file: str) -> None:
            self.nodeid, self.path = file, ROOT / file

        def get_closest_marker(self, name: str) -> bool | None:
            return name == "rehearsal" or None

        def add_marker(self, mark: object) -> None: ...

    def item(file: str) -> Any:
        return Item(file)

    config: Any = None
    for folder in REHEARSAL_FOLDERS:
        order_items(config, [item(f"{folder}/test_it.py")])
    with pytest.raises(pytest.UsageError, match="would not run it"):
        order_items(config, [item("tests/config/test_it.py")])


def test_the_command_runs_what_is_picked_and_hands_the_failure_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = (python("good", ""), python("bad", "raise SystemExit(1)"))
    monkeypatch.setattr(check_command, "check_steps", lambda _: steps)
    assert cli.main(["check", "--only", "good"]) == 0
    assert cli.main(["check"]) == 1
    assert cli.main(["check", "--only", "ugly"]) == 2
    assert "failed: bad" in capsys.readouterr().out


def rehearse_with(monkeypatch: pytest.MonkeyPatch, step: Step, *beside: Step) -> None:
    monkeypatch.setattr(test_command, "rehearsal_step", lambda: step)
    monkeypatch.setattr(test_command, "app_steps", lambda: beside)


def test_test_shows_the_rehearsal_while_it_runs(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(test_command, "check_steps", lambda _: (python("good", "print('not shown')"),))
    rehearse_with(
        monkeypatch,
        python("rehearsal", "print('7 passed in 1s')"),
        python("app", "print('not shown\\n9 passed')"),
    )
    assert cli.main(["test"]) == 0
    told = capfd.readouterr().out
    assert "7 passed in 1s" in told
    assert "9 passed" in told
    assert "not shown" not in told


def test_test_runs_the_apps_own_tests_beside_the_rehearsal_and_shows_their_failure_after_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Each waits for the other to begin."""
    program = """
import pathlib, sys, time
folder, own, other = pathlib.Path(sys.argv[1]), *sys.argv[2:]
(folder / own).touch()
deadline = time.monotonic() + 60
while not (folder / other).exists() and time.monotonic() < deadline:
    time.sleep(0.01)
print(own, "saw", other, (folder / other).exists(), flush=True)
sys.exit(own == "app")
"""

    def step(own: str, other: str) -> Step:
        return Step(own, "", (sys.executable, "-c", program, str(tmp_path), own, other))

    monkeypatch.setattr(test_command, "check_steps", lambda _: ())
    rehearse_with(monkeypatch, step("rehearsal", "app"), step("app", "rehearsal"))
    assert cli.main(["test"]) == 1
    told = capfd.readouterr().out
    assert 0 <= told.index("rehearsal saw app True") < told.index("app saw rehearsal True")
    assert "failed: app" in told


def test_the_long_checks_are_left_to_the_rehearsed_synth_by_test_and_to_nothing_by_check(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert set(LONG) < {step.name for step in check_steps(Path("/nowhere"))}
    steps = (python("lint", ""), *(python(name, "raise SystemExit(1)") for name in LONG))
    for module in (test_command, check_command):
        monkeypatch.setattr(module, "check_steps", lambda _: steps)
    rehearse_with(monkeypatch, python("rehearsal", ""))
    monkeypatch.delenv(LEAVE_OUT, raising=False)
    assert cli.main(["test"]) == 0
    assert cli.main(["check"]) == 1
    assert "failed: tests, types, synth" in capfd.readouterr().out


def test_the_number_of_tests_is_in_the_summary(capsys: pytest.CaptureFixture[str]) -> None:
    summarize([Result(python("tests", ""), 0, 1.0, "...\n=== 12 passed in 0.5s ===\n")], seconds=1)
    assert "12 passed in 0.5s" in capsys.readouterr().out


def test_checks_that_the_variable_names_are_left_out_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = (
        python("lint", ""),
        python("types", "raise SystemExit(1)"),
        python("tests", "raise SystemExit(1)"),
    )
    monkeypatch.setattr(check_command, "check_steps", lambda _scratch: steps)
    monkeypatch.setenv(LEAVE_OUT, "types, tests")
    assert cli.main(["check"]) == 0
    told = capsys.readouterr()
    assert "LEFT OUT types" in told.err
    assert "LEFT OUT: types, tests" in told.out
    assert cli.main(["check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["left_out"] == ["types", "tests"]


def test_the_help_names_the_checks_that_a_rehearsal_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--help"]) == 0
    named = " and ".join(LEFT_OUT_CHECKS.split(","))
    assert f"sets it to {named}." in " ".join(capsys.readouterr().out.split())


def test_without_the_variable_every_check_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        check_command, "check_steps", lambda _scratch: (python("types", "raise SystemExit(1)"),)
    )
    monkeypatch.delenv(LEAVE_OUT, raising=False)
    assert cli.main(["check"]) == 1
    assert "LEFT OUT" not in capsys.readouterr().out


def test_the_option_leaves_a_check_out_and_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = (python("lint", ""), python("types", ""), python("synth", "raise SystemExit(1)"))
    monkeypatch.setattr(check_command, "check_steps", lambda _scratch: steps)
    monkeypatch.setenv(LEAVE_OUT, "types")
    assert cli.main(["check", "--without", "synth"]) == 0
    told = capsys.readouterr()
    assert "LEFT OUT synth" in told.err
    assert "(by --without)" in told.err
    assert "LEFT OUT: types, synth" in told.out
    assert cli.main(["check", "--only", "synth", "--without", "synth"]) == 2
    assert cli.main(["check", "--without", "sinth"]) == 2


@pytest.mark.parametrize("names", ["typos", "lint,typos", "Lint"])
def test_the_variable_may_not_name_a_check_that_there_is_not(names: str) -> None:
    with pytest.raises(CommandError, match="no check is called"):
        leave_out(check_steps(Path()), names.split(","), by=LEAVE_OUT)


def test_the_variable_may_not_leave_out_everything() -> None:
    steps = check_steps(Path())
    with pytest.raises(CommandError, match="every check"):
        leave_out(steps, [step.name for step in steps], by=LEAVE_OUT)


def test_what_a_check_warned_of_is_in_the_summary_once_it_has_passed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    warned = Result(
        python("synth", ""), 0, 1.0, "32 stacks\nwarning: a waiver expires in 7 days; look at it\n"
    )
    summarize([warned], seconds=1)
    assert "warning: a waiver expires in 7 days; look at it" in capsys.readouterr().out
    summarize([warned], seconds=1, as_json=True)
    assert json.loads(capsys.readouterr().out)["checks"][0]["warnings"] == [
        "a waiver expires in 7 days; look at it"
    ]


def test_no_check_starts_an_organization() -> None:
    (tests,) = [step for step in check_steps(Path()) if step.name == "tests"]
    assert "not rehearsal" in tests.command
    assert not [step for step in check_steps(Path()) if "rehearse" in step.command]

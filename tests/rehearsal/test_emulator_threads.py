"""State that several threads of the emulator share: whoever goes through it meets no change."""

import ast
import gc
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from rehearsal.emulator import internals
from rehearsal.emulator.internals_threads import on_loop
from rehearsal.emulator.steady import SteadyDict
from rehearsal.engine import ministack
from rehearsal.pipeline.definition import Action, Definition, Stage
from rehearsal.pipeline.passage import Work
from rehearsal.pipeline.pipelines import Pipeline
from tests.rehearsal.conftest import REGION, TOOLING

ROOT = Path(__file__).parents[2]
WAYS: Mapping[str, Callable[[dict[Any, Any]], Any]] = {
    "in": lambda held: [key for key in held if meddle(held)],
    "keys": lambda held: [key for key in held.keys() if meddle(held)],  # noqa: SIM118 (it is what is tried)
    "values": lambda held: [value for value in held.values() if meddle(held)],
    "items": lambda held: [item for item in held.items() if meddle(held)],
    "copy": lambda held: [key for key in held.copy() if meddle(held)],
}
LOCKED = {  # walked through under a lock that every change takes as well
    "ministack.core.lambda_runtime._workers",
    "ministack.services.lambda_svc._warm_pool",
}
ON_THE_LOOP = {  # walked through and changed by requests only, which the event loop answers one after the other
    "ministack.services.iam._aws_managed_policies",
}
AT_THE_START = (
    "_restore",
    "get_state",
    "load_",
    "restore",
)  # nothing else runs when state is read from a file


def meddle(held: dict[Any, Any]) -> bool:
    """Change what is being gone through, as another thread may between any two steps."""
    held[len(held)] = "new"
    held.pop(0, None)
    return True


@pytest.mark.parametrize("way", WAYS)
def test_a_way_through_a_steady_dict_meets_no_change(way: str) -> None:
    held = SteadyDict(dict.fromkeys(range(100), "old"))

    found = WAYS[way](held)

    assert len(found) == 100
    if way != "copy":
        with pytest.raises(RuntimeError, match="changed"):
            WAYS[way](dict.fromkeys(range(100), "old"))


def test_a_steady_dict_is_taken_in_one_step_though_the_collector_runs() -> None:
    class Finalized:
        """Garbage whose finalizer changes the dict."""

        def __init__(self, held: dict[Any, Any]) -> None:
            self.held, self.myself = held, self

        def __del__(self) -> None:
            self.held[id(self)] = "new"

    def take(held: dict[Any, Any]) -> None:
        for _ in range(20):
            Finalized(held)
            list(held.items())

    thresholds = gc.get_threshold()
    gc.set_threshold(50)
    try:
        take(SteadyDict(dict.fromkeys(range(5_000))))
        with pytest.raises(RuntimeError, match="changed size"):
            take(dict.fromkeys(range(5_000)))
    finally:
        gc.set_threshold(*thresholds)


def raced(*arguments: str) -> dict[str, int]:
    """How often each way of reading MiniStack's state failed."""
    program = [sys.executable, "-m", "tests.rehearsal.racing", *arguments]
    tried = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True)
    failed: dict[str, int] = json.loads(tried.stdout)
    return failed


def test_state_is_read_while_many_change_it() -> None:
    assert raced() == {"sessions": 0, "buckets": 0, "log_streams": 0, "task_records": 0}


def test_each_race_is_one_that_ministack_as_it_is_loses() -> None:
    """Otherwise the test before this one would prove nothing."""
    failed = raced("as-it-is")

    assert len(failed) == 4
    assert all(failed.values()), failed


def walks(module: str) -> Iterator[str]:
    """Plain dicts of a module that a function of it walks through as they are."""
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    plain = {
        target.id
        for made in tree.body
        if isinstance(made, ast.Assign | ast.AnnAssign)
        for target in (made.targets if isinstance(made, ast.Assign) else [made.target])
        if isinstance(target, ast.Name) and ast.unparse(made.value or made) in ("{}", "dict()")
    }
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if function.name.startswith(AT_THE_START):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.For | ast.comprehension):
                walked = ast.unparse(node.iter).removesuffix("()").rsplit(".", 1)[0]
                if walked in plain:
                    yield f"{module}.{walked}"


def test_no_other_plain_dict_of_ministack_is_walked_through_as_it_is() -> None:
    found = {walk for module in {**internals.USED, **ministack.USED} for walk in walks(module)}

    assert found == {"ministack.services.sts._sessions"} | LOCKED | ON_THE_LOOP, (
        "see rehearsal/emulator/internals_threads.py"
    )


def test_without_a_server_work_for_the_loop_is_done_at_once() -> None:
    assert on_loop(threading.get_ident) == threading.get_ident()


def test_an_action_that_dies_of_a_mistake_leaves_its_place_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def stumble(_work: Work) -> None:
        raise RuntimeError("dictionary changed size\nduring iteration")

    media = Action("Media.Deploy", "Deploy", "CloudFormation", 1, {}, (), (), "", "", "")
    stages = (Stage("Staging", (media,)),)
    definition = Definition("line", "", stages, {}, restart_on_update=False, structure={})
    pipeline = Pipeline(TOOLING, REGION, definition, stumble)

    with caplog.at_level(logging.ERROR), pipeline.changed:
        execution = pipeline.start("CreatePipeline", "a test")
        assert pipeline.changed.wait_for(lambda: execution.has_ended, timeout=10)

    (record,) = caplog.records
    assert record.message == "Staging/Media.Deploy"
    assert record.exc_text is not None
    assert "in stumble" in record.exc_text
    (run,) = execution.runs()
    assert (run.status, run.error_code) == ("Failed", "InternalError")
    assert run.error_message == (
        "RuntimeError: dictionary changed size (a mistake of the rehearsal; the emulator's log has its place)"
    )

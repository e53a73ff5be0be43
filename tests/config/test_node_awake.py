"""What Node and Python do while they wait for each other: seen by what they do, not by the time it takes."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest
from jsii._kernel import types
from jsii._kernel.providers import process as jsii_process

from config import messages
from config.node import bundled_node, use_bundled_node

ROOT = Path(__file__).parents[2]
SECONDS = 60  # for what comes at once, if it comes at all
LONG = "600000"  # milliseconds that nobody waits for: Node is told to sleep no more

# Stands for jsii's: it makes its folder, links a library of two modules into it, is asked, answers, and ends.
PROGRAM = """
const fs = require("fs"), os = require("os"), path = require("path");
const kernel = fs.mkdtempSync(path.join(os.tmpdir(), "jsii-kernel-"));
fs.symlinkSync(process.env.TEST_LIBRARY, path.join(kernel, "library"));
const names = () => Object.keys(require.cache).map((file) => path.basename(file, ".js"));
if (process.env.TEST_READY) fs.writeSync(1, "ready\\n");
fs.readSync(3, Buffer.alloc(100));
fs.writeSync(3, JSON.stringify({ loaded: names(), tries: global.tries }) + "\\n");
for (const name of (process.env.TEST_USES ?? "").split(",").filter(Boolean))
  require(path.join(kernel, "library", name));
"""
# Says at the tenth try that there is nothing to read yet: only who does not sleep tries again.
SPY = """
const fs = require("fs"), { readSync, writeSync } = fs;
global.tries = 0;
fs.readSync = (...given) => {
  try {
    return readSync(...given);
  } catch (error) {
    if (error.code === "EAGAIN" && ++global.tries === 10) writeSync(1, "awake\\n");
    throw error;
  }
};
"""


class Place:
    """A folder with a program in jsii's place, a library and a cache."""

    def __init__(self, folder: Path) -> None:
        self.library, self.cache = folder / "library", folder / "cache"
        self.library.mkdir()
        for name in ("first", "second"):
            text = f'require("fs").writeSync(1, "{name} is loaded\\n");'
            (self.library / f"{name}.js").write_text(text, encoding="utf-8")
        self.program, self.spy = folder / "program.js", folder / "spy.js"
        self.program.write_text(PROGRAM, encoding="utf-8")
        self.spy.write_text(SPY, encoding="utf-8")
        self._temporary = folder

    @contextmanager
    def started(self, **variables: str) -> Iterator["Node"]:
        """Node, which waits for a request."""
        process = subprocess.Popen(
            [
                *(str(bundled_node()), "--preserve-symlinks", "--preserve-symlinks-main"),
                *("--require", str(self.spy), str(ROOT / "config" / "jsii" / "runtime.js")),
            ],
            env={
                "LZ_JSII_CACHE": str(self.cache),
                "LZ_JSII_PROGRAM": str(self.program),
                "TEST_LIBRARY": str(self.library),
                "TMPDIR": str(self._temporary),
                **variables,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with process:
            try:
                yield Node(process)
                assert process.wait(SECONDS) == 0
            finally:
                process.kill()


class Node:
    """The process, from Python's side."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin: IO[bytes] = process.stdin
        self._stdout: IO[bytes] = process.stdout

    def says(self, seconds: float = SECONDS) -> str:
        """The next line; empty if it says none."""
        if not select.select([self._stdout], [], [], seconds)[0]:
            return ""
        line = b""
        while not line.endswith(b"\n") and (byte := os.read(self._stdout.fileno(), 1)):
            line += byte
        return line.decode().strip()

    def ask(self) -> None:
        self._stdin.write(b"request")
        self._stdin.flush()

    def answer(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(self.says())
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def remembered(place: Place) -> Place:
    """The place after a first start, which used both modules."""
    with place.started(TEST_USES="second,first") as first:
        first.ask()
        assert not {"first", "second"} & set(first.answer()["loaded"])
        assert [first.says(), first.says()] == ["second is loaded", "first is loaded"]
    return place


def test_what_a_start_loaded_is_remembered_in_its_order(remembered: Place) -> None:
    listed = json.loads((remembered.cache / "modules.json").read_text(encoding="utf-8"))
    assert listed == ["library/second.js", "library/first.js"]


def test_what_was_loaded_before_is_loaded_while_nobody_asks(remembered: Place) -> None:
    with remembered.started() as second:
        assert [second.says(), second.says()] == [
            "second is loaded",
            "first is loaded",
        ]  # nothing is asked yet
        second.ask()
        assert {"first", "second"} <= set(second.answer()["loaded"])


def test_a_request_that_is_there_already_is_answered_first(place: Place) -> None:
    place.cache.mkdir()
    (place.cache / "modules.json").write_text('["library/first.js"]', encoding="utf-8")
    # A program that looks for requests only once one is there for sure.
    sign, waiting = place.library / "sign", place.program.with_name("waiting.js")
    os.mkfifo(sign)
    waiting.write_text(f'require("fs").readFileSync({json.dumps(str(sign))});{PROGRAM}', encoding="utf-8")
    with place.started(LZ_JSII_PROGRAM=str(waiting)) as started:
        started.ask()
        sign.write_text("now", encoding="utf-8")
        assert "first" not in started.answer()["loaded"]


def test_node_looks_for_the_next_request_again_and_again_as_long_as_it_is_told_to(place: Place) -> None:
    with place.started(LZ_JSII_MOMENT=LONG) as eager:
        assert eager.says() == "awake"
        eager.ask()
        assert eager.answer()["tries"] >= 10


def test_node_sleeps_if_it_is_not_told_to_stay_awake(place: Place) -> None:
    with place.started(TEST_READY="1") as calm:
        assert calm.says() == "ready"
        assert calm.says(seconds=0.2) == ""  # it would have tried ten times at once
        calm.ask()
        assert calm.answer()["tries"] == 0


@pytest.mark.parametrize(("moment", "looks"), [(3600.0, 4), (0, 0)])
def test_python_looks_for_an_answer_before_it_sleeps_if_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch, moment: float, looks: int
) -> None:
    monkeypatch.setattr(jsii_process._NodeProcess, "send", jsii_process._NodeProcess.send)
    reading, writing = os.pipe()
    seen: list[object] = []

    class Poll:
        def register(self, *_of: object) -> None: ...

        def poll(self, milliseconds: float) -> list[object]:
            seen.append(milliseconds)
            return [reading] if len(seen) == 4 else []

    monkeypatch.setattr(messages, "select", SimpleNamespace(poll=Poll, POLLIN=select.POLLIN))
    os.write(writing, b'{"ok": {"value": 7}}\n')
    os.close(writing)
    messages.speak_directly(moment=moment)
    with os.fdopen(reading, "rb") as answers, Path(os.devnull).open("wb") as requests:
        fake: Any = SimpleNamespace(_process=SimpleNamespace(stdin=requests, stdout=answers))
        request = types.GetRequest(objref=types.ObjRef("thing@1"), property="size")
        given = jsii_process._NodeProcess.send(fake, request, types.GetResponse)
    assert given == types.GetResponse(value=7)
    assert seen == [0] * looks


@pytest.mark.parametrize(("eager", "cores", "awake"), [(True, 2, True), (True, 1, False), (False, 2, False)])
def test_both_sides_stay_awake_where_a_synthesis_has_the_machine(
    monkeypatch: pytest.MonkeyPatch, *, eager: bool, cores: int, awake: bool
) -> None:
    told: list[float] = []
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(messages, "speak_directly", lambda *, moment: told.append(moment))
    use_bundled_node(eager=eager)
    assert [moment > 0 for moment in told] == [awake]
    assert (float(os.environ["LZ_JSII_MOMENT"]) > 0) == awake


def test_the_app_itself_is_eager() -> None:
    program = """
import runpy, sys
from config import node
def spy(*, eager):
    print("eager", eager)
    sys.exit()
node.use_bundled_node = spy
runpy.run_path("app.py", run_name="__main__")
"""
    done = subprocess.run(
        [sys.executable, "-OO", "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "eager True\n"

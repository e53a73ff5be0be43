"""The one shell of a build: what carries on from command to command, and how a command's end is known."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.pipeline.builds.shell import Shell, TimedOutError

ENVIRONMENT = {"PATH": os.defpath, "HOME": "/nowhere"}


class Told(list[str]):
    """The lines that a shell told."""

    def take(self) -> list[str]:
        lines = list(self)
        self.clear()
        return lines


@pytest.fixture
def told() -> Told:
    return Told()


def runs(pid: int) -> bool:
    """Whether a process runs; one that has ended may wait for its parent to notice."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def ends(pid: int) -> bool:
    """Whether a process ends soon: a busy machine takes a moment to end what was killed."""
    deadline = time.monotonic() + 10
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not runs(pid)


def make(tmp_path: Path, told: Told, program: str = "/bin/sh", seconds: float = 30) -> Shell:
    (tmp_path / "source").mkdir(exist_ok=True)
    return Shell(
        program,
        environment=ENVIRONMENT,
        directory=tmp_path / "source",
        folder=tmp_path / "shell",
        tell=told.append,
        deadline=time.monotonic() + seconds,
    )


@pytest.fixture(params=["/bin/sh", "bash"])
def shell(tmp_path: Path, told: Told, request: pytest.FixtureRequest) -> Iterator[Shell]:
    made = make(tmp_path, told, request.param)
    yield made
    made.close()


def test_folder_variables_and_functions_carry_on(shell: Shell, told: Told, tmp_path: Path) -> None:
    for command in ("mkdir deep; cd deep", "export A=exported", "B=plain", "f() { echo from f; }"):
        assert shell.run(command) == 0
    assert shell.run('pwd; echo "$A $B"; f; sh -c \'echo "$A,$B"\'') == 0
    assert told == [f"{tmp_path}/source/deep", "exported plain", "from f", "exported,"]


def test_the_exit_code_of_each_command_is_known(shell: Shell) -> None:
    assert [shell.run(command) for command in ("true", "false", "(exit 7)", "nothing-of-that-name")] == [
        0,
        1,
        7,
        127,
    ]


def test_a_command_that_ends_the_shell_leaves_exports_and_folder(
    shell: Shell, told: Told, tmp_path: Path
) -> None:
    shell.run("mkdir 'two words'; cd 'two words'; export A=\"it's\"")
    assert shell.run("echo before; exit 9; echo after") == 9
    assert shell.run('pwd; echo "$A"') == 0
    assert told == ["before", f"{tmp_path}/source/two words", "it's"]


def test_a_syntax_error_is_a_failure_and_no_end(shell: Shell, told: Told) -> None:
    shell.run("export A=1")
    assert shell.run("if true; then") != 0
    told.clear()
    assert shell.run("echo $A") == 0
    assert told == ["1"]


def test_a_shell_that_a_signal_killed_ends_with_its_number(shell: Shell) -> None:
    assert shell.run("kill -KILL $$") == 137
    assert shell.run("true") == 0


def test_a_command_has_no_input_and_sees_nothing_of_the_driver(shell: Shell, told: Told) -> None:
    assert shell.run("cat; env | grep LZ_; ls /proc/self/fd 2>/dev/null | grep -c 8") == 1
    assert told in (["0"], [])


def test_output_that_went_elsewhere_does_not_hide_the_end(shell: Shell, told: Told, tmp_path: Path) -> None:
    assert shell.run(f"exec >{tmp_path}/elsewhere 2>&1; echo lost") == 0
    assert shell.run("false") == 1
    assert told == []


def test_a_last_line_without_an_end_is_told(shell: Shell, told: Told) -> None:
    shell.run("printf 'no end'; printf 'on stderr' >&2")
    shell.run("printf 'a\\n\\nb'")
    assert told == ["no endon stderr", "a", "", "b"]


def test_lines_come_in_order_and_whole(shell: Shell, told: Told) -> None:
    shell.run("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done")
    assert told == [f"line {number}" for number in range(3000)]


def test_a_long_line_comes_in_parts_and_the_end_is_found(shell: Shell, told: Told) -> None:
    assert shell.run("head -c 500000 /dev/zero | tr '\\0' x; (exit 3)") == 3
    assert "".join(told) == "x" * 500_000
    assert max(map(len, told)) <= 200_000


def test_what_was_left_in_the_background_ends_with_the_shell(tmp_path: Path, told: Told) -> None:
    shell = make(tmp_path, told)
    assert shell.run("sleep 600 & echo $!") == 0
    assert runs(int(told[0]))
    shell.close()
    assert ends(int(told[0]))


def test_the_end_of_the_time_ends_everything(tmp_path: Path, told: Told) -> None:
    shell = make(tmp_path, told, seconds=0.5)
    with pytest.raises(TimedOutError):
        shell.run("sleep 600 & echo $!; wait")
    assert ends(int(told[0]))


WORD = st.text(st.characters(blacklist_characters="\0\r\n", blacklist_categories=["Cs"]), max_size=40)


@settings(max_examples=15, deadline=None)
@given(values=st.lists(WORD, min_size=1, max_size=5))
def test_any_value_is_exported_as_it_is(values: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    told = Told()
    shell = make(tmp_path_factory.mktemp("shell"), told)
    try:
        for value in values:
            shell.export("VALUE", value)
            told.clear()
            assert shell.run('sh -c \'printf "%s\\n" "$VALUE"\'') == 0
            assert told == [value]
        shell.run("exit 1")
        told.clear()
        shell.run('printf "%s\\n" "$VALUE"')
        assert told == [values[-1]]
    finally:
        shell.close()

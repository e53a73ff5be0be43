"""The host of tasks: how processes start, end, and never outlive the rehearsal."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.engine.host import LOCK_NAME, Host, cpus_for, wait_until_free
from rehearsal.engine.process import HostError, HostProcess, Program
from tests.rehearsal.workload import until

pytestmark = pytest.mark.rehearsal

ROOT = Path(__file__).parents[2]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path)
    yield host
    host.close()


def start(host: Host, tmp_path: Path, script: str, **settings: object) -> HostProcess:
    program = Program(["/bin/sh", "-c", script], {"A": "1"}, tmp_path, tmp_path / "log", **settings)  # type: ignore[arg-type]
    return host.start(program)


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_a_process_has_its_environment_its_folder_and_its_log(host: Host, tmp_path: Path) -> None:
    process = start(host, tmp_path, "echo $A; pwd; echo to-stderr >&2; exit 5")

    assert process.wait(10) == 5
    assert (tmp_path / "log").read_text().splitlines() == ["1", str(tmp_path), "to-stderr"]
    assert not process.runs


def test_a_program_that_does_not_exist_is_an_error(host: Host, tmp_path: Path) -> None:
    with pytest.raises(HostError, match="No such file"):
        host.start(Program(["/no/such/program"], {}, tmp_path, tmp_path / "log"))
    assert start(host, tmp_path, "exit 0").wait(10) == 0


def test_a_process_that_a_signal_ends_has_that_in_its_code(host: Host, tmp_path: Path) -> None:
    process = start(host, tmp_path, "sleep 60")

    process.send(signal.SIGTERM)

    assert process.wait(10) == 143


def test_stop_kills_the_group_of_who_does_not_listen(host: Host, tmp_path: Path) -> None:
    process = start(host, tmp_path, "trap '' TERM; sleep 60 & echo $!; wait; sleep 60")
    child = int(until((tmp_path / "log").read_text))

    assert process.stop(seconds=0.3) == 137
    until(lambda: not alive(child))


def test_what_a_process_leaves_in_its_group_ends_with_it(host: Host, tmp_path: Path) -> None:
    process = start(host, tmp_path, "sleep 60 & echo $!")

    assert process.wait(10) == 0
    child = int((tmp_path / "log").read_text())
    until(lambda: not alive(child))


def test_too_much_memory_ends_a_process_with_137(host: Host, tmp_path: Path) -> None:
    script = f"exec {sys.executable} -c 'import time; held = b\"x\" * (100 << 20); time.sleep(60)'"

    process = start(host, tmp_path, script, memory_bytes=50 << 20)

    assert process.wait(20) == 137
    assert process.out_of_memory


def test_memory_below_the_limit_is_left_alone(host: Host, tmp_path: Path) -> None:
    process = start(host, tmp_path, "sleep 2.5", memory_bytes=50 << 20)

    assert process.wait(20) == 0
    assert not process.out_of_memory


def test_closing_ends_everything_daemons_too(tmp_path: Path) -> None:
    host = Host(tmp_path)
    start(host, tmp_path, "sleep 60")
    start(host, tmp_path, "setsid sleep 60 & echo $! >daemon; sleep 60")
    daemon = int(until(lambda: (tmp_path / "daemon").exists() and (tmp_path / "daemon").read_text()))
    assert not wait_until_free(tmp_path, seconds=0.2)

    host.close()

    assert wait_until_free(tmp_path, seconds=0)
    assert not alive(daemon)


def test_everything_ends_when_the_emulator_is_killed(tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import sys, time
        from pathlib import Path
        from rehearsal.engine.host import Host
        from rehearsal.engine.process import Program
        here = Path({str(tmp_path)!r})
        host = Host(here)
        script = "setsid sleep 60 & echo $! >daemon; echo $$ >leader; sleep 60"
        host.start(Program(["/bin/sh", "-c", script], {{}}, here, here / "log"))
        time.sleep(60)
    """)
    emulator = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    pids = [
        int(until(lambda name=name: (tmp_path / name).exists() and (tmp_path / name).read_text()))  # type: ignore[misc]
        for name in ("daemon", "leader")
    ]

    emulator.kill()
    emulator.wait()

    assert wait_until_free(tmp_path)
    assert [pid for pid in pids if alive(pid)] == []


def test_a_supervisor_that_is_killed_takes_its_processes_along(tmp_path: Path) -> None:
    host = Host(tmp_path)
    process = start(host, tmp_path, "sleep 60")

    os.kill(host._supervisor.pid, signal.SIGKILL)

    assert process.wait(10) == 137
    until(lambda: not alive(process.pid))
    with pytest.raises(HostError, match="supervisor"):
        start(host, tmp_path, "true")
    host.close()


def test_there_is_nothing_to_wait_for_where_no_host_was(tmp_path: Path) -> None:
    started = time.monotonic()

    assert wait_until_free(tmp_path)
    assert not (tmp_path / LOCK_NAME).exists()
    assert time.monotonic() - started < 1


def test_small_tasks_get_one_processor_each_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1, 2, 3})

    assert [cpus_for(256, turn) for turn in range(5)] == [[0], [1], [2], [3], [0]]
    assert cpus_for(2048, 3) == [3, 0]
    assert cpus_for(4096, 0) is None
    assert cpus_for(0, 0) is None

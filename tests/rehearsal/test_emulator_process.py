"""The emulator as a process: it starts anywhere, several at a time, and leaves nothing."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from rehearsal.emulator import Emulator, EmulatorError
from rehearsal.kept import take_down
from tests.rehearsal.conftest import STAGING, Cloud

pytestmark = pytest.mark.rehearsal

ACCOUNTS = ["111111111111", "222222222222"]


def group_runs(leader: int) -> bool:
    """Whether any process of a group runs; one that ended and is not waited for does not."""
    listing = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=True)
    return any(
        line.split()[0] == str(leader) and not line.split()[1].startswith("Z")
        for line in listing.stdout.splitlines()
    )


def wait_until_gone(leader: int) -> None:
    deadline = time.monotonic() + 10
    while group_runs(leader):
        assert time.monotonic() < deadline, f"process group {leader} still runs"
        time.sleep(0.05)


def test_two_run_side_by_side_and_end(tmp_path: Path) -> None:
    first = Emulator(directory=tmp_path / "first", region="eu-west-1", accounts=ACCOUNTS)
    second = Emulator(directory=tmp_path / "second", region="us-east-1", accounts=ACCOUNTS)

    with first, second:
        first.client("sqs", ACCOUNTS[0]).create_queue(QueueName="mine")
        groups = first.pid, second.pid

        assert first.port != second.port
        assert not second.client("sqs", ACCOUNTS[0]).list_queues().get("QueueUrls")
        assert (
            second.client("sts", ACCOUNTS[1]).get_caller_identity()["Arn"]
            == f"arn:aws:iam::{ACCOUNTS[1]}:root"
        )

    assert not any(group_runs(group) for group in groups)
    assert not (tmp_path / "first" / "emulator.json").exists()
    first.stop()


def test_listens_on_one_local_port_only(cloud: Cloud) -> None:
    log = cloud.emulator.log_file.read_text()

    assert f"Running on https://127.0.0.1:{cloud.emulator.port} " in log
    assert ":443 " not in log


def test_serves_tls_for_its_names_with_its_own_authority(cloud: Cloud) -> None:
    context = ssl.create_default_context(cafile=str(cloud.emulator.ca_file))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    for host in ("127.0.0.1", "localhost"):
        url = f"https://{host}:{cloud.emulator.port}/_ministack/health"
        with urllib.request.urlopen(url, context=context) as response:
            assert response.status == 200


def test_writes_nothing_outside_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(elsewhere))

    with Emulator(directory=tmp_path / "emulator", region="eu-west-1", accounts=ACCOUNTS) as emulator:
        emulator.client("sqs", ACCOUNTS[0]).create_queue(QueueName="q")

    assert list(elsewhere.iterdir()) == []


def test_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time\n"
        "from rehearsal.emulator import Emulator\n"
        "emulator = Emulator(directory=pathlib.Path(sys.argv[1]), region='eu-west-1', accounts=['111111111111'])\n"
        "emulator.start()\n"
        "print(emulator.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    leader = int(parent.stdout.readline())
    assert group_runs(leader)

    parent.kill()
    parent.wait()
    parent.stdout.close()

    wait_until_gone(leader)


def test_a_detached_one_is_found_again(tmp_path: Path) -> None:
    started = Emulator(directory=tmp_path, region="eu-west-1", accounts=ACCOUNTS)
    started.start(detached=True)
    leader = started.pid
    try:
        found = Emulator.attach(tmp_path)

        assert (found.port, found.region, found.accounts) == (started.port, "eu-west-1", tuple(ACCOUNTS))
        assert found.client("sts", ACCOUNTS[0]).get_caller_identity()["Account"] == ACCOUNTS[0]
    finally:
        Emulator.attach(tmp_path).stop()
    started.stop()

    wait_until_gone(leader)
    with pytest.raises(EmulatorError, match="no emulator was started"):
        Emulator.attach(tmp_path)


def test_attach_does_not_take_another_process_for_it(tmp_path: Path) -> None:
    state = {"pid": os.getpid(), "port": 1, "region": "eu-west-1", "accounts": ACCOUNTS}
    (tmp_path / "emulator.json").write_text(json.dumps(state))

    with pytest.raises(EmulatorError, match="does not run any more"):
        Emulator.attach(tmp_path)


def test_a_failed_start_shows_the_log_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho out of order\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    emulator = Emulator(directory=tmp_path, region="eu-west-1", accounts=ACCOUNTS)

    with pytest.raises(EmulatorError, match=r"ended at once(.|\n)*out of order"):
        emulator.start()

    assert emulator.pid == 0


def test_the_environment_of_programs_is_complete_and_clean(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "of-the-host")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-the-host")
    variables = cloud.emulator.environment(STAGING)
    code = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"

    asked = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True
    )
    node = subprocess.run(["node", "--version"], env=variables, capture_output=True, text=True, check=True)

    assert asked.stdout.strip() == STAGING
    assert node.stdout.startswith("v24.")
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN"} & set(variables)


def test_stop_ends_one_that_does_not_listen_to_signals(tmp_path: Path) -> None:
    emulator = Emulator(directory=tmp_path, region="eu-west-1", accounts=ACCOUNTS)
    emulator.start()
    leader = emulator.pid
    os.kill(leader, signal.SIGSTOP)

    emulator.stop()

    assert not group_runs(leader)


def test_a_kept_one_that_does_not_answer_any_more_is_taken_down(tmp_path: Path) -> None:
    stuck = Emulator(directory=tmp_path / "aws", region="eu-west-1", accounts=ACCOUNTS)
    stuck.start(detached=True)
    leader = stuck.pid
    os.kill(leader, signal.SIGSTOP)

    take_down(tmp_path)

    stuck.stop()  # of this process's own knowledge of it
    assert not group_runs(leader)
    assert not tmp_path.exists()

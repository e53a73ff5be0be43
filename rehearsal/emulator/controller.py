"""Starting, finding again and ending the emulator: one process group, one folder."""

import functools
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from rehearsal.background import lifeline
from rehearsal.emulator import environment
from rehearsal.emulator.certificates import make_certificates
from rehearsal.engine.host import wait_until_free
from rehearsal.models import session
from rehearsal.process_group import command_line, end_group, free_port

_POLL_SECONDS = 0.05
_LOG_LINES = 20
_STATE = "emulator.json"
_MODULE = "rehearsal.emulator"


_CLIENTS = (
    threading.Lock()
)  # making a client is the one thing that boto3 does not do safely from several threads


@functools.cache
def _session() -> boto3.session.Session:
    """One session for all clients: it keeps the service models, which take longest to read."""
    return boto3.session.Session(botocore_session=session())


class EmulatorError(Exception):
    """The emulator could not be started or found."""


class Emulator:
    """AWS on this machine, with several accounts and with IAM evaluated.

    Usable as a context manager, which starts and stops it.

    Attributes:
        directory: its folder; all its files are there.
        region: the home region.
        accounts: ids of the accounts.
        endpoint: its URL, once started.
        port: its port on 127.0.0.1.
        ca_file: the authority to trust.
        pid: its process, which leads its own process group.
        log_file: what it writes.
    """

    def __init__(self, *, directory: Path, region: str, accounts: Sequence[str]) -> None:
        """Describe it; nothing is started.

        Args:
            directory: private scratch folder, made if it does not exist.
            region: the home region.
            accounts: ids of all accounts of the rehearsal.
        """
        self.directory = directory.resolve()
        self.region = region
        self.accounts = tuple(accounts)
        self.port = 0
        self.endpoint = ""
        self.pid = 0
        self.ca_file = self.directory / "ca.pem"
        self.log_file = self.directory / "emulator.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None

    @classmethod
    def attach(cls, directory: Path, *, answering: bool = True) -> Self:
        """Find an emulator that was started with `detached`.

        Args:
            directory: its folder.
            answering: ask it whether it answers; not needed to stop it.

        Raises:
            EmulatorError: none was started there, or it does not answer any more.
        """
        try:
            state = json.loads((directory / _STATE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise EmulatorError(f"no emulator was started in {directory}") from None
        found = cls(directory=directory, region=state["region"], accounts=state["accounts"])
        found._locate(state["port"], state["pid"])
        if not found._is_ours() or (answering and not found._answers()):
            raise EmulatorError(f"the emulator of {directory} (process {found.pid}) does not run any more")
        return found

    def start(self, *, timeout: float = 60.0, detached: bool = False) -> None:
        """Start it and wait until it answers.

        Args:
            timeout: seconds to wait.
            detached: let it outlive this process; otherwise it ends with it, however this process ends.

        Raises:
            EmulatorError: it ended or did not answer; the message has the last lines of its log.
        """
        for name in ("", "home", "tmp", "state", "s3"):
            (self.directory / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        certificates = make_certificates(self.directory)
        port = free_port()
        variables = environment.for_emulator(
            self.directory,
            accounts=self.accounts,
            region=self.region,
            port=port,
            ca_file=certificates.authority,
            certificate=certificates.certificate,
            key=certificates.key,
        )
        with lifeline(detached=detached) as line, self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, str(self.directory)],  # the folder tells it from others
                cwd=self.directory,
                env={**variables, **line.variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=line.inherited,
            )
            self._lifeline = line.keep()
        self._locate(port, self._process.pid)
        self._wait(timeout)
        state = {"pid": self.pid, "port": port, "region": self.region, "accounts": self.accounts}
        (self.directory / _STATE).write_text(json.dumps(state), encoding="utf-8")

    def stop(self) -> None:
        """End it and all its workers; does nothing if it does not run."""
        if self.pid and (self._process is not None or self._is_ours()):
            end_group(self.pid, self._runs)
            # Tasks and databases have a parent of their own, which ends them when the emulator has ended.
            wait_until_free(self.directory)
        self._process = None
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        self.pid = 0
        (self.directory / _STATE).unlink(missing_ok=True)

    def environment(self, account: str) -> dict[str, str]:
        """All environment variables for a program that works as an account's root.

        Args:
            account: account id.
        """
        return environment.for_client(
            self.directory, account=account, region=self.region, endpoint=self.endpoint, ca_file=self.ca_file
        )

    def client(
        self,
        service: str,
        account: str,
        region: str | None = None,
        credentials: Mapping[str, str] | None = None,
    ) -> Any:
        """A boto3 client.

        Args:
            service: boto3's name of the service.
            account: the account whose root it is, unless credentials are given.
            region: region; the home region if left out.
            credentials: `Credentials` of an AssumeRole answer.
        """
        keys = credentials or {"AccessKeyId": account, "SecretAccessKey": "rehearsal"}
        with _CLIENTS:
            return _session().client(
                service,  # type: ignore[call-overload]
                region_name=region or self.region,
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys.get("SessionToken"),
                endpoint_url=self.endpoint,
                verify=str(self.ca_file),
                config=Config(proxies={}, retries={"max_attempts": 0}),
            )

    def service_session(self, role_arn: str, service: str) -> Mapping[str, str]:
        """Return what AWS gives a service from a role that trusts it; nobody else can assume such a role.

        Args:
            role_arn: the role.
            service: such as `codebuild.amazonaws.com`.

        Returns:
            The `Credentials` of an AssumeRole answer.

        Raises:
            EmulatorError: there is no such role, or it does not trust the service.
        """
        agent = json.loads((self.directory / environment.AGENT_FILE).read_text(encoding="utf-8"))
        request = urllib.request.Request(  # noqa: S310 (our own address)
            f"{agent['endpoint']}/service/{service}/{urllib.parse.quote(role_arn)}",
            headers={"Authorization": agent["token"]},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=10) as response:
                given = json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                message = json.load(error)["message"]
            raise EmulatorError(message) from None
        return {
            "AccessKeyId": given["AccessKeyId"],
            "SecretAccessKey": given["SecretAccessKey"],
            "SessionToken": given["Token"],
        }

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def _locate(self, port: int, pid: int) -> None:
        self.port, self.pid = port, pid
        # The address and not the name: clients then put bucket names into the path, and no resolver is asked.
        self.endpoint = f"https://127.0.0.1:{port}"

    def _wait(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not self._answers():
            ended = not self._runs()
            if ended or time.monotonic() > deadline:
                self.stop()
                what = "ended at once" if ended else f"did not answer within {timeout:.0f} s"
                lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
                raise EmulatorError("\n".join([f"the emulator {what}; the end of {self.log_file}:", *lines]))
            time.sleep(_POLL_SECONDS)

    def _answers(self) -> bool:
        context = ssl.create_default_context(cafile=str(self.ca_file))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        try:
            opener.open(f"{self.endpoint}/_ministack/health", timeout=5).close()
        except OSError:  # URLError is one too
            return False
        return True

    def _runs(self) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        return self._is_ours()

    def _is_ours(self) -> bool:
        """Whether the process of the state file is still this emulator: its number may have been given away since."""
        started_with = command_line(self.pid)
        return _MODULE in started_with and str(self.directory) in started_with

"""The health of load balancer targets: each is asked over HTTP, and counts as its target group says."""

import http.client
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

INTERVAL_SECONDS = 1.0  # the group's own interval is ten times as long; a rehearsal is watched
TIMEOUT = "Target.Timeout"
_PARALLEL = 8
HEALTHY, UNHEALTHY, INITIAL = "healthy", "unhealthy", "initial"


@dataclass(frozen=True)
class Target:
    """Where to ask, and what counts.

    Args:
        group: ARN of the target group.
        address: IP address.
        port: port of its traffic.
        path: path and query of the check.
        codes: status codes of success, as `200`, `200,302` or `200-299`.
        timeout_seconds: after so long without an answer the check has failed.
        interval_seconds: time between two checks, for one that is slow.
        healthy_after: consecutive successes that make an unhealthy target healthy.
        unhealthy_after: consecutive failures that make it unhealthy.
    """

    group: str
    address: str
    port: int
    path: str
    codes: str
    timeout_seconds: float
    interval_seconds: float
    healthy_after: int
    unhealthy_after: int

    @property
    def key(self) -> tuple[str, str, int]:
        """What it is known by."""
        return self.group, self.address, self.port


@dataclass
class State:
    """What is known of a target.

    Args:
        since: when it was registered (monotonic clock, seconds).
        status: initial, healthy or unhealthy.
        reason: AWS's code of why it is not healthy.
        description: AWS's words for it.
        streak: consecutive results of one kind.
        succeeding: which kind.
        due: when it is to be asked again (monotonic clock, seconds).
    """

    since: float
    status: str = INITIAL
    reason: str = "Elb.InitialHealthChecking"
    description: str = "Initial health checks in progress"
    streak: int = 0
    succeeding: bool = False
    due: float = 0.0

    def take(self, target: Target, problem: tuple[str, str] | None) -> bool:
        """Count one check.

        Args:
            target: its settings.
            problem: reason and description of a failure; None for a success.

        Returns:
            Whether the target has just become unhealthy.
        """
        succeeds = problem is None
        # One that is slow gets the time that AWS gives it: it may be busy, which passes.
        slow = problem is not None and problem[0] == TIMEOUT and self.status == HEALTHY
        self.due = time.monotonic() + (target.interval_seconds if slow else 0)
        self.streak = self.streak + 1 if succeeds == self.succeeding else 1
        self.succeeding = succeeds
        if problem is None:
            # A target that was just registered has to pass one check, one that failed several.
            if self.status == INITIAL or self.streak >= target.healthy_after:
                self.status, self.reason, self.description = HEALTHY, "", ""
            return False
        if self.status != HEALTHY or self.streak >= target.unhealthy_after:
            self.reason, self.description = problem
        if self.status == UNHEALTHY or self.streak < target.unhealthy_after:
            return False
        self.status = UNHEALTHY
        return True


class HealthChecker:
    """Asks all targets again and again, in a thread of its own.

    Args:
        targets: lists the targets that are registered now.
        failing: told of every target that is unhealthy, with the seconds since it was registered.
    """

    def __init__(
        self, targets: Callable[[], Iterable[Target]], failing: Callable[[Target, State, float], None]
    ) -> None:
        self._targets = targets
        self._failing = failing
        self._states: dict[tuple[str, str, int], State] = {}
        self._pool = ThreadPoolExecutor(max_workers=_PARALLEL, thread_name_prefix="health")

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, daemon=True, name="health").start()

    def state(self, group: str, address: str, port: int) -> State:
        """Return what is known of a target; one that was not asked yet is initial."""
        return self._states.get((group, address, port)) or State(time.monotonic())

    def check_all(self) -> None:
        """Ask every target once that is due."""
        targets = list(self._targets())
        present = {target.key for target in targets}
        self._states = {key: state for key, state in self._states.items() if key in present}
        for target in targets:
            self._states.setdefault(target.key, State(time.monotonic()))
        now = time.monotonic()
        due = [target for target in targets if self._states[target.key].due <= now]
        for target, problem in zip(due, self._pool.map(ask, due), strict=True):
            state = self._states[target.key]
            state.take(target, problem)
            if state.status == UNHEALTHY:
                self._failing(target, state, time.monotonic() - state.since)

    def _run(self) -> None:
        while True:
            started = time.monotonic()
            self.check_all()
            time.sleep(max(0.1, INTERVAL_SECONDS - (time.monotonic() - started)))


def ask(target: Target) -> tuple[str, str] | None:
    """Check a target once.

    Returns:
        AWS's reason code and description of a failure; None if it is well.
    """
    connection = http.client.HTTPConnection(target.address, target.port, timeout=target.timeout_seconds)
    try:
        # As a load balancer asks: with the target's address as its host, which no site has as its name.
        connection.request("GET", target.path, headers={"User-Agent": "ELB-HealthChecker/2.0"})
        status = connection.getresponse().status
    except TimeoutError:
        return TIMEOUT, "Request timed out"
    except (OSError, http.client.HTTPException):
        return "Target.FailedHealthChecks", "Health checks failed"
    finally:
        connection.close()
    if matches(status, target.codes):
        return None
    return "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]"


def matches(status: int, codes: str) -> bool:
    """Say whether a status is one of a matcher's codes.

    Args:
        status: HTTP status.
        codes: as `200`, `200,302` or `200-299`.
    """
    for part in codes.split(","):
        low, _, high = part.strip().partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False

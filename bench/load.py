"""Many people at once on a rehearsed site, through the door, over TLS and by its real name.

    python -m bench.load staging --connections 200 --seconds 20 --json

It needs a rehearsal that is up (`./lz rehearse --keep`). All figures are of one machine that runs clients, door,
load balancer, tasks and database at once: they show what breaks under load, not what AWS would carry.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.visitors import Tally, load

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Figures:
    """The result of one run.

    Args:
        url: what was asked.
        connections: clients at once.
        seconds: how long.
        requests: answers, whatever their status.
        statuses: HTTP status -> how often; "0" for a connection that broke.
        per_second: answers per second.
        p50: half of the answers took at most so many milliseconds.
        p95: 95 % did.
        p99: 99 % did.
        slowest: milliseconds.
    """

    url: str
    connections: int
    seconds: float
    requests: int
    statuses: dict[str, int]
    per_second: float
    p50: float
    p95: float
    p99: float
    slowest: float


def figures(tally: Tally, url: str, *, connections: int, seconds: float) -> Figures:
    """Sum a run up."""
    ordered = sorted(tally.seconds) or [0.0]

    def at(part: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000, 1)

    return Figures(
        url=url,
        connections=connections,
        seconds=seconds,
        requests=sum(tally.statuses.values()),
        statuses={str(status): count for status, count in sorted(tally.statuses.items())},
        per_second=round(sum(tally.statuses.values()) / seconds, 1),
        p50=at(0.5),
        p95=at(0.95),
        p99=at(0.99),
        slowest=at(1.0),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit code is 1 if anything but a page came back."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("environment", help="such as staging")
    parser.add_argument("--path", default="/", help="page to ask for")
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true", help="write the figures as JSON")
    chosen = parser.parse_args(arguments)
    command = [sys.executable, "-m", "operations", "open", chosen.environment, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stderr or done.stdout, file=sys.stderr)
        return done.returncode
    reach = json.loads(done.stdout)
    url = reach["urls"]["site"].rstrip("/") + chosen.path
    tally = asyncio.run(
        load(reach["proxy"], reach["ca_file"], url, connections=chosen.connections, seconds=chosen.seconds)
    )
    found = figures(tally, url, connections=chosen.connections, seconds=chosen.seconds)
    if chosen.json:
        print(json.dumps(asdict(found), indent=2))
    else:
        print(f"{found.requests} answers, {found.per_second} per second, by status {found.statuses}")
        print(f"p50 {found.p50} ms, p95 {found.p95} ms, p99 {found.p99} ms, slowest {found.slowest} ms")
    for problem, count in tally.problems.most_common(5):
        print(f"{count} times: {problem}", file=sys.stderr)
    return 0 if set(found.statuses) <= {"200"} else 1


if __name__ == "__main__":
    sys.exit(main())

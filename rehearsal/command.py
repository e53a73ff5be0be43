"""`./lz rehearse`: the whole organization on this machine."""

import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from rich.console import Console

from config import load
from operations.output import width_of
from rehearsal.approver import Approver, approval_mode
from rehearsal.kept import kept, refuse_second, take_down
from rehearsal.progress import Progress
from rehearsal.pushing import push
from rehearsal.rehearsing import CONFIG, ROOT, Rehearsal
from rehearsal.report import show

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(
    *,
    config: Path | None = None,
    environment: str | None,
    direct: bool,
    auto_approve: bool,
    ask: bool,
    all_checks: bool,
    keep: bool,
    push_again: bool,
    down: bool,
    as_json: bool,
) -> int:
    """Rehearse, or take kept rehearsals down.

    Args:
        config: the configuration; that of the project if left out.
        environment: only this environment, as `staging`, `my-django-app/staging` or `MyDjangoAppStaging`.
        direct: deploy with the CDK CLI, without the pipeline; so is one environment alone.
        auto_approve: answer the pipeline's approvals without asking anybody.
        ask: wait for an answer even without a terminal.
        all_checks: leave no check out of the pipeline's Synth.
        keep: leave the organization up and say how to reach it.
        push_again: release to the organization that is up instead of starting one.
        down: take down what was kept.
        as_json: print the report as JSON on standard output.

    Returns:
        The exit code: 0 all holds, 1 it does not.

    Raises:
        ConfigurationError: the configuration or the environment's name is wrong.
        CommandError: one is to be kept while another is, or `push` cannot work on what is up.
    """
    progress_console = Console(stderr=True, highlight=False)
    report_console = Console(highlight=False, width=width_of(sys.stdout))
    if down:
        return _down(progress_console)
    configuration = load(config)
    # Also an empty name: what a script left out must not become everything.
    stages = list(configuration.stages()) if environment is None else [configuration.find_stage(environment)]
    if keep:
        refuse_second(ROOT)
    # A closed terminal or a stopped job ends a rehearsal as Ctrl-C does: nothing may stay behind.
    for wanted in ENDING:
        signal.signal(wanted, _interrupt)
    progress = Progress(progress_console)
    approver = Approver(approval_mode(auto=auto_approve, wait=ask), progress, progress_console)
    if environment and not direct:
        progress_console.print(
            "One environment alone: deployed with the CDK CLI. The pipeline always releases to all."
        )
    elif config and not direct:
        progress_console.print(
            "Another configuration: deployed with the CDK CLI. The pipeline releases what is checked in."
        )
    if push_again:
        return push(
            configuration,
            root=ROOT,
            progress=progress,
            approver=approver,
            console=report_console,
        )
    by_pipeline = not (direct or environment or config)
    rehearsal = Rehearsal(
        configuration,
        stages,
        progress,
        approver=approver if by_pipeline else None,
        keep=keep,
        all_checks=all_checks,
        config_file=(config or CONFIG).resolve(),
    )
    try:
        with rehearsal.progress.live():
            report = rehearsal.run()
        if keep and report.passed:
            rehearsal.remember()
    finally:
        with _uninterrupted():  # who presses Ctrl-C twice shall not find half of it left behind
            rehearsal.close()
    if as_json:
        sys.stdout.write(json.dumps(report.as_json(), indent=2) + "\n")
    else:
        show(
            report,
            report_console,
            {number: name for name, number in configuration.account_ids().items()},
        )
    if rehearsal.kept_state and not as_json:
        _tell_how_to_reach(progress_console, rehearsal.kept_state)
    return 0 if report.passed else 1


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let nothing but SIGKILL cut short what is done meanwhile, nor the end that an exception leads to."""
    ends = sys.exception() is not None
    before = {wanted: signal.signal(wanted, signal.SIG_IGN) for wanted in ENDING}
    try:
        yield
    finally:
        if not ends:
            for wanted, handler in before.items():
                signal.signal(wanted, handler)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _down(console: Console) -> int:
    found = list(kept(ROOT))
    for directory in found:
        take_down(directory)
    console.print(f"{len(found)} rehearsal(s) taken down" if found else "no rehearsal is up")
    return 0


def _tell_how_to_reach(console: Console, state: dict[str, object]) -> None:
    console.print("The organization is up. To talk to one of its accounts:")
    for name, value in dict(state["environment"]).items():  # type: ignore[call-overload]
        console.print(f"  export {name}={value}", soft_wrap=True)
    console.print("  (an access key id that is an account's id makes you that account's root)")
    if state["by_pipeline"]:
        console.print("Its pipeline: ./lz pipeline status --rehearsal")
        console.print("One more release: ./lz rehearse --push")
    console.print("To take it down: ./lz rehearse --down")

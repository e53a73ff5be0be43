"""`lz pipeline`."""

import time
from dataclasses import asdict
from pathlib import Path

import click
from rich.live import Live

from operations.asking import ask, ask_before_production
from operations.configuration import config_option
from operations.output import console, say, write_json
from operations.pipeline_access import PipelineAccess, pipeline_access
from operations.pipeline_table import COMMIT_DIGITS, drawn, title, word
from operations.pipeline_view import ENDED, FAILED, NOT_RUN, PipelineView, StageView

POLL_SECONDS = 2.0  # CodePipeline's GetPipelineState allows about as many requests
REHEARSED_POLL_SECONDS = 0.7


@click.group()
def command() -> None:
    """Show where the pipeline is, and retry what failed."""


@command.command()
@click.option("--watch", is_flag=True, help="Follow the newest execution to its end.")
@click.option("--json", "as_json", is_flag=True, help="Write it as JSON.")
@click.option("--rehearsal", is_flag=True, help="Show the pipeline of the rehearsal that is up instead.")
@click.option("--profile", metavar="NAME", help="Use this AWS profile; its account is tooling.")
@config_option
def status(*, watch: bool, as_json: bool, rehearsal: bool, profile: str | None, config: Path | None) -> int:
    """Show the stages and actions as the console does.

    The exit code is 1 if the newest execution failed.
    """
    access = pipeline_access(config=config, rehearsal=rehearsal, profile=profile)
    if watch:
        found = _watch(access, seconds=REHEARSED_POLL_SECONDS if rehearsal else POLL_SECONDS, quiet=as_json)
    else:
        found = access.view()
    if as_json:
        write_json(asdict(found) | {"stages": [_stage(stage) for stage in asdict(found)["stages"]]})
    else:
        console().print(drawn(found, every=True))
        for line in access.hints(found):
            say(f"  {line}")
    return 1 if found.status == FAILED else 0


@command.command()
@click.option(
    "--stage",
    metavar="NAME",
    help="Stage of the pipeline; the one in which the newest release failed if left out.",
)
@click.option(
    "--all", "everything", is_flag=True, help="Run all of its actions again, not only those that failed."
)
@click.option(
    "--yes", is_flag=True, help="Do not ask, in production or a stage that the configuration does not know."
)
@click.option("--rehearsal", is_flag=True, help="Retry in the rehearsal that is up instead.")
@click.option("--profile", metavar="NAME", help="Use this AWS profile; its account is tooling.")
@config_option
def retry(
    *,
    stage: str | None,
    everything: bool,
    yes: bool,
    rehearsal: bool,
    profile: str | None,
    config: Path | None,
) -> None:
    """Run again what failed in a stage, and go on with the same release.

    For a cause that was outside and is gone: a lock, a name server, a scan that had not ended. The commit and the image
    stay; what is corrected in the code is pushed instead. A rejected approval asks again.
    """
    access = pipeline_access(config=config, rehearsal=rehearsal, profile=profile)
    shown = access.view()
    found = access.failed_stage(shown, stage)
    what = (
        "all actions" if everything else ", ".join(one.name for one in found.actions if one.status == FAILED)
    )
    earlier = "" if found.execution_id == shown.execution_id else _earlier(access, found)
    if not yes:
        question = f"Run {what} of {found.name} again" + (f", for {earlier}" if earlier else "")
        _ask(access, found, question)
    access.retry(found, everything=everything)
    say(f"retried in {found.name}{f', {earlier}' if earlier else ''}: {what}")
    say(f"follow it: {access.command('pipeline status --watch')}")


def _earlier(access: PipelineAccess, stage: StageView) -> str:
    """Say that it is not the newest release, and which it is."""
    commit = access.commit(stage.execution_id)
    return "an earlier release" + (f", commit {commit[:COMMIT_DIGITS]}" if commit else "")


def _ask(access: PipelineAccess, stage: StageView, question: str) -> None:
    """Ask before a stage that is production, or of which nobody here knows that it is not.

    Args:
        access: the pipeline.
        stage: the stage to retry.
        question: without what it reaches, and without its question mark.

    Raises:
        CommandError: nobody can be asked, or the answer is no.
    """
    otherwise = f"not retried: {stage.name} stays as it is"
    environments = access.environments(stage)
    for first in environments[:1]:  # all of a wave are of one class
        domains = ", ".join(one.environment.domain for one in environments)
        ask_before_production(first, f"{question} ({domains})?", yes=False, otherwise=otherwise)
    if not access.is_known(stage):
        unknown = "not in this configuration"
        ask(
            f"{question} ({unknown}, may be production)?",
            because=f"{stage.name} is {unknown} and may be production",
            otherwise=otherwise,
        )


def _watch(access: PipelineAccess, *, seconds: float, quiet: bool) -> PipelineView:
    """Follow the newest execution; on a terminal as a table that changes, elsewhere a line per change."""
    out = console(error=True)
    found = access.view()
    with Live(
        get_renderable=lambda: drawn(found, every=False), console=out, transient=True, auto_refresh=False
    ) as live:
        told: dict[str, str] = {}
        while found.status not in (*ENDED, NOT_RUN):
            if out.is_terminal:
                live.refresh()
            elif not quiet:
                _tell_changes(found, told)
            time.sleep(seconds)
            found = access.view()
    return found


def _tell_changes(found: PipelineView, told: dict[str, str]) -> None:
    if not told:
        say(title(found))
    for stage in found.stages:
        shown = word(stage.status)
        if stage.execution_id == found.execution_id and told.get(stage.name) != shown:
            told[stage.name] = shown
            say(f"{stage.name}: {shown}")


def _stage(stage: dict[str, object]) -> dict[str, object]:
    """A stage as JSON: times as ISO 8601, and no token, with which anybody could answer."""
    actions: list[dict[str, object]] = stage["actions"]  # type: ignore[assignment]
    shown = []
    for action in actions:
        waits = bool(action.pop("token"))
        started = action["started"]
        action["started"] = started.isoformat() if started is not None else None  # type: ignore[attr-defined]
        shown.append({**action, "waits_for_approval": waits})
    return {**stage, "actions": shown}

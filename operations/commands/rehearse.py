"""`lz rehearse`."""

from pathlib import Path

import click

from operations.configuration import config_option


@click.command()
@click.option("--environment", metavar="NAME", help="Bring up only this environment and what it needs.")
@click.option("--direct", is_flag=True, help="Deploy with the CDK CLI instead of the pipeline: shorter.")
@click.option("--auto-approve", is_flag=True, help="Do not ask before production.")
@click.option("--ask", is_flag=True, help="Wait for an approval even without a terminal: ./lz approve.")
@click.option(
    "--all-checks", is_flag=True, help="Leave no check out of Synth: tests and types run too, as on AWS."
)
@click.option("--keep", is_flag=True, help="Leave everything running at the end, to look around.")
@click.option("--push", is_flag=True, help="Release this checkout to the organization that was left up.")
@click.option(
    "--down", is_flag=True, help="Stop what an earlier rehearsal left running, and do nothing else."
)
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@config_option
def command(
    *,
    config: Path | None,
    environment: str | None,
    direct: bool,
    auto_approve: bool,
    ask: bool,
    all_checks: bool,
    keep: bool,
    push: bool,
    down: bool,
    as_json: bool,
) -> int:
    """Run the whole organization on this machine.

    It bootstraps every account of a local emulator, lets the pipeline release this checkout, and runs the workloads
    as real processes: no AWS account, no Docker, no credentials. Production is asked for on a terminal; without
    one the rehearsal approves it itself.
    """
    if auto_approve and ask:
        message = "--auto-approve asks nobody: it does not go with --ask"
        raise click.UsageError(message)
    if all_checks and (direct or environment):
        message = (
            "--all-checks is about the pipeline's Synth: it goes with neither --direct nor --environment"
        )
        raise click.UsageError(message)
    if down and (keep or environment):
        message = "--down stops everything: it goes with neither --keep nor --environment"
        raise click.UsageError(message)
    if push and (environment or direct or keep or down or all_checks or as_json or config):
        message = "--push releases this checkout to what is up: it goes with --auto-approve and --ask, and nothing else"
        raise click.UsageError(message)
    from rehearsal.command import main  # noqa: PLC0415 -- the emulator is large: a wrong option must not wait for it

    return main(
        config=config,
        environment=environment,
        direct=direct,
        auto_approve=auto_approve,
        ask=ask,
        all_checks=all_checks,
        keep=keep,
        push_again=push,
        down=down,
        as_json=as_json,
    )

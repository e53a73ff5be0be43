"""`lz rehearse`."""

from pathlib import Path

import click

from operations.configuration import config_option


@click.command()
@click.option("--environment", metavar="NAME", help="Bring up only this environment and what it needs.")
@click.option("--keep", is_flag=True, help="Leave everything running at the end, to look around.")
@click.option(
    "--down", is_flag=True, help="Stop what an earlier rehearsal left running, and do nothing else."
)
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@config_option
def command(*, environment: str | None, keep: bool, down: bool, as_json: bool, config: Path | None) -> int:
    """Run the whole organization on this machine.

    It deploys every account to a local emulator and runs the workloads as real processes: no AWS account, no
    Docker, no credentials.
    """
    if down and (keep or environment):
        message = "--down stops everything: it goes with neither --keep nor --environment"
        raise click.UsageError(message)
    from rehearsal.command import main  # noqa: PLC0415 -- the emulator is large: a wrong option must not wait for it

    return main(config=config, environment=environment, keep=keep, down=down, as_json=as_json)

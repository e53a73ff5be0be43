"""`lz lock`."""

import click

from operations.locks import write_locks
from operations.output import progress, say


@click.command()
@click.option("--upgrade", is_flag=True, help="Take the newest versions that are allowed.")
def command(*, upgrade: bool) -> None:
    """Resolve the dependencies again and write the lock files.

    They hold every package with its hashes, for every platform and every Python from 3.11 on, and name no host.
    The next ./lz installs from them.
    """
    changed = write_locks(upgrade=upgrade, say=progress)
    say(f"changed: {', '.join(changed)}" if changed else "nothing changed")

"""Runs the CDK app: quickly to see what it makes, or with every gate to release it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from config.assembly import AssembledStack, read_assembly
from operations.errors import CommandError
from operations.node import ROOT, environment


def app_command(*, config: Path | None, images: Path | None = None) -> list[str]:
    """Return the command line of the app.

    Args:
        config: another configuration than the project's.
        images: another folder of image files than the project's.
    """
    options = [("--config", config), ("--images", images)]
    given = [word for name, path in options if path is not None for word in (name, str(path.resolve()))]
    return [sys.executable, str(ROOT / "app.py"), *given]


@contextmanager
def preview(*, config: Path | None) -> Iterator[tuple[AssembledStack, ...]]:
    """Give the stacks that a configuration makes, each after those that it depends on, without any gate.

    Their templates are gone when the context ends.

    Args:
        config: another configuration than the project's.

    Raises:
        CommandError: the app failed; the message holds what it wrote.
    """
    with drafted(config=config) as assembly:
        yield read_assembly(assembly)


@contextmanager
def drafted(*, config: Path | None, images: Path | None = None) -> Iterator[Path]:
    """Give the assembly that a configuration makes, without any gate, until the context ends.

    Args:
        config: another configuration than the project's.
        images: another folder of image files than the project's.

    Raises:
        CommandError: the app failed; the message holds what it wrote.
    """
    with TemporaryDirectory(prefix="lz-assembly-") as directory:
        app = app_command(config=config, images=images)
        command = [*app, "--no-template-validation", "--output", directory]
        done = subprocess.run(
            command, cwd=ROOT, env=environment(credentials=False), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            message = f"the app could not be synthesized:\n{done.stderr.strip()}"
            raise CommandError(message, exit_code=1 if done.returncode == 1 else 2)
        yield Path(directory)

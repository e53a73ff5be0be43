"""Runs a workload's image once, where Docker is, to ask it something."""

import shutil
import subprocess
from collections.abc import Sequence

from operations.errors import CommandError


def run_image(
    options: Sequence[str], *, text: str, seconds: float, what: str
) -> subprocess.CompletedProcess[str]:
    """Run `docker run` with standard input, and return how it ended.

    Args:
        options: its options, the image, and the image's arguments. The image is pulled if it is not here.
        text: standard input.
        seconds: how long it may take.
        what: what the image is asked for, such as `its migrations`.

    Raises:
        CommandError: there is no docker, or the time is up.
    """
    docker = shutil.which("docker")
    if docker is None:
        message = f"docker was not found, and the image has to run to tell {what}"
        raise CommandError(message, fix="run this step where Docker is (the pipeline does)")
    try:
        return subprocess.run(
            [docker, "run", "--rm", "--interactive", *options],
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        message = f"the image did not tell {what} within {seconds / 60:g} minutes"
        raise CommandError(message, exit_code=1) from None

#!/usr/bin/env python3
"""Run a command as a Fargate task, with the container and the settings of the app: a front of `./lz run`.

python ./scripts/run_cmd.py "python manage.py migrate --plan" --env MyDjangoAppStaging --env-var A=B
"""

import argparse
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

LZ = Path(__file__).resolve().parents[1] / "lz"


def arguments(given: Sequence[str]) -> list[str]:
    """Return the arguments of `./lz run` for this script's own.

    Args:
        given: the command as one text, `--env` and any number of `--env-var`.
    """
    parser = argparse.ArgumentParser(
        prog="run_cmd.py", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("command", help="The command, quoted as for a shell.")
    parser.add_argument(
        "--env",
        dest="env_name",
        required=True,
        help="The environment where the command will be run: MyDjangoAppStaging or MyDjangoAppProduction.",
    )
    parser.add_argument(
        "--env-var",
        dest="env_vars",
        action="append",
        default=[],
        help="Set extra env vars as --env-var NAME1=VALUE1 --env-var NAME2=VALUE2",
    )
    chosen, more = parser.parse_known_args(given)
    variables = [word for variable in chosen.env_vars for word in ("--env-var", variable)]
    return ["run", "--env", chosen.env_name, *variables, *more, "--", *shlex.split(chosen.command)]


def main() -> int:
    """Run it; the exit code is the command's."""
    return subprocess.run([LZ, *arguments(sys.argv[1:])], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

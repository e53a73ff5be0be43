"""`lz`: which commands there are, for whom, and how a mistake is told.

Nothing heavy is imported here: a command's module, and with it boto3 or the CDK, is loaded when the command
runs.
"""

import importlib
import os
import sys
from collections.abc import Mapping, Sequence

import click

from operations.errors import CommandError
from operations.printable import printable

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
BROKEN_PIPE = 1  # as click has it
_LONGEST_SIZE = 9  # digits of COLUMNS and LINES; no terminal is that large

SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Anybody": {
        "rehearse": "Run the whole organization on this machine.",
        "open": "Open a rehearsed environment in a browser, under its real name.",
    },
    "App team": {
        "pipeline": "Show where the pipeline is, and retry what failed.",
        "approve": "Let a release go on into an environment that waits for it.",
        "reject": "Stop a release before an environment that waits for it.",
        "status": "Show what an environment's services run, and why tasks failed.",
        "logs": "Show what an environment's web, worker and beat tasks write.",
        "run": "Run a one-off command in an environment.",
        "rollback": "Return an environment to an earlier image.",
    },
    "Platform team": {
        "validate": "Check the configuration.",
        "plan": "Show what the configuration will make, where and in which order.",
        "bootstrap": "Prepare an account for the pipeline, or print how.",
        "doctor": "Check that every account is bootstrapped and trusts tooling.",
        "synth": "Synthesize with every gate, and collect the compliance reports.",
        "packet": "Show what a release would change in an environment.",
        "guard": "Stop a release that would lose a stack or a resource with data.",
        "cdk": "Run the pinned CDK CLI.",
    },
    "Security team": {
        "compliance": "Build the reports that a security review reads.",
        "supply-chain": "Audit dependencies and licenses, and write bills of materials.",
    },
    "Pipeline steps": {
        "image": "Build and push a workload's image, unless its source is unchanged.",
        "image-scan": "Ask the registry what its scan found in an environment's images.",
        "release": "Run an environment's release task and follow it.",
        "record": "Check that the release's image runs, and write the release record.",
        "dns-preflight": "Check that the world can resolve the parent domain.",
    },
    "Developers of this project": {
        "check": "Run every check that needs no organization.",
        "test": "Run every check and every test, the rehearsal's too.",
        "fmt": "Format the code and fix what can be fixed.",
        "lock": "Resolve the dependencies again and write the lock files.",
    },
}
"""Who uses what: section -> command -> its summary, the first line of the command's own help."""

# Exceptions that tell a user's mistake, and their exit codes. They are looked up among the modules that are
# loaded: only those could raise them, and naming them here by import would load them all.
MISTAKES = (
    ("config.problems", "ConfigurationError", 2),
    ("config.images", "ImageFileError", 2),
    ("compliance.waivers", "WaiverError", 2),
    ("builtins", "PermissionError", 2),
    ("botocore.exceptions", "NoCredentialsError", 2),
    ("botocore.exceptions", "BotoCoreError", 1),
    ("botocore.exceptions", "ClientError", 1),
)

FIXES = {
    "NoCredentialsError": "\n    fix: sign in with aws sso login, or name a profile with AWS_PROFILE; with"
    " --rehearsal a command needs neither",
}
"""What to do about mistakes whose own text does not say it."""


class Commands(click.Group):
    """The commands of `SECTIONS`, each loaded from the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """List the names, in the order of the sections."""
        return [name for commands in SECTIONS.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"operations.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        names = self.list_commands(ctx)
        if args[0] not in names and not args[0].startswith("-"):
            raise click.exceptions.NoSuchCommand(args[0], possibilities=names, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections, from the summaries alone."""
        widest = max(len(name) for name in self.list_commands(ctx))
        for section, commands in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(widest), summary) for name, summary in commands.items()])


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def lz() -> None:
    """Build, check and operate the landing zone.

    Exit codes: 0 fine, 1 problems were found, 2 wrong use or a wrong configuration.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: the command line; the process's own if left out.

    Returns:
        The exit code: 0 fine, 1 problems were found, 2 wrong use, 130 after Ctrl-C.
    """
    _forget_odd_sizes()
    try:
        result = lz.main(args=arguments, prog_name="lz", standalone_mode=False)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        return _tell("interrupted", INTERRUPTED)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except CommandError as error:
        return _tell(str(error), error.exit_code)
    except BrokenPipeError:
        # Whoever read the output has had enough; Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:
        exit_code = _exit_code(error)
        if exit_code is None:
            raise
        return _tell(_message(error), exit_code)
    return result if isinstance(result, int) else 0


def _forget_odd_sizes() -> None:
    """Forget what the environment says of the terminal's size where it is none.

    Rich takes any text of digits for a number, and dies of those that Python does not read: 5,000 of them, or "²".
    """
    for name in ("COLUMNS", "LINES"):
        if name in os.environ and not _is_size(os.environ[name]):
            del os.environ[name]


def _is_size(told: str) -> bool:
    return told.isdecimal() and len(told) <= _LONGEST_SIZE and int(told) > 0


def _exit_code(error: Exception) -> int | None:
    """Return the exit code of a user's mistake, or None for a fault of ours."""
    for module_name, class_name, exit_code in MISTAKES:
        module = sys.modules.get(module_name)
        if module is not None and isinstance(error, getattr(module, class_name)):
            return exit_code
    return None


def _message(error: Exception) -> str:
    """Return what to say of a user's mistake, no wider than the terminal."""
    problems = sys.modules.get("config.problems")
    if problems is not None and isinstance(error, problems.ConfigurationError):
        return str(problems.render(error.problems, width=min(problems.WIDTH, _columns())))
    return f"{error}{FIXES.get(type(error).__name__, '')}"


def _columns() -> int:
    """Return how wide the terminal is that messages go to; very wide if they go elsewhere."""
    told = os.environ.get("COLUMNS", "")
    if _is_size(told):
        return int(told)
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or sys.maxsize
    except (OSError, ValueError):  # a pipe, or no file at all
        return sys.maxsize


def _tell(message: str, exit_code: int) -> int:
    click.echo(f"lz: {printable(message)}", err=True)
    return exit_code

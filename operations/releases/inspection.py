"""Asks an image for its migrations: the probe runs in it, against a throw-away PostgreSQL, and its answer is judged."""

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from config.models import Commands, Configuration
from config.variables import INJECTED_VARIABLES, TASK_ADDRESS, composed
from operations.containers import run_image
from operations.errors import CommandError
from operations.releases.judging import judge
from operations.releases.migrations import FILE, Migrations
from operations.releases.probe import MARK
from operations.releases.throwaway import ThrowAway, throw_away_postgres

PROBE = Path(__file__).with_name("probe.py")
LONGEST_SECONDS = 600
CANNOT_START = frozenset({125, 126, 127})  # docker run(1): the daemon, the command not executable, not found
LAST_LINES = 12


@dataclass(frozen=True)
class Container:
    """How a command ended that ran in the image.

    Args:
        code: its exit code.
        output: its standard output.
        messages: its standard error.
    """

    code: int
    output: str
    messages: str = field(repr=False)


def inspect(
    configuration: Configuration,
    workload_name: str,
    *,
    image: str,
    digest: str,
    login: AbstractContextManager[None],
) -> Migrations:
    """Return what the image's migrations are; if it cannot be asked, why.

    Args:
        configuration: the organization.
        workload_name: the workload.
        image: reference that `docker run` takes.
        digest: of the image.
        login: lets docker pull it.
    """
    try:
        with login, throw_away_postgres() as database:
            told = _ask(configuration, workload_name, image, database)
    except CommandError as error:
        told = {"inspected": False, "problem": str(error), "django": None, "migrations": []}
    return Migrations(
        workload=workload_name,
        digest=digest,
        inspected=told["inspected"],
        problem=told["problem"],
        django=told["django"],
        migrations=tuple(judge(migration) for migration in told["migrations"]),
    )


def write_migrations(migrations: Migrations, directory: Path) -> Path:
    """Write `migrations.json`, whole or not at all.

    Args:
        migrations: what to write.
        directory: folder for it; made if needed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file, draft = directory / FILE, directory / f".{FILE}.new"
    draft.write_text(migrations.model_dump_json(indent=1) + "\n", encoding="utf-8")
    draft.replace(file)
    return file


def probe_variables(
    configuration: Configuration, workload_name: str, database: ThrowAway
) -> Mapping[str, str]:
    """Return what the project's settings may want, as the stacks would inject it, with nothing real in it.

    Args:
        configuration: the organization.
        workload_name: the workload.
        database: where its database is.
    """
    workload = configuration.workloads[workload_name]
    placeholder = f"placeholder-{secrets.token_hex(24)}"
    injected = {
        **dict.fromkeys(INJECTED_VARIABLES, "placeholder"),
        "DJANGO_SECRET_KEY": placeholder,
        "DATABASE_HOST": database.host,
        "DATABASE_PORT": str(database.port),
        "DATABASE_NAME": database.name,
        "DATABASE_USER": database.user,
        "DATABASE_PASSWORD": database.password,
        "DATABASE_MASTER_USER": database.user,
        "DATABASE_MASTER_PASSWORD": database.password,
        "DJANGO_ALLOWED_HOSTS": "localhost",
        "DJANGO_CSRF_TRUSTED_ORIGINS": "https://localhost",
        "STATIC_URL": "https://static.localhost/",
        "CELERY_QUEUE_URL": "https://sqs.localhost/000000000000/placeholder",
        "CELERY_VISIBILITY_TIMEOUT": "900",
        "AWS_DEFAULT_REGION": configuration.organization.region,
    }
    environment = next(iter(workload.environments.values()))
    return {
        "DATABASE_URL": database.url,
        "DATABASE_SSLMODE": "disable",
        "AWS_EC2_METADATA_DISABLED": "true",
        **{workload.injected_variables.get(name, name): value for name, value in injected.items()},
        **{
            name: composed(template, {**injected, TASK_ADDRESS: "127.0.0.1"}.__getitem__)
            for name, template in workload.composed_variables.items()
        },
        **environment.variables,
        "LZ_PROBE": json.dumps(database.django),
    }


def _pythons(commands: Commands) -> Sequence[str]:
    """Return what the image's Python may be called, the likeliest first."""
    first = (commands.release or [""])[0]
    named = [first] if PurePosixPath(first).name.startswith("python") else []
    return tuple(dict.fromkeys([*named, commands.python, "python", "python3"]))


def _ask(
    configuration: Configuration, workload_name: str, image: str, database: ThrowAway
) -> Mapping[str, Any]:
    """Run the probe in the image.

    Raises:
        CommandError: it gave no answer.
    """
    variables = probe_variables(configuration, workload_name, database)
    done = Container(127, "", "")
    for python in _pythons(configuration.workloads[workload_name].commands):
        done = _docker_run(image, [python, "-"], variables, PROBE.read_text(encoding="utf-8"))
        for line in reversed(done.output.splitlines()):
            if line.startswith(MARK):
                told: Mapping[str, Any] = json.loads(line.removeprefix(MARK))
                if told["inspected"] or "has no Django" not in str(told["problem"]):
                    return told
        if done.code not in CANNOT_START and done.output:
            break
    last = "\n".join(done.messages.splitlines()[-LAST_LINES:])
    message = f"no Python in the image told its migrations (exit code {done.code})"
    fix = "put the Python that has the project's packages on the image's PATH as python or python3"
    raise CommandError(f"{message}\n{last}".rstrip(), fix=fix, exit_code=1)


def _docker_run(image: str, command: Sequence[str], variables: Mapping[str, str], text: str) -> Container:
    """Run a command in the image, with this machine's network, where the database is.

    The image's own entry point stays: a project may make its settings there.

    Args:
        image: reference of the image; it is pulled if it is not here.
        command: argument list.
        variables: its environment, besides the image's own.
        text: its standard input.

    Raises:
        CommandError: there is no docker, or the time is up.
    """
    given = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    options = ["--network", "host", *given, image, *command]
    done = run_image(options, text=text, seconds=LONGEST_SECONDS, what="its migrations")
    return Container(done.returncode, done.stdout, done.stderr)

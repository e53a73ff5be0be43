"""The question before something happens in production."""

import sys

import click

from config import StageRef
from operations.errors import CommandError


def ask_before_production(
    stage: StageRef, question: str, *, yes: bool, otherwise: str, fix: str | None = None
) -> None:
    """Ask, where the environment is production.

    Args:
        stage: the environment.
        question: ends with a question mark.
        yes: the person has said so already.
        otherwise: what holds after a no.
        fix: what to do then.

    Raises:
        CommandError: nobody can be asked, or the answer is no.
    """
    if not yes and stage.is_production:
        ask(question, because=f"{stage.key} is production", otherwise=otherwise, fix=fix)


def ask(question: str, *, because: str, otherwise: str, fix: str | None = None) -> None:
    """Ask, and go on after a yes alone.

    Args:
        question: ends with a question mark.
        because: why somebody has to be asked.
        otherwise: what holds after a no.
        fix: what to do then.

    Raises:
        CommandError: nobody can be asked, or the answer is no.
    """
    if sys.stdin is None or not sys.stdin.isatty():  # None where the caller closed it
        message = f"{because}, and there is no terminal to ask on"
        raise CommandError(message, fix="add --yes if you mean it")
    if not click.confirm(question, err=True):
        raise CommandError(otherwise, fix=fix, exit_code=1)

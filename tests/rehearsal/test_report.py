"""What a rehearsal says at its end, for terminals of any width."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from config import load
from config.assembly import AssembledStack
from rehearsal.report import Report, show
from rehearsal.stacks import StackState


def _state(name: str, account: str) -> StackState:
    stack = AssembledStack(
        path=name,
        name=name,
        account=account,
        region="eu-west-1",
        stage="",
        template_file=Path("template.json"),
        dependencies=(),
    )
    return StackState(stack, "CREATE_COMPLETE", 12.3)


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_name_and_no_status_of_a_stack_is_cut_into_pieces(width: int) -> None:
    configuration = load()
    names = {
        "Registry": "111111111111",
        "MyDjangoAppProduction-StaticFiles": "444444444444",
        "MyDjangoAppProduction-Web": "444444444444",
    }
    states = [_state(name, account) for name, account in names.items()]
    report = Report("acme", configuration.stages(), states=states)
    accounts = {number: name for name, number in configuration.account_ids().items()}
    output = StringIO()

    show(report, Console(file=output, width=width), accounts)

    lines = output.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    for name in names:
        (line,) = (line for line in lines if name in line)
        assert "12.3" in line
        assert "CREATE_COMPLETE" in line
    assert len([line for line in lines if "production 444444444444" in line]) == 1


def test_no_line_is_filled_up_to_the_width_of_a_pipe() -> None:
    output = StringIO()
    report = Report("acme", (), notes=["released: a commit"], states=[_state("Registry", "111111111111")])
    show(report, Console(file=output, width=200), {})
    assert "  - released: a commit" in output.getvalue().splitlines()
    assert max(map(len, output.getvalue().splitlines())) < 120

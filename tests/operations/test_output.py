import pytest

from operations import output

ROWS = [("my-django-app/staging", "333333333333"), ("my-django-app/production", "444444444444")]


def test_a_table_is_as_wide_as_its_cells(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("environment", "account"), ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[2].split() == ["my-django-app/staging", "333333333333"]


def test_a_table_that_does_not_fit_becomes_one_block_per_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "35")
    output.table(("environment", "account"), ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["environment  my-django-app/staging", "account      333333333333", ""]


def test_what_is_to_be_copied_is_never_folded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    output.say("arn:aws:iam::111111111111:role/" + "x" * 60)
    assert capsys.readouterr().out == "arn:aws:iam::111111111111:role/" + "x" * 60 + "\n"


def test_prose_is_folded_between_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    output.paragraph("each account is bootstrapped once by its own administrator")
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 30


def test_brackets_and_colons_are_written_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    output.say("[bold] :smile: [Resource::*]")
    output.table(("a",), [("[red]x[/red]",)])
    told = capsys.readouterr().out
    assert "[bold] :smile: [Resource::*]" in told
    assert "[red]x[/red]" in told


def test_nothing_that_is_quoted_controls_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "ab\x1b[2Jc\x9b1md\x07"
    output.say(evil)
    output.paragraph(evil)
    output.heading(evil)
    output.table(("cell",), [(evil,)])
    output.progress(evil)
    captured = capsys.readouterr()
    told = captured.out + captured.err
    assert not {"\x1b", "\x9b", "\x07"} & set(told)
    assert told.count("\N{REPLACEMENT CHARACTER}[2Jc\N{REPLACEMENT CHARACTER}1md") == 5


def test_a_pipe_gets_no_colours(capsys: pytest.CaptureFixture[str]) -> None:
    output.heading("Accounts")
    output.say("fine", style="green")
    assert "\x1b" not in capsys.readouterr().out

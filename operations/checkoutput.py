"""How the checks show what they do and what came of it."""

from collections.abc import Sequence

from operations.checks import Result, Step
from operations.output import heading, progress, say, table, write_json

COUNTED = ("tests", "app")
"""The checks whose last line is their count."""


def tell(step: Step, result: Result | None) -> None:
    """Write a line when a check starts and when it ends; a failure's whole output after it.

    Args:
        step: the check.
        result: its result, once it has ended.
    """
    if result is None:
        progress(f"  ...    {step.name}: {step.title}", style="dim")
    elif result.passed:
        count = f" ({result.last_line})" if step.name in COUNTED else ""
        progress(f"  ok     {step.name}: {result.seconds:.1f} s{count}", style="green")
    else:
        progress(f"  FAILED {step.name}: {result.seconds:.1f} s", style="red")
        if result.output:
            heading(f"{step.title}: output of {' '.join(step.command)}")
            say(result.output.rstrip())


def summarize(
    results: Sequence[Result], *, seconds: float, as_json: bool = False, left_out: Sequence[str] = ()
) -> int:
    """Write the summary.

    Args:
        results: of every check.
        seconds: wall time of all together.
        as_json: for a program.
        left_out: names of checks that did not run.

    Returns:
        The exit code: 1 if any check failed.
    """
    failed = [result.step.name for result in results if not result.passed]
    if as_json:
        write_json(
            {
                "passed": not failed,
                "seconds": round(seconds, 1),
                "left_out": list(left_out),
                "checks": [
                    {
                        "name": result.step.name,
                        "title": result.step.title,
                        "passed": result.passed,
                        "exit_code": result.exit_code,
                        "seconds": round(result.seconds, 1),
                        "warnings": list(result.warnings),
                    }
                    for result in results
                ],
            }
        )
    else:
        say("")
        table(
            ("check", "result", "seconds", "what"),
            [
                (
                    result.step.name,
                    "ok" if result.passed else "FAILED",
                    f"{result.seconds:.1f}",
                    result.last_line if result.step.name in COUNTED else result.step.title,
                )
                for result in results
            ],
        )
        for warning in (each for result in results if result.passed for each in result.warnings):
            say(f"warning: {warning}", style="yellow")
        verdict = f"failed: {', '.join(failed)}" if failed else "all checks passed"
        missing = f"; LEFT OUT: {', '.join(left_out)}" if left_out else ""
        say(f"\n{verdict} in {seconds:.0f} s{missing}", style="bold red" if failed else "bold green")
    return 1 if failed else 0

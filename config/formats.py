"""Texts of a certain form, such as an account id: what is allowed, what to say when it is not, and a pattern.

One declaration serves the validation, its error message, the JSON Schema for editors and the manual.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from config.problems import did_you_mean

ERROR_TYPE = "format"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one text, and the fix, where more can be said than `it has the wrong form`."""

    problem: str
    fix: str


@dataclass(frozen=True)
class Format:
    """A form of text, put on a field with `Annotated[str, Format(...)]`.

    Args:
        pattern: Regular expression for the whole text, which Python and JSON Schema (ECMA 262) both read.
        problem: What is wrong when it does not match.
        allowed: What is accepted, in words.
        fix: What to do.
        example: A value that is accepted.
        longest: Number of characters at most.
        choices: All accepted values, if they can be listed.
        explain: Looks at a text first and returns a `Fault` when it recognizes a typical mistake.
        number: Says how to fix a number that was written without quotes.
    """

    pattern: str
    problem: str
    allowed: str
    fix: str
    example: str
    longest: int | None = None
    choices: tuple[str, ...] = ()
    explain: Callable[[str], Fault | None] | None = field(default=None, compare=False)
    number: Callable[[float], str] | None = field(default=None, compare=False)

    def fault(self, value: str) -> Fault | None:
        """Say what is wrong with a text, or return None if it is fine."""
        if self.choices:
            fix = did_you_mean(value, self.choices, otherwise=self.fix)
            default = None if value in self.choices else Fault(self.problem, fix)
        elif self.longest is not None and len(value) > self.longest:
            default = Fault(f"{len(value)} characters are too many", f"shorten it to {self.longest} or less")
        else:
            default = None if re.fullmatch(self.pattern, value) else Fault(self.problem, self.fix)
        return (self.explain(value) if self.explain else None) or default

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate after the type check, but see a number first to explain it."""
        return core_schema.no_info_wrap_validator_function(self._validate, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Give editors the pattern, or the list of choices."""
        result = handler(schema)
        if self.choices:
            result["enum"] = list(self.choices)
        else:
            result["pattern"] = self.pattern
        result["examples"] = [self.example]
        if self.longest is not None:
            result["maxLength"] = self.longest
        return result

    def _validate(self, value: Any, handler: Callable[[Any], Any]) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            fix = self.number(value) if self.number else f'put it in quotes: "{value}"'
            self._refuse(Fault("a number, where text in quotes is needed", fix))
        text = handler(value)
        if fault := self.fault(text):
            self._refuse(fault)
        return text

    def _refuse(self, fault: Fault) -> NoReturn:
        raise PydanticCustomError(
            ERROR_TYPE,
            "{problem}",
            {"problem": fault.problem, "allowed": self.allowed, "fix": fault.fix},
        )

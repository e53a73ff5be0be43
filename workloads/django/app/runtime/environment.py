"""Read settings from the environment, and name everything that is missing in one error."""

import os

from django.core.exceptions import ImproperlyConfigured


class Environment:
    """The process environment; `debug=` defaults count only on a developer's machine.

    Nothing has a default in a deployed stage: a container that misses a setting must stop at its
    start, where the deployment's circuit breaker sees it, and not at the first request.
    """

    def __init__(self) -> None:
        self.debug = self.flag("DJANGO_DEBUG")
        self._missing: list[str] = []

    def flag(self, name: str) -> bool:
        return os.environ.get(name, "").strip().lower() in {"1", "true", "yes", "on"}

    def required(self, name: str, *, debug: str = "") -> str:
        value = os.environ.get(name, "")
        if not value and self.debug:
            value = debug
        if not value:
            self._missing.append(name)
        return value

    def optional(self, name: str, default: str = "") -> str:
        return os.environ.get(name, "") or default

    def number(self, name: str, default: int) -> int:
        value = os.environ.get(name, "") or str(default)
        if not value.strip().isdigit():
            raise ImproperlyConfigured(f"{name} is {value!r}; give a whole number, such as {default}")
        return int(value)

    def words(self, value: str) -> list[str]:
        return [word.strip() for word in value.split(",") if word.strip()]

    def refuse_missing(self) -> None:
        if self._missing:
            raise ImproperlyConfigured(
                f"set {', '.join(self._missing)} in the environment (the README says what each is for);"
                " on your own machine, `bin/dev` sets them all"
            )

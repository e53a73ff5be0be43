"""What a build writes, line by line; the pipeline sends it to the project's log group."""

import time
from collections.abc import Callable

_MASK = "***"
_SHORTEST_SECRET = 4  # characters; to mask what is shorter would mask ordinary text


class Log:
    """The log of one build. It shows no secret that the build was given.

    Args:
        say: told each line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._secrets: list[str] = []

    def write(self, line: str) -> None:
        """Write a line.

        Args:
            line: without its end.
        """
        for secret in self._secrets:
            line = line.replace(secret, _MASK)
        self._say(line)

    def note(self, text: str) -> None:
        """Write lines of the build machine itself, marked as CodeBuild marks them.

        Args:
            text: one line or more.
        """
        now = time.time()
        stamp = time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime(now))
        for line in text.splitlines():
            self.write(f"[Container] {stamp}.{int(now % 1 * 1e6):06d} {line}")

    def hide(self, secret: str) -> None:
        """Show this value no more.

        Args:
            secret: the value; each of its lines is hidden.
        """
        lines = [line for line in secret.splitlines() if len(line) >= _SHORTEST_SECRET]
        self._secrets = sorted({*self._secrets, *lines}, key=len, reverse=True)

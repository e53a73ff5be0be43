"""What a command says when it cannot go on."""


class CommandError(Exception):
    """A command cannot do its work; shown as a message and never as a traceback.

    Args:
        message: what is wrong.
        fix: what to do about it, if there is something to do.
        exit_code: 2 for wrong use or a missing tool, 1 for a problem that was found.
    """

    def __init__(self, message: str, *, fix: str | None = None, exit_code: int = 2) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.exit_code = exit_code

    def __str__(self) -> str:
        return self.message if self.fix is None else f"{self.message}\n    fix: {self.fix}"

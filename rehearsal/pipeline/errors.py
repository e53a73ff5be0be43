"""Why an action, or a request, does not succeed."""


class ActionError(Exception):
    """An action failed.

    Args:
        code: as in an action's errorDetails: JobFailed, PermissionError, ConfigurationError.
        message: what went wrong; names role and action where a right is missing.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


class ActionStopped(Exception):  # noqa: N818 -- not an error: somebody wanted it
    """Nobody waits for an action any more: its execution was stopped, or its pipeline changed."""


class RequestError(Exception):
    """The API refuses a request.

    Args:
        code: name of the API's exception.
        message: what is wrong.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)

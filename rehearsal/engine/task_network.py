"""Copied into the Python environment of a rehearsed image: who listens everywhere listens at the task's address.

A container has a network of its own, so that its server listens on 0.0.0.0. In a rehearsal tasks share the machine's;
without this two of them would want the same port. Python's own sockets alone are seen; a server with others, such as
uvloop's, has to listen on BIND_HOST.
"""

import os


def _confine(address: str) -> None:
    import socket  # noqa: PLC0415 -- most programs of a task open no socket

    bind = socket.socket.bind

    def confined(own: socket.socket, wanted: tuple[str, int] | str) -> None:
        if isinstance(wanted, tuple) and wanted[0] in ("", "0.0.0.0", "::") and wanted[1]:  # noqa: S104
            host = address if own.family == socket.AF_INET else "::ffff:" + address
            wanted = (host, *wanted[1:])
        bind(own, wanted)

    socket.socket.bind = confined  # type: ignore[method-assign,assignment]


if os.environ.get("BIND_HOST"):
    _confine(os.environ["BIND_HOST"])

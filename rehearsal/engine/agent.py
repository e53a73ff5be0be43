"""The ECS agent's address: a task's credentials and its metadata, over plain HTTP as on AWS.

The rehearsal's own commands get there, with a token of theirs, what AWS gives a service such as CodeBuild from a role
that trusts it.
"""

import datetime
import hmac
import json
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import unquote

_CREDENTIALS, _METADATA, _SERVICE = "/v2/credentials/", "/v4/", "/service/"
_VALID = datetime.timedelta(hours=6)  # as AWS gives them
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class Grant:
    """How a task gets its role's credentials.

    Args:
        uri: where.
        token: what it has to send as `Authorization`.
    """

    uri: str
    token: str


class Agent:
    """Serves tasks in threads of its own.

    Args:
        listener: the listening socket.
        credentials: (role, session) -> `Credentials` of an AssumeRole answer.
        trusts: (role, service) -> whether the role is there and trusts the service.
        metadata: path -> (status, body) of the task metadata endpoint, version 4.
    """

    def __init__(
        self,
        listener: socket.socket,
        *,
        credentials: Callable[[str, str], Mapping[str, str]],
        trusts: Callable[[str, str], bool],
        metadata: Callable[[str], tuple[int, bytes]],
    ) -> None:
        self._credentials = credentials
        self._trusts = trusts
        self.service_token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._metadata = metadata
        self._grants: dict[str, tuple[str, str, str]] = {}
        host, port = listener.getsockname()
        self.endpoint = f"http://{host}:{port}"
        self._server = _Server((host, port), _Handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listener
        self._server.agent = self
        threading.Thread(target=self._server.serve_forever, daemon=True, name="ecs-agent").start()

    def grant(self, role_arn: str, session: str) -> Grant:
        """Let one task have a role's credentials, until they are revoked.

        Args:
            role_arn: the task's role.
            session: name of the session: the task's id, as on AWS.
        """
        identifier, token = secrets.token_hex(16), secrets.token_urlsafe(_TOKEN_BYTES)
        self._grants[identifier] = (token, role_arn, session)
        return Grant(f"{self.endpoint}{_CREDENTIALS}{identifier}", token)

    def revoke(self, grant: Grant) -> None:
        """Take a grant back, when its task has ended."""
        self._grants.pop(grant.uri.rpartition("/")[2], None)

    def answer(self, path: str, authorization: str) -> tuple[int, bytes]:
        """Answer a request.

        Args:
            path: its path.
            authorization: its `Authorization`; empty if it has none.
        """
        if path.startswith(_METADATA):
            return self._metadata(path)
        if path.startswith(_SERVICE):
            service, _, role_arn = unquote(path.removeprefix(_SERVICE)).partition("/")
            token, session = self.service_token, service.partition(".")[0]
            if not self._trusts(role_arn, service):
                return _refused(f"{service} cannot assume {role_arn}")
        else:
            token, role_arn, session = self._grants.get(path.removeprefix(_CREDENTIALS), ("", "", ""))
            if not path.startswith(_CREDENTIALS) or not token:
                return HTTPStatus.NOT_FOUND, b'{"message": "not found"}'
        if not hmac.compare_digest(authorization.encode(), token.encode()):
            return _refused("the authorization token is missing or not the task's")
        keys = self._credentials(role_arn, session)
        expiration = datetime.datetime.now(datetime.UTC) + _VALID
        document: dict[str, Any] = {
            "RoleArn": role_arn,
            "AccessKeyId": keys["AccessKeyId"],
            "SecretAccessKey": keys["SecretAccessKey"],
            "Token": keys["SessionToken"],
            "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return HTTPStatus.OK, json.dumps(document).encode()

    def close(self) -> None:
        """Stop serving, and give the address back."""
        self._server.shutdown()
        self._server.server_close()


def _refused(message: str) -> tuple[int, bytes]:
    return HTTPStatus.FORBIDDEN, json.dumps({"message": message}).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    agent: Agent


class _Handler(BaseHTTPRequestHandler):
    """Answers GET; nothing else is asked for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        agent = cast("_Server", self.server).agent
        status, body = agent.answer(self.path, self.headers.get("Authorization", ""))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing: a path here is a secret."""

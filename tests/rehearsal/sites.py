"""A small site in the emulator, as the stacks make one, and small servers that stand in for its tasks."""

import contextlib
import http.server
import json
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

from rehearsal.door import DoorState
from rehearsal.door.sites import opener
from tests.rehearsal.conftest import SHARED, STAGING, Cloud
from tests.rehearsal.site_template import DOMAIN, HOST, PORT, STATIC, certificate, join, site, zone

FRESH_SECONDS = 0.05
SEEN_SECONDS = 10.0


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked; /silent and /short break off."""

    protocol_version = "HTTP/1.1"

    server: "Target"

    def do_GET(self) -> None:
        self.server.requests += 1
        if self.path == "/silent":
            time.sleep(30)
        if self.path == "/broken":
            self.close_connection = True
            return
        content = json.dumps(
            {"path": self.path, "headers": dict(self.headers), "target": self.connection.getsockname()[0]}
        ).encode()
        self._send(content)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self._send(str(len(self.rfile.read(length))).encode())

    def _send(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Target(http.server.ThreadingHTTPServer):
    """A task, at an address of its own."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, address: str) -> None:
        super().__init__((address, PORT), _Handler)
        self.address = address
        self.requests = 0
        self._connections: list[socket.socket] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Remember a connection."""
        connection, client = super().get_request()
        self._connections.append(connection)
        return connection, client

    def stop(self) -> None:
        """End all connections and refuse others, as a process does that is killed."""
        self.shutdown()
        self.server_close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Answer:
    """What a client got."""

    status: int
    headers: Message
    body: bytes

    @property
    def step(self) -> str:
        return self.headers.get("X-Rehearsal-Step", "")

    @property
    def reason(self) -> str:
        return self.headers.get("X-Rehearsal-Reason", "")

    @property
    def seen(self) -> Any:
        """What the target saw of the request."""
        return json.loads(self.body)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def ask(
    state: DoorState,
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    data: bytes | None = None,
) -> Answer:
    """Make a request through the door, with certificates checked and redirects not followed.

    A tunnel that is refused shows in Python's client as an error without headers.
    """
    request = urllib.request.Request(url, method=method, headers=dict(headers or {}), data=data)
    try:
        with opener(state, _NoRedirect()).open(request, timeout=20) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLError):
            return Answer(0, _as_headers("tls", error.reason), b"")
        return Answer(0, _as_headers("tunnel", error.reason), b"")


def _as_headers(step: str, reason: object) -> Message:
    headers = Message()
    headers["X-Rehearsal-Step"] = step
    headers["X-Rehearsal-Reason"] = str(reason)
    return headers


def eventually(find: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    """Ask again until the door has seen a change."""
    deadline = time.monotonic() + SEEN_SECONDS
    while True:
        found = find()
        if holds(found) or time.monotonic() > deadline:
            return found
        time.sleep(FRESH_SECONDS)


class Site:
    """Zones, certificates, load balancer and distribution in the accounts of an organization."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.name = f"site{uuid.uuid4().hex[:8]}"
        self.parent = cloud.deploy(
            {"Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": DOMAIN}}}, account=SHARED
        )
        self.zone = cloud.deploy({"Zone": zone()}, outputs={"Servers": join("Zone", "NameServers")})
        self.delegate(self.zone.outputs["Servers"].split(","))
        self.edge = cloud.deploy(
            {"Certificate": certificate(STATIC, self.zone_id)},
            region="us-east-1",
            outputs={"Arn": {"Ref": "Certificate"}},
        )
        self.stack = cloud.deploy(
            site(self.zone_id, self.edge.outputs["Arn"]),
            outputs={
                "Group": {"Ref": "Group"},
                "Https": {"Ref": "Https"},
                "Bucket": {"Ref": "Bucket"},
                "Distribution": {"Ref": "Distribution"},
                "SecurityGroup": {"Fn::GetAtt": ["SecurityGroup", "GroupId"]},
                "Balancer": {"Ref": "Balancer"},
                "Certificate": {"Ref": "Certificate"},
            },
        )
        assert self.stack.status == "CREATE_COMPLETE", self.stack.failures

    @property
    def zone_id(self) -> str:
        return self.zone.ids["Zone"]

    @property
    def outputs(self) -> Mapping[str, str]:
        return self.stack.outputs

    def delegate(self, servers: list[str]) -> None:
        """Write the parent's NS record."""
        record = {
            "Name": HOST,
            "Type": "NS",
            "TTL": 300,
            "ResourceRecords": [{"Value": server} for server in servers],
        }
        self.change(record, zone_id=self.parent.ids["Zone"], account=SHARED)

    def change(
        self, record: Mapping[str, Any], *, action: str = "UPSERT", zone_id: str = "", account: str = STAGING
    ) -> None:
        """Write a record, of the environment's zone if none is named."""
        self.cloud.client("route53", account).change_resource_record_sets(
            HostedZoneId=zone_id or self.zone_id,
            ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]},
        )

    def register(self, *targets: Target) -> None:
        """Register targets, as ECS does."""
        self.cloud.client("elbv2").register_targets(
            TargetGroupArn=self.outputs["Group"],
            Targets=[{"Id": target.address, "Port": PORT} for target in targets],
        )

    def deregister(self, *targets: Target) -> None:
        """Take them out."""
        self.cloud.client("elbv2").deregister_targets(
            TargetGroupArn=self.outputs["Group"],
            Targets=[{"Id": target.address, "Port": PORT} for target in targets],
        )

    def remove(self) -> None:
        """Delete it all."""
        s3 = self.cloud.client("s3")
        for entry in s3.list_objects_v2(Bucket=self.outputs["Bucket"]).get("Contents", []):
            s3.delete_object(Bucket=self.outputs["Bucket"], Key=entry["Key"])
        self.cloud.delete(self.stack)
        self.cloud.delete(self.edge, region="us-east-1")

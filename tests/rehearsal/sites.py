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

DOMAIN = "door.example"
HOST, STATIC = f"staging.{DOMAIN}", f"static.staging.{DOMAIN}"
PORT = 8000
FRESH_SECONDS = 0.05
SEEN_SECONDS = 10.0


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked; /silent and /short break off."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
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
    request = urllib.request.Request(  # noqa: S310 -- the tests' own addresses
        url, method=method, headers=dict(headers or {}), data=data
    )
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
        self.zone = cloud.deploy({"Zone": _zone()}, outputs={"Servers": _join("Zone", "NameServers")})
        self.delegate(self.zone.outputs["Servers"].split(","))
        self.edge = cloud.deploy(
            {"Certificate": _certificate(STATIC, self.zone_id)},
            region="us-east-1",
            outputs={"Arn": {"Ref": "Certificate"}},
        )
        self.stack = cloud.deploy(
            _site(self.zone_id, self.edge.outputs["Arn"]),
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


def _zone() -> Mapping[str, Any]:
    return {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": HOST}}


def _join(resource: str, attribute: str) -> Mapping[str, Any]:
    return {"Fn::Join": [",", {"Fn::GetAtt": [resource, attribute]}]}


def _certificate(name: str, zone_id: str) -> Mapping[str, Any]:
    option = {"DomainName": name, "HostedZoneId": zone_id}
    properties = {"DomainName": name, "ValidationMethod": "DNS", "DomainValidationOptions": [option]}
    return {"Type": "AWS::CertificateManager::Certificate", "Properties": properties}


def _site(zone_id: str, edge_certificate: str) -> Mapping[str, Any]:
    world = [
        {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "0.0.0.0/0"} for port in (80, 443)
    ]
    redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    alias = {"Fn::Join": ["", ["dualstack.", {"Fn::GetAtt": ["Balancer", "DNSName"]}]]}
    return {
        "SecurityGroup": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": "balancer", "SecurityGroupIngress": world},
        },
        "Certificate": _certificate(HOST, zone_id),
        "Balancer": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {
                "Scheme": "internet-facing",
                "Subnets": ["subnet-1", "subnet-2"],
                "SecurityGroups": [{"Fn::GetAtt": ["SecurityGroup", "GroupId"]}],
                "LoadBalancerAttributes": [
                    {"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "true"},
                    {"Key": "idle_timeout.timeout_seconds", "Value": "2"},
                ],
            },
        },
        "Group": {
            "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
            "Properties": {"Port": PORT, "Protocol": "HTTP", "TargetType": "ip", "VpcId": "vpc-1"},
        },
        "Http": _listener(80, "HTTP", {"Type": "redirect", "RedirectConfig": redirect}),
        "Https": _listener(443, "HTTPS", {"Type": "forward", "TargetGroupArn": {"Ref": "Group"}}),
        "Alias": _alias(zone_id, HOST, alias, "Z32O12XQLNTSW2"),
        **_static(zone_id, edge_certificate),
    }


def _listener(port: int, protocol: str, action: Mapping[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "LoadBalancerArn": {"Ref": "Balancer"},
        "Port": port,
        "Protocol": protocol,
        "DefaultActions": [action],
    }
    if protocol == "HTTPS":
        properties["Certificates"] = [{"CertificateArn": {"Ref": "Certificate"}}]
    return {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": properties}


def _alias(zone_id: str, name: str, target: Any, target_zone: str) -> Mapping[str, Any]:
    properties = {
        "HostedZoneId": zone_id,
        "Name": name,
        "Type": "A",
        "AliasTarget": {"DNSName": target, "HostedZoneId": target_zone},
    }
    return {"Type": "AWS::Route53::RecordSet", "Properties": properties}


def _static(zone_id: str, certificate: str) -> Mapping[str, Any]:
    objects = {"Fn::Join": ["", [{"Fn::GetAtt": ["Bucket", "Arn"]}, "/*"]]}
    arn = {"Fn::Sub": "arn:aws:cloudfront::${AWS::AccountId}:distribution/${Distribution}"}
    read = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": objects,
        "Condition": {"StringEquals": {"AWS:SourceArn": arn}},
    }
    origin = {
        "Id": "bucket",
        "DomainName": {"Fn::GetAtt": ["Bucket", "RegionalDomainName"]},
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "OriginAccessControlId": {"Fn::GetAtt": ["Control", "Id"]},
    }
    control = {
        "Name": f"control-{uuid.uuid4().hex[:8]}",
        "OriginAccessControlOriginType": "s3",
        "SigningBehavior": "always",
        "SigningProtocol": "sigv4",
    }
    cors = {
        "AccessControlAllowCredentials": False,
        "AccessControlAllowHeaders": {"Items": ["*"]},
        "AccessControlAllowMethods": {"Items": ["GET"]},
        "AccessControlAllowOrigins": {"Items": [f"https://{HOST}"]},
        "OriginOverride": True,
    }
    headers = {"ResponseHeadersPolicyConfig": {"Name": f"headers-{uuid.uuid4().hex[:8]}", "CorsConfig": cors}}
    behavior = {
        "TargetOriginId": "bucket",
        "ViewerProtocolPolicy": "redirect-to-https",
        "ResponseHeadersPolicyId": {"Ref": "Headers"},
    }
    config = {
        "Enabled": True,
        "Aliases": [STATIC],
        "Origins": [origin],
        "DefaultCacheBehavior": behavior,
        "ViewerCertificate": {"AcmCertificateArn": certificate, "SslSupportMethod": "sni-only"},
    }
    return {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [read]},
            },
        },
        "Control": {
            "Type": "AWS::CloudFront::OriginAccessControl",
            "Properties": {"OriginAccessControlConfig": control},
        },
        "Headers": {"Type": "AWS::CloudFront::ResponseHeadersPolicy", "Properties": headers},
        "Distribution": {
            "Type": "AWS::CloudFront::Distribution",
            "Properties": {"DistributionConfig": config},
        },
        "StaticAlias": _alias(
            zone_id, STATIC, {"Fn::GetAtt": ["Distribution", "DomainName"]}, "Z2FDTNDATAQYW2"
        ),
    }

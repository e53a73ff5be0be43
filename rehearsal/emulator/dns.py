"""Hosted zones with their own name servers, and certificates that are issued if their names can be validated."""

import hashlib
import uuid
from typing import Any

from rehearsal.emulator import internals, internals_services
from rehearsal.emulator.calls import client
from rehearsal.emulator.resources import Attributes, Created, Properties, Resource, quietly, tags

_SERVERS = (".com.", ".net.", ".org.", ".co.uk.")
_SERVER_NUMBERS = 2048  # Route 53 has about so many


def own_name_servers(account: str, zone: str) -> list[str]:
    """The name servers of a zone: four out of many, others for each zone of each account.

    Args:
        account: account id.
        zone: name of the zone.
    """
    digest = hashlib.sha256(f"{account}:{zone}".encode()).digest()
    numbers = [int.from_bytes(digest[index : index + 2], "big") % _SERVER_NUMBERS for index in range(0, 8, 2)]
    return [
        f"ns-{number}.awsdns-{number % 64:02d}{end}" for number, end in zip(numbers, _SERVERS, strict=True)
    ]


def zone_attributes(physical_id: str, properties: Properties, known: Attributes) -> Attributes:  # noqa: ARG001
    """The name servers of AWS::Route53::HostedZone as the zone itself answers them."""
    zone = client("route53").get_hosted_zone(Id=physical_id)
    servers = (zone.get("DelegationSet") or {}).get("NameServers") or []
    return {"NameServers": [server.rstrip(".") for server in servers]}


def _is_below(name: str, zone: str) -> bool:
    """Whether a name is a zone's own name or lies below it (both without the final dot)."""
    return name == zone or name.endswith(f".{zone}")


def undelegated(zone_id: str) -> str:
    """Why the public would not find a zone; empty if it would.

    The topmost zone of the rehearsal counts as delegated by its registrar. Any other must have an NS record in the
    closest zone above it, in whatever account, that names the zone's own servers.

    Args:
        zone_id: a zone of the account in progress.
    """
    zones = internals_services.zones()
    own = next(((account, name) for account, found, name in zones if found == zone_id), None)
    if own is None:
        return f"there is no hosted zone {zone_id} in any account"
    name = own[1]
    above = [zone for zone in zones if zone[2] != name and _is_below(name.rstrip("."), zone[2].rstrip("."))]
    if not above:
        return ""
    parent_account, parent_id, parent = max(above, key=lambda zone: len(zone[2]))
    servers = _servers(own[0], zone_id, name)
    delegated = _servers(parent_account, parent_id, name)
    if delegated == servers:
        return ""
    has = "no NS record" if not delegated else "an NS record with other servers"
    return f"zone {parent.rstrip('.')} in account {parent_account} has {has} for {name.rstrip('.')}"


def _servers(account: str, zone_id: str, name: str) -> set[str]:
    """The name servers that a zone's NS record for a name lists."""
    return {
        str(value).rstrip(".")
        for record in internals_services.records(account, zone_id)
        if record["Type"] == "NS" and str(record["Name"]).rstrip(".") == name.rstrip(".")
        for value in record.get("ResourceRecords", [])
    }


class Certificate(Resource):
    """AWS::CertificateManager::Certificate, issued at once or refused.

    ACM would wait for hours for a name that cannot be validated; here the stack fails and says why. With a
    HostedZoneId in DomainValidationOptions, CloudFormation writes the validation record into that zone, and so does
    this; without one somebody has to write it, which is not asked for here.
    """

    types = ("AWS::CertificateManager::Certificate",)
    replacing = frozenset(
        {
            "CertificateAuthorityArn",
            "CertificateExport",
            "DomainName",
            "DomainValidationOptions",
            "KeyAlgorithm",
            "SubjectAlternativeNames",
        }
    )

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:  # noqa: ARG002
        """Validate the names and issue the certificate."""
        for option in properties.get("DomainValidationOptions") or []:
            zone_id = str(option.get("HostedZoneId") or "").removeprefix("/hostedzone/")
            if zone_id:
                self._validate(str(option["DomainName"]), zone_id)
        request: dict[str, Any] = {
            "DomainName": properties["DomainName"],
            "ValidationMethod": properties.get("ValidationMethod", "DNS"),
            "IdempotencyToken": uuid.uuid4().hex,
        }
        for optional in ("SubjectAlternativeNames", "KeyAlgorithm"):
            if properties.get(optional):
                request[optional] = properties[optional]
        acm = client("acm")
        arn = acm.request_certificate(**request)["CertificateArn"]
        own = [tag for tag in tags(properties) if not tag["Key"].startswith("aws:")]
        if own:
            acm.add_tags_to_certificate(CertificateArn=arn, Tags=own)
        status = acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"]
        if status != "ISSUED":
            raise ValueError(f"certificate {arn} is {status}")
        return arn, {}

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:  # noqa: ARG002
        """Nothing but its tags can change."""
        return physical_id, {}

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Delete it."""
        quietly(lambda: client("acm").delete_certificate(CertificateArn=physical_id), "ResourceNotFound")

    def _validate(self, name: str, zone_id: str) -> None:
        """Write the validation record of a name, if its zone can be asked from outside."""
        reason = undelegated(zone_id)
        if reason:
            raise ValueError(
                f"{name} cannot be validated, the certificate would stay in PENDING_VALIDATION: {reason}. The "
                "certificate must come after the delegation (DependsOn)."
            )
        label = hashlib.sha256(f"{internals.account()}:{name}".encode()).hexdigest()[:32]
        record = {
            "Name": f"_{label}.{name.removeprefix('*.')}.",
            "Type": "CNAME",
            "TTL": 300,
            "ResourceRecords": [{"Value": f"_{label[::-1]}.acm-validations.aws."}],
        }
        client("route53").change_resource_record_sets(
            HostedZoneId=zone_id, ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
        )


RESOURCES: tuple[Resource, ...] = (Certificate(),)

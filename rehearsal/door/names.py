"""Names resolved as the world resolves them: from the parent zone along the delegations to a record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.door.faults import ChainError
from rehearsal.door.look_ups import LookUps

_LONGEST_CHAIN = 8  # aliases and CNAMEs; resolvers give up after about as many
_AWS_NAMES = (".elb.amazonaws.com", ".cloudfront.net")


@dataclass(frozen=True)
class Zone:
    """A public hosted zone.

    Args:
        account: the account that holds it.
        zone_id: its id.
        name: its name, in lower case and without the last dot.
        servers: its own name servers, in the same form.
    """

    account: str
    zone_id: str
    name: str
    servers: frozenset[str]

    def __str__(self) -> str:
        return f"zone {self.name} ({self.zone_id} in account {self.account})"


@dataclass(frozen=True)
class Resolved:
    """Where a name leads.

    Args:
        target: the name of a load balancer or a distribution, as AWS gave it out.
        chain: the links on the way, for people.
    """

    target: str
    chain: tuple[str, ...]


class Names:
    """A resolver that knows nothing but where the registrar points.

    Args:
        look_ups: the API.
        domain: name of the parent zone.
        parent_account: the account that holds it.
        parent_zone: its id, if the configuration gives one.
    """

    def __init__(
        self, look_ups: LookUps, *, domain: str, parent_account: str, parent_zone: str | None
    ) -> None:
        self._look_ups = look_ups
        self._domain = normal(domain)
        self._parent_account = parent_account
        self._parent_zone = parent_zone

    def is_ours(self, name: str) -> bool:
        """Whether a name lies in the organization's domain."""
        return is_below(normal(name), self._domain)

    async def resolve(self, name: str) -> Resolved:
        """Follow a name to the load balancer or the distribution that it stands for.

        Args:
            name: host name.

        Raises:
            ChainError: a zone, a delegation or a record is missing or wrong.
        """
        chain: list[str] = []
        wanted = normal(name)
        if not self.is_ours(wanted):
            raise ChainError("outside", f"{name} is not below {self._domain}: the rehearsal has no internet")
        for _ in range(_LONGEST_CHAIN):
            wanted = await self._step(wanted, chain)
            if wanted.endswith(_AWS_NAMES):
                return Resolved(wanted, tuple(chain))
            if not self.is_ours(wanted):
                reason = f"{name} leads to {wanted}, which is not in the rehearsal"
                raise ChainError("outside", reason)
        reason = f"{name} leads through more than {_LONGEST_CHAIN} aliases"
        raise ChainError("alias", reason)

    async def name_servers(self, name: str, entered: frozenset[str]) -> frozenset[str]:
        """The name servers of a zone's own name; none if the name is no zone's.

        Args:
            name: the name, in the organization's domain.
            entered: the parent domain's name servers, as its registrar has them.

        Raises:
            ChainError: the registrar names servers that do not know the parent zone, or a delegation does not hold.
        """
        parent = self._parent(await self._zones())
        if entered != parent.servers:
            wrong = ", ".join(sorted(entered - parent.servers)) or "too few of them"
            raise ChainError("delegation", f"the registrar names {wrong} for {parent}")
        zone = await self._zone_of(normal(name), [])
        return zone.servers if zone.name == normal(name) else frozenset()

    async def _step(self, name: str, chain: list[str]) -> str:
        """The name that a name's record points to."""
        zone = await self._zone_of(name, chain)
        records = await self._records(zone)
        found = _answer(records, name)
        if not found:
            kinds = sorted({str(record["Type"]) for record in records if normal(record["Name"]) == name})
            what = f"only {', '.join(kinds)} (NODATA)" if kinds else "nothing (NXDOMAIN)"
            raise ChainError("record", f"{zone} has no A, AAAA or CNAME record for {name}: it has {what}")
        record = found[0]
        if "AliasTarget" in record:
            target = normal(record["AliasTarget"]["DNSName"]).removeprefix("dualstack.")
            chain.append(f"{record['Type']} {name} is an alias of {target}")
            return target
        value = str(record["ResourceRecords"][0]["Value"])
        chain.append(f"{record['Type']} {name} is {value}")
        if record["Type"] == "CNAME":
            return normal(value)
        reason = f"{name} has the address {value} in {zone}; nothing in the rehearsal answers there"
        raise ChainError("outside", reason)

    async def _zone_of(self, name: str, chain: list[str]) -> Zone:
        """Walk down from the parent zone to the zone that answers for a name."""
        zones = await self._zones()
        zone = self._parent(zones)
        chain.append(f"{zone}, as the registrar says")
        while True:
            cut, servers = _delegation(await self._records(zone), zone.name, name)
            if not cut:
                return zone
            hosted = [other for other in zones if other.name == cut and servers & other.servers]
            if not hosted:
                there = [str(other) for other in zones if other.name == cut]
                hint = f"; there is {', '.join(there)}, with other name servers" if there else ""
                raise ChainError(
                    "delegation",
                    f"{zone} delegates {cut} to {', '.join(sorted(servers))}, which do not know it "
                    f"(SERVFAIL){hint}",
                )
            lame = servers - hosted[0].servers
            if lame:
                raise ChainError(
                    "delegation",
                    f"{zone} delegates {cut} to {', '.join(sorted(lame))} too, which do not know it: "
                    "every other query would fail (SERVFAIL)",
                )
            zone = hosted[0]
            chain.append(f"NS {cut} leads to {zone}")

    def _parent(self, zones: Sequence[Zone]) -> Zone:
        for zone in zones:
            if zone.account == self._parent_account and (
                zone.zone_id == self._parent_zone if self._parent_zone else zone.name == self._domain
            ):
                return zone
        wanted = self._parent_zone or self._domain
        raise ChainError(
            "parent zone", f"account {self._parent_account} has no public zone {wanted} (NXDOMAIN)"
        )

    async def _zones(self) -> list[Zone]:
        found = []
        for account in self._look_ups.emulator.accounts:
            listed = await self._look_ups.call("route53", account, "list_hosted_zones")
            for entry in listed.get("HostedZones", []):
                if entry.get("Config", {}).get("PrivateZone"):
                    continue
                zone = await self._look_ups.call("route53", account, "get_hosted_zone", Id=entry["Id"])
                servers = (zone.get("DelegationSet") or {}).get("NameServers") or []
                found.append(
                    Zone(
                        account,
                        str(entry["Id"]).removeprefix("/hostedzone/"),
                        normal(entry["Name"]),
                        frozenset(map(normal, servers)),
                    )
                )
        return found

    async def _records(self, zone: Zone) -> list[Mapping[str, Any]]:
        answer = await self._look_ups.call(
            "route53", zone.account, "list_resource_record_sets", HostedZoneId=zone.zone_id
        )
        records: list[Mapping[str, Any]] = answer.get("ResourceRecordSets", [])
        return records


def normal(name: object) -> str:
    """Return a name in lower case, without the last dot, and with its star written as a star."""
    return str(name).strip().lower().removesuffix(".").replace("\\052", "*")


def is_below(name: str, zone: str) -> bool:
    """Whether a name is a zone's own or lies below it."""
    return name == zone or name.endswith(f".{zone}")


def _delegation(records: Sequence[Mapping[str, Any]], zone: str, name: str) -> tuple[str, frozenset[str]]:
    """The topmost cut between a zone and a name, and the servers it names; empty if the zone answers itself."""
    cuts = {
        normal(record["Name"]): record
        for record in records
        if record["Type"] == "NS" and normal(record["Name"]) != zone
    }
    above = [cut for cut in cuts if is_below(name, cut)]
    if not above:
        return "", frozenset()
    cut = min(above, key=len)
    return cut, frozenset(normal(value["Value"]) for value in cuts[cut].get("ResourceRecords", []))


def _answer(records: Sequence[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    """The records that answer for an address: of the name itself, or of the closest wildcard if it has none at all."""
    candidates = [name, *(f"*.{rest}" for rest in _parents(name))]
    for candidate in candidates:
        own = [record for record in records if normal(record["Name"]) == candidate]
        if own:
            return [record for kind in ("A", "AAAA", "CNAME") for record in own if record["Type"] == kind]
    return []


def _parents(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[index:]) for index in range(1, len(labels))]

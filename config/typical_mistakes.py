"""What people typically write where a certain form of text is needed, and how to put it right.

Each function looks at a text and returns a `Fault` if it recognizes the mistake; otherwise the form's own
message is shown. They make messages better and refuse what a pattern cannot express, but never accept a text:
what is accepted must match the pattern in `config/values.py` too.
"""

import ipaddress
import re
from pathlib import PurePosixPath

from config.formats import Fault
from config.problems import show
from config.regions import HOME_REGIONS, OPT_IN_REGIONS, OTHER_PARTITIONS

LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = rf"^({LABEL}\.)+(?![0-9]+$){LABEL}$"
ORIGIN = rf"^(\*|https://{LABEL}(\.{LABEL})*(:[1-9][0-9]{{0,4}})?)$"

_LONGEST_LABEL = 63  # RFC 1035, section 2.3.4
_LAST_PORT = 65535
_DIGITS_OF_AN_ACCOUNT_ID = 12
_WEB_ADDRESS = re.compile(r"(?i)(https?://|git@)[^/:]+[/:]+([\w.-]+/[\w.-]+?)(\.git)?/?")


def _write(value: str) -> str:
    return f"write {show(value)}"


def name(value: str) -> Fault | None:
    """Spot capitals, underscores and spaces, which a hyphen would replace."""
    better = re.sub("[^a-z0-9]+", "-", re.sub("(?<=[a-z0-9])(?=[A-Z])", "-", value).lower()).strip("-")
    if better != value and re.fullmatch("[a-z][a-z0-9-]+", better):
        return Fault("not a lower-case name with single hyphens", _write(better))
    return None


def account_name(value: str) -> Fault | None:
    """Spot the accounts that have a key of their own."""
    if value in {"tooling", "shared_services"}:
        return Fault("a role of its own, not a workload account", "choose another name, such as staging")
    return name(value)


def _neighbor(region: str) -> str:
    continent = region.partition("-")[0]
    return next((home for home in HOME_REGIONS if home.startswith(continent)), "eu-west-1")


def region(value: str) -> Fault | None:
    """Spot zones, and regions of other partitions or without what the CDN needs.

    A zone of a region that is refused itself gets that region's fault: who followed advice must not be refused again.
    """
    if value.startswith(OTHER_PARTITIONS):
        return Fault(
            "this region is in another AWS partition, whose accounts cannot use us-east-1",
            "use a region of the commercial partition: the CDN's certificate must be in us-east-1",
        )
    of_zone = value[:-1]
    if value in OPT_IN_REGIONS or of_zone in OPT_IN_REGIONS:
        return Fault(
            "an opt-in region: CloudFront writes its access logs to no bucket there, so the CDN could not be made",
            f"use a region that is on in every account, such as {_neighbor(value)}",
        )
    if of_zone in HOME_REGIONS:
        return Fault("an availability zone, not a region", _write(of_zone))
    return None


def domain(value: str) -> Fault | None:
    """Spot addresses of pages, wildcards, capitals, dots at the end and names that DNS cannot hold."""
    bare = re.sub("^[a-z][a-z0-9+.-]*://", "", value.strip().lower()).split("/", maxsplit=1)[0].rstrip(".")
    if not value.isascii():
        return Fault("not ASCII", "write the name in its ASCII form, which starts with xn--")
    if "*" in value:
        return Fault("a wildcard is not a domain", "name one domain")
    if "_" in value:
        return Fault("an underscore is not allowed in a host name", _write(value.replace("_", "-")))
    if bare != value and re.fullmatch(DOMAIN, bare):
        return Fault("more than the bare lower-case name of a domain", _write(bare))
    if any(len(label) > _LONGEST_LABEL for label in value.split(".")):
        return Fault(f"a label is longer than {_LONGEST_LABEL} characters", "shorten it; labels end at a dot")
    return None


def parent_zone(value: str) -> Fault | None:
    """Spot `/hostedzone/Z...`, as some AWS commands print it."""
    bare = value.rsplit("/", maxsplit=1)[-1].upper()
    if bare != value and re.fullmatch("Z[A-Z0-9]{1,31}", bare):
        return Fault("not the bare id of a zone", _write(bare))
    return None


def cidr(value: str) -> Fault | None:
    """Spot single addresses, IPv6 and addresses that are not the first of their network."""
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None
    if isinstance(network, ipaddress.IPv6Network):
        return Fault("an IPv6 network; the address plan is IPv4", 'write an IPv4 network like "10.1.0.0/20"')
    if "/" not in value:
        return Fault("an address without a prefix length", f"{_write(value + '/20')}, or another length")
    if str(network) != value:
        return Fault("bits are set beyond the prefix length", _write(str(network)))
    return None


def repository(value: str) -> Fault | None:
    """Spot the address of a repository's page or clone."""
    if found := _WEB_ADDRESS.fullmatch(value):
        return Fault("an address, not owner/name", _write(found[2]))
    return None


def branch(value: str) -> Fault | None:
    """Spot full references and the names of a clone's remote branches."""
    for prefix in ("refs/heads/", "origin/"):
        if value.startswith(prefix) and len(value) > len(prefix):
            return Fault("more than the branch's name", _write(value.removeprefix(prefix)))
    return None


def secret_name(value: str) -> Fault | None:
    """Spot ARNs."""
    if value.startswith("arn:"):
        return Fault("an ARN, not a name", "write the secret's name alone; it is read in the tooling account")
    return None


def relative_path(value: str) -> Fault | None:
    """Spot absolute and Windows paths, and refuse paths that lead out of the project."""
    if value.startswith(("/", "~")) or re.match("[A-Za-z]:", value):
        return Fault("not relative to the project", "write the path from the folder that holds app.py")
    if "\\" in value:
        return Fault("a backslash does not separate folders here", _write(value.replace("\\", "/")))
    if ".." in PurePosixPath(value).parts:
        return Fault(
            "the path leaves the project", "move the workload inside, or give its repository instead"
        )
    if value and str(PurePosixPath(value)) != value:
        return Fault("not the shortest form of the path", _write(str(PurePosixPath(value))))
    return None


def url_path(value: str) -> Fault | None:
    """Spot a path without its slash."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/?=&-]*", value):
        return Fault('does not start with "/"', _write("/" + value))
    return None


def origin(value: str) -> Fault | None:
    """Spot plain http, paths, capitals and a scheme left out; refuse ports that do not exist."""
    bare = "/".join(value.strip().lower().split("/")[:3])
    if bare.startswith("http://"):
        return Fault("http is not safe", _write(bare.replace("http:", "https:", 1)))
    if re.fullmatch(DOMAIN, bare):
        return Fault("the scheme is missing", _write(f"https://{bare}"))
    if bare != value and re.fullmatch(ORIGIN, bare):
        return Fault("an origin has no path, no slash at its end and no capitals", _write(bare))
    port = re.fullmatch("https://[^:]+:([0-9]{5})", value)
    if port and int(port[1]) > _LAST_PORT:
        return Fault("no such port", f"use a port from 1 to {_LAST_PORT}")
    return None


def variable_name(value: str) -> Fault | None:
    """Spot credentials of AWS, and small letters or hyphens."""
    if value.startswith(("AWS_ACCESS", "AWS_SECRET", "AWS_SESSION")):
        return Fault(
            "a name of AWS credentials, which would replace the task's role",
            "leave it out: the task's role gives the containers their credentials",
        )
    better = re.sub("[^A-Z0-9_]+", "_", value.upper())
    if better != value and re.fullmatch("[A-Z_][A-Z0-9_]*", better):
        return Fault("not a name of an environment variable", _write(better))
    return None


def account_id_as_number(number: float) -> str:
    """Restore the leading zeros of an id that lost them: 012345671234 is 12345671234 in a spreadsheet.

    Without quotes a tool may also have read the id as octal, as YAML 1.1 does where a number starts with a zero and has
    no 8 or 9: 012345671234 is then 1402434204.
    """
    if number != int(number) or number < 0:
        return "write the 12 digits of the id, in quotes"
    digits = f"{number:.0f}"
    if len(digits) > _DIGITS_OF_AN_ACCOUNT_ID:
        return "put the id in quotes; compare it with the list of accounts: it has 12 digits"
    fix = f'write "{digits.zfill(_DIGITS_OF_AN_ACCOUNT_ID)}", in quotes; compare it with the list of accounts'
    if len(digits) == _DIGITS_OF_AN_ACCOUNT_ID:
        return fix
    octal = f"{int(number):o}"
    if len(octal) == _DIGITS_OF_AN_ACCOUNT_ID - 1:
        return f'{fix}: a number loses leading zeros, or was read as octal, and the id is "0{octal}"'
    return f"{fix}: a number loses leading zeros"

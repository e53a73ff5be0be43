"""The forms of text in the configuration: names, ids, ARNs, addresses."""

from typing import Annotated

from config import typical_mistakes
from config.formats import Format
from config.regions import HOME_REGIONS

_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_HYPHENATED = "[a-z]([a-z0-9]|-(?=[a-z0-9]))+"  # no hyphen doubled, none at the end


def _name(what: str, longest: int, example: str) -> Format:
    return Format(
        pattern=f"^{_HYPHENATED}$",
        problem=f"not a name for {what}",
        allowed=f"2 to {longest} lower-case letters, digits and single hyphens; starts with a letter",
        fix=f'choose a name like "{example}"',
        example=example,
        longest=longest,
        explain=typical_mistakes.name,
    )


AccountId = Annotated[
    str,
    Format(
        pattern="^[0-9]{12}$",
        problem="not an account id",
        allowed="exactly 12 digits, in quotes",
        fix="copy the id from the list of accounts in AWS Organizations, without spaces or hyphens",
        example="111111111111",
        number=typical_mistakes.account_id_as_number,
    ),
]

AccountName = Annotated[
    str,
    Format(
        pattern=f"^(?!tooling$){_HYPHENATED}$",
        problem="not a name for an account",
        allowed="2 to 31 lower-case letters, digits and single hyphens; starts with a letter; not tooling",
        fix='choose a name like "staging"',
        example="staging",
        longest=31,
        explain=typical_mistakes.account_name,
    ),
]

# It starts the names of roles (64 characters at most) and buckets (63): short, and fit for a host name.
OrganizationName = Annotated[str, _name("an organization", 21, "acme")]
WorkloadName = Annotated[str, _name("a workload", 31, "my-django-app")]
EnvironmentName = Annotated[str, _name("an environment", 20, "staging")]

DomainName = Annotated[
    str,
    Format(
        pattern=typical_mistakes.DOMAIN,
        problem="not the name of a domain",
        allowed="lower-case labels of 1 to 63 letters, digits and inner hyphens, two or more, joined by dots",
        fix='write a name like "acme.example": no scheme, no path, no dot at the end',
        example="acme.example",
        longest=253,
        explain=typical_mistakes.domain,
    ),
]

Region = Annotated[
    str,
    Format(
        pattern="^[a-z]{2}-[a-z]+-[0-9]+$",
        problem="not a region that is known",
        allowed="a region of AWS's commercial partition that every account has, such as eu-west-1",
        fix="look it up in config/regions.py; if AWS opened it since, add it there",
        example="eu-west-1",
        choices=HOME_REGIONS,
        explain=typical_mistakes.region,
    ),
]

# No region has more zones than the six of us-east-1.
ZoneLetter = Annotated[
    str,
    Format(
        pattern="^[a-f]$",
        problem="not the letter of an availability zone",
        allowed="one letter from a to f, in lower case; the zone eu-west-1a has the letter a",
        fix='write the letter alone, such as "a"',
        example="a",
    ),
]

Qualifier = Annotated[
    str,
    Format(
        pattern="^[a-z0-9]{1,10}$",
        problem="not a qualifier of the CDK bootstrap",
        allowed="1 to 10 lower-case letters and digits",
        fix='keep "hnb659fds", the default of cdk bootstrap, unless you bootstrapped with another',
        example="hnb659fds",
    ),
]

DnsParent = Annotated[
    str,
    Format(
        pattern="^(create|Z[A-Z0-9]{1,31})$",
        problem='neither "create" nor the id of a zone',
        allowed='"create", or the id of a Route 53 zone in shared services: Z and 1 to 31 capitals, digits',
        fix='write "create" to have the zone made here',
        example="create",
        explain=typical_mistakes.parent_zone,
    ),
]

Cidr = Annotated[
    str,
    Format(
        pattern=(
            r"^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}"
            r"(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])/([0-9]|[12][0-9]|3[0-2])$"
        ),
        problem="not an IPv4 network",
        allowed="an IPv4 address, a slash and a prefix length, with no bits set beyond it",
        fix='write a network like "10.1.0.0/20"',
        example="10.1.0.0/20",
        explain=typical_mistakes.cidr,
    ),
]

TransitGateway = Annotated[
    str,
    Format(
        pattern="^(create|off|tgw-[0-9a-f]{8,17})$",
        problem="not a choice for the transit gateway",
        allowed='"create", "off", or the id of a transit gateway: tgw- and 8 to 17 hexadecimal digits',
        fix='write "create" to have it made here',
        example="create",
    ),
]

Repository = Annotated[
    str,
    Format(
        pattern=r"^(?!\.)[A-Za-z0-9._-]+/(?!\.{1,2}$)[A-Za-z0-9._-]+$",
        problem="not the name of a repository",
        allowed="owner/name, as in the address of its page",
        fix='write a name like "acme/landing-zone"',
        example="acme/landing-zone",
        longest=140,
        explain=typical_mistakes.repository,
    ),
]

# git check-ref-format(1): the rules for the name of a branch.
Branch = Annotated[
    str,
    Format(
        pattern=(
            r"^(?!-)(?!@$)(?!HEAD$)(?!/)(?!\.)(?!.*(\.\.|//|@\{|/\.))(?!.*\.lock(/|$))(?!.*[/.]$)"
            r"[^\x00-\x20~^:?*\[\\\x7f]+$"
        ),
        problem="not a legal name of a branch",
        allowed="a name that git accepts: no space, none of ~ ^ : ? * [ \\, no .. or //, no dot at an end",
        fix='write a name like "main"',
        example="main",
        longest=255,
        explain=typical_mistakes.branch,
    ),
]

ConnectionArn = Annotated[
    str,
    Format(
        pattern=(
            "^arn:aws(-cn|-us-gov)?:(codeconnections|codestar-connections):[a-z0-9-]+:[0-9]{12}"
            f":connection/{_UUID}$"
        ),
        problem="not the ARN of a connection",
        allowed="arn:aws:codeconnections:<region>:<tooling account>:connection/<uuid>",
        fix="copy the ARN from Developer Tools, Settings, Connections in the tooling account",
        example="arn:aws:codeconnections:eu-west-1:111111111111:connection/00000000-0000-0000-0000-000000000000",
    ),
]

SecretName = Annotated[
    str,
    Format(
        pattern="^[A-Za-z0-9/_+=.@-]+$",
        problem="not a name of a secret",
        allowed="letters, digits and /_+=.@- (the rule of Secrets Manager)",
        fix='write a name like "docker-hub"',
        example="docker-hub",
        longest=512,
        explain=typical_mistakes.secret_name,
    ),
]

RelativePath = Annotated[
    str,
    Format(
        pattern=r"^(?![/~])[^\\:\x00-\x1f]*[^\\:/\x00-\x1f]$",
        problem="not a path inside the project",
        allowed="a relative path with forward slashes, inside the project",
        fix='write a path like "workloads/django/app"',
        example="workloads/django/app",
        longest=255,
        explain=typical_mistakes.relative_path,
    ),
]

"""Secrets are references, and nothing in a template looks like one."""

import re
from collections.abc import Iterator

from compliance.contents import texts_in, walk
from compliance.rules.rule import Finding, Organization, judged, rule
from compliance.templates import Resource

NAMES = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE|CREDENTIAL|_KEY\b", re.IGNORECASE)
"""Names of variables that hold a secret."""

_HOLDERS = ("SecretString", "MasterUserPassword", "Password")
_REFERENCE = re.compile(r"^\$\{(?P<stack>[^/}]+)/\w+(\.MasterUserSecret\.SecretArn)?\}(:\w+::)?$")

# The forms that the issuers document: AWS (IAM guide, "Unique identifiers"), PEM (RFC 7468), JSON Web Tokens
# (RFC 7519), and the prefixes of GitHub, GitLab, Slack, Stripe, OpenAI and PyPI tokens.
LITERALS = {
    "an AWS access key id": re.compile(r"\b(AKIA|ASIA)[A-Z2-7]{16}\b"),
    "an AWS secret key": re.compile(r"(?i)aws.{0,20}secret.{0,20}[=:]\s*[\"']?[A-Za-z0-9/+]{40}\b"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a JSON Web Token": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
    "a token of a code host": re.compile(r"\b(gh[pousr]_\w{36}|github_pat_\w{22,}|glpat-[\w-]{20})"),
    "a token of a service": re.compile(
        r"\b(xox[abprs]-[\w-]{10,}|[rs]k_live_\w{16,}|sk-[\w-]{32,}|pypi-AgEIcHlwaS5vcmc[\w-]{20,})"
    ),
    "a URL with a password": re.compile(r"\b[a-z][a-z0-9+.-]+://[^\s/:@$]+:[^\s/@$]{3,}@"),
}
"""What a secret looks like, wherever it stands."""


@rule(
    "LZ-SEC-1",
    text="Containers and databases get secrets as references to Secrets Manager, and no secret has a written value.",
    fix="Let Secrets Manager generate the value, and hand it over with `ecs.Secret.from_secrets_manager`.",
)
def secrets_are_references(organization: Organization) -> Iterator[Finding]:
    """Look at every task definition, database and secret."""
    types = (
        "AWS::ECS::TaskDefinition",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::SecretsManager::Secret",
    )
    for resource in organization.assembly.resources(*types):
        wrong = [
            f"it holds {key}"
            for value in walk(resource.properties)
            if isinstance(value, dict)
            for key in _HOLDERS
            if key in value
        ]
        for container in resource.get("ContainerDefinitions", default=[]):
            wrong += _secrets_of(container, resource)
        yield from judged(resource, wrong)


def _secrets_of(container: dict[str, list[dict[str, str]]], definition: Resource) -> Iterator[str]:
    for variable in container.get("Environment", []):
        if NAMES.search(variable["Name"]):
            yield f"it shows {variable['Name']}"
    for secret in container.get("Secrets", []):
        if not _is_own_reference(definition, secret["ValueFrom"]):
            yield f"it takes {secret['Name']} from something else than a secret of its environment"


def _is_own_reference(definition: Resource, value: object) -> bool:
    """Tell whether a value points to a secret that the same environment's templates make."""
    match = _REFERENCE.match(definition.stack.text(value))
    owner = definition.stack.assembly.stacks.get(match["stack"]) if match else None
    return owner is not None and owner.stage == definition.stack.stage


@rule(
    "LZ-SEC-2",
    text="No text in any template looks like a secret.",
    fix="Take it out, and change the secret: it is in the history now. Secrets belong into Secrets Manager.",
)
def nothing_looks_like_a_secret(organization: Organization) -> Iterator[Finding]:
    """Look at every text of every resource."""
    resources = organization.assembly.resources()
    texts = [texts_in(resource.body) for resource in resources]
    # All of them together first, which is quick: what one text holds, all of them hold.
    together = "\n".join(set().union(*texts))
    suspected = {what: form for what, form in LITERALS.items() if form.search(together)}
    for resource, own in zip(resources, texts, strict=True):
        wrong = [f"it holds {what}" for what, form in suspected.items() if any(map(form.search, own))]
        yield from judged(resource, wrong)

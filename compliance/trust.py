"""The trust matrix: who may assume which role, from where."""

from compliance.policies import identity_statements, trust
from compliance.principals import narrowed, principals
from compliance.results import Trust
from compliance.rules.rule import Organization
from compliance.templates import Resource

ROLE = "AWS::IAM::Role"
BOOTSTRAP_STACK = "CDKToolkit"
# Source: bootstrap-template.yaml of the pinned CDK CLI: these trust the accounts of --trust (the last also those of
# --trust-for-lookup) and the account itself.
BOOTSTRAP_ROLES = ("deploy-role", "file-publishing-role", "image-publishing-role", "lookup-role")
EXECUTION_ROLE = "cfn-exec-role"


def trust_matrix(organization: Organization) -> tuple[Trust, ...]:
    """List who may assume every role: those of the templates, and those of `cdk bootstrap`.

    Args:
        organization: whose roles.
    """
    users = _users(organization)
    found = []
    for role in organization.assembly.resources(ROLE):
        name = _name(role)
        arn = organization.names.role_arn(role.stack.account, name)
        used_by = users.get(arn, set()) | users.get(role.attribute("Arn"), set())
        found += [
            Trust(
                role=name,
                account=role.stack.account,
                resource=role.path,
                stack=role.stack.name,
                principal=principal.name,
                kind=principal.kind,
                from_account=principal.account,
                condition=narrowed(statement),
                used_by=tuple(sorted(used_by)),
            )
            for statement in trust(role)
            if statement.allows
            for principal in principals(statement)
        ]
    return (*found, *_bootstrapped(organization))


def _users(organization: Organization) -> dict[str, set[str]]:
    """Map each ARN of a role to the roles of this project that may assume it."""
    found: dict[str, set[str]] = {}
    for role in organization.assembly.resources(ROLE):
        for statement in identity_statements(role):
            if statement.allows and "sts:AssumeRole" in statement.actions:
                for arn in statement.resources:
                    found.setdefault(arn, set()).add(_name(role))
    return found


def _name(role: Resource) -> str:
    return str(role.get("RoleName", default=role.path))


def _bootstrapped(organization: Organization) -> list[Trust]:
    """List the trust that `cdk bootstrap` makes: tooling deploys, and CloudFormation acts."""
    names, tooling = organization.names, organization.configuration.accounts.tooling
    found = []
    for account, region in sorted({(s.account, s.region) for s in organization.assembly.stacks.values()}):
        trusted = sorted({tooling, account})
        found += [
            Trust(
                role=names.bootstrap_role_arn(account, kind, region).rpartition("/")[2],
                account=account,
                resource="",
                stack=BOOTSTRAP_STACK,
                principal=names.account_arn(other),
                kind="account",
                from_account=other,
            )
            for kind in BOOTSTRAP_ROLES
            for other in trusted
        ]
        found.append(
            Trust(
                role=names.bootstrap_role_arn(account, EXECUTION_ROLE, region).rpartition("/")[2],
                account=account,
                resource="",
                stack=BOOTSTRAP_STACK,
                principal="cloudformation.amazonaws.com",
                kind="service",
                from_account="",
            )
        )
    return found

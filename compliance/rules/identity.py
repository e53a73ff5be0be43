"""Who may do what: trust, its way across accounts, what roles are allowed, and who may use a resource."""

import re
from collections.abc import Iterator

from compliance.policies import Statement, identity_statements, resource_statements, statements, trust
from compliance.principals import Principal, narrowed, principals
from compliance.rules.load_balancers import LOG_ACCOUNTS
from compliance.rules.rule import Finding, Organization, judged, rule
from compliance.templates import Resource
from config.naming import SHARED_SERVICES_STAGE

ROLE = "AWS::IAM::Role"
SERVICES = frozenset(
    {
        "codebuild.amazonaws.com",
        "codepipeline.amazonaws.com",
        "ecs-tasks.amazonaws.com",
        "events.amazonaws.com",
        "lambda.amazonaws.com",
        "vpc-flow-logs.amazonaws.com",
    }
)
"""The services that act in the name of a role of ours."""

_NAMED_ROLE = re.compile(r"^arn:[\w-]+:iam::(\d{12}):role/[\w+=,.@/-]+$")
_EVERYTHING = re.compile(r"^(\*|[\w-]+:\*)$")
_ADMINISTRATION = re.compile(r":aws:policy/(AdministratorAccess|PowerUserAccess|IAMFullAccess)$")


@rule(
    "LZ-IAM-1",
    text="Every role trusts accounts of the organization and services that it uses, and never everybody.",
    fix="Name the account or the service. A new service is added to SERVICES in compliance/rules/identity.py.",
)
def trust_is_for_somebody(organization: Organization) -> Iterator[Finding]:
    """Look at who may assume every role."""
    for role in organization.assembly.resources(ROLE):
        wrong = [
            f"it trusts {principal.name}"
            for statement in trust(role)
            if statement.allows
            for principal in principals(statement)
            if not _is_known(principal, organization)
        ]
        yield from judged(role, wrong)


def _is_known(principal: Principal, organization: Organization) -> bool:
    if principal.kind == "service":
        return principal.name in SERVICES
    return principal.kind in {"account", "role"} and principal.account in organization.accounts


@rule(
    "LZ-IAM-2",
    text="Across accounts a role trusts one named role of tooling; in shared services the delegation and reader "
    "roles trust environments, too.",
    fix="Narrow the trust with a condition on aws:PrincipalArn that names one role, or make the role in the account "
    "that uses it.",
)
def trust_across_accounts_comes_from_tooling(organization: Organization) -> Iterator[Finding]:
    """Look at every role that another account may assume."""
    for role in organization.assembly.resources(ROLE):
        across = [
            (statement, principal)
            for statement in trust(role)
            if statement.allows
            for principal in principals(statement)
            if principal.account not in {"", role.stack.account}
        ]
        wrong = [
            f"{principal.name} may assume it{' where ' + narrowed(statement) if statement.condition else ''}"
            for statement, principal in across
            if not _may_cross(role, statement, principal, organization)
        ]
        if across:
            yield from judged(role, wrong)


def _may_cross(
    role: Resource, statement: Statement, principal: Principal, organization: Organization
) -> bool:
    tooling = organization.configuration.accounts.tooling
    if principal.account == tooling:
        return _is_one_role(principal, statement, tooling)
    return role.stack.stage == SHARED_SERVICES_STAGE and _serves_environments(
        role, statement, principal, organization
    )


def _is_one_role(principal: Principal, statement: Statement, account: str) -> bool:
    """Tell whether a statement lets nobody in but roles of an account that it names in full."""
    if principal.kind == "role" and _NAMED_ROLE.match(principal.name):
        return True
    for operator in ("ArnEquals", "ArnLike", "StringEquals"):
        named = statement.condition.get(operator, {}).get("aws:PrincipalArn")
        if named is not None:
            arns = named if isinstance(named, list) else [named]
            matches = [_NAMED_ROLE.match(arn) for arn in arns]
            return all(match is not None and match[1] == account for match in matches)
    return False


def _serves_environments(
    role: Resource, statement: Statement, principal: Principal, organization: Organization
) -> bool:
    """Tell whether a role of shared services is one that its environments are meant to assume."""
    names, name = organization.names, role.get("RoleName")
    stages = [stage for stage in organization.environments.values() if stage.account_id == principal.account]
    if any(name == names.delegation_role(stage.key) for stage in stages):
        return True
    # What deploys an environment's stacks reads the gateway's id.
    qualifier = organization.configuration.organization.qualifier
    deployer = f"arn:{names.partition}:iam::*:role/cdk-{qualifier}-cfn-exec-role-*"
    only_deployers = statement.condition.get("ArnLike", {}).get("aws:PrincipalArn") == deployer
    return bool(stages) and name == names.network_reader_role and only_deployers


@rule(
    "LZ-IAM-3",
    text="No role may do everything, or everything of a service, on every resource.",
    fix="Name the actions, and the resources that they are for.",
)
def no_role_may_do_everything(organization: Organization) -> Iterator[Finding]:
    """Look at the policies of every role, and at every managed policy."""
    for role in organization.assembly.resources(ROLE):
        wrong = _too_much(identity_statements(role))
        wrong += [f"it has {arn}" for arn in role.texts("ManagedPolicyArns") if _ADMINISTRATION.search(arn)]
        yield from judged(role, wrong)
    for policy in organization.assembly.resources("AWS::IAM::ManagedPolicy"):
        yield from judged(policy, _too_much(statements(policy, policy.properties["PolicyDocument"])))


def _too_much(found: list[Statement]) -> list[str]:
    wrong = []
    for statement in found:
        if statement.allows and ("*" in statement.resources or "NotResource" in statement.body):
            wrong += [f"it may {action} on *" for action in statement.actions if _EVERYTHING.match(action)]
            wrong += ["it may do all but a few actions on *"] * ("NotAction" in statement.body)
    return wrong


@rule(
    "LZ-IAM-4",
    text="Resources answer to accounts of the organization and to AWS services, and never to everybody.",
    fix="Name the role or account that needs the resource.",
)
def resources_answer_to_somebody(organization: Organization) -> Iterator[Finding]:
    """Look at every policy of a resource, and at who may call every function."""
    problems: dict[str, list[str]] = {}
    looked: dict[str, Resource] = {}
    for statement in resource_statements(organization.assembly):
        owner = statement.owner
        looked[owner.path] = owner
        wrong = problems.setdefault(owner.path, [])
        if statement.allows:
            wrong += [
                f"it answers to {principal.name}"
                for principal in principals(statement)
                if not _may_be_answered(principal, owner, organization)
            ]
            wrong += ["it answers to all but a few"] * ("NotPrincipal" in statement.body)
    for path, owner in looked.items():
        yield from judged(owner, problems[path])
    for permission in organization.assembly.resources("AWS::Lambda::Permission"):
        caller = permission.text("Principal")
        known = caller.endswith(".amazonaws.com") or any(
            account in caller for account in organization.accounts
        )
        yield Finding(permission, "" if known else f"{caller} may call the function")


def _may_be_answered(principal: Principal, owner: Resource, organization: Organization) -> bool:
    if principal.kind == "service":
        return True
    if principal.kind not in {"account", "role"}:
        return False
    logs = owner.type == "AWS::S3::BucketPolicy" and principal.account == LOG_ACCOUNTS.get(owner.stack.region)
    return logs or principal.account in organization.accounts

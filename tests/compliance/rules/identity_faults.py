"""Trust and rights that nobody wants."""

from functools import partial

from tests.assembly import Assembly
from tests.compliance.rules.fault import (
    LIVE,
    SHARED,
    STAGE,
    STAGING,
    STRANGER,
    TOOLING,
    Fault,
    add,
    add_role,
)

_WEB = f"{STAGE}-Web"
_DNS = "SharedServices-Dns"


def _trust(principal: object, assembly: Assembly, *, stack: str = _WEB, **statement: object) -> None:
    add_role(assembly[stack], "Odd", principal, **statement)


def _allow(action: object, assembly: Assembly, *, resource: object = "*") -> None:
    role = assembly[_WEB].resource("AWS::IAM::Role", "TaskRole")
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    role.properties["Policies"] = [{"PolicyName": "Odd", "PolicyDocument": {"Statement": statement}}]


def _all_but(assembly: Assembly) -> None:
    role = assembly[_WEB].resource("AWS::IAM::Role", "TaskRole")
    statement = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    role.properties["Policies"] = [{"PolicyName": "Odd", "PolicyDocument": {"Statement": statement}}]


def _administrator(assembly: Assembly) -> None:
    role = assembly[_WEB].resource("AWS::IAM::Role", "TaskRole")
    role.properties["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/AdministratorAccess"]


def _managed_policy(assembly: Assembly) -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    add(assembly[_WEB], "Odd", "AWS::IAM::ManagedPolicy", PolicyDocument={"Statement": [statement]})


def _answer(principal: object, assembly: Assembly) -> None:
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*", "Principal": principal}
    add(
        assembly[f"{STAGE}-Queues"], "Odd", "AWS::SQS::QueuePolicy", PolicyDocument={"Statement": [statement]}
    )


def _not_principal(assembly: Assembly) -> None:
    statement = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*", "NotPrincipal": {"AWS": STRANGER}}
    add(
        assembly[f"{STAGE}-Queues"], "Odd", "AWS::SQS::QueuePolicy", PolicyDocument={"Statement": [statement]}
    )


def _caller(assembly: Assembly) -> None:
    add(assembly[f"{STAGE}-Network"], "Odd", "AWS::Lambda::Permission", Principal=STRANGER)


def _root(account: str) -> dict[str, str]:
    return {"AWS": f"arn:aws:iam::{account}:root"}


def _named(pattern: str) -> dict[str, dict[str, str]]:
    return {"ArnLike": {"aws:PrincipalArn": pattern}}


_ODD = f"{STAGE}/Web/Odd"
_TASK_ROLE = f"{STAGE}/Web/Web/Definition/TaskRole/Resource"
_ANY_ROLE = f"arn:aws:iam::{TOOLING}:role/*"
_ONE_ROLE = f"arn:aws:iam::{TOOLING}:role/acme-release-step-my-django-app-staging"

FAULTS = (
    Fault("LZ-IAM-1", "everybody", partial(_trust, "*"), _ODD, "it trusts *"),
    Fault("LZ-IAM-1", "every account", partial(_trust, {"AWS": "*"}), _ODD, "it trusts *"),
    Fault("LZ-IAM-1", "a strange account", partial(_trust, _root(STRANGER)), _ODD, STRANGER),
    Fault("LZ-IAM-1", "an account by its number", partial(_trust, {"AWS": STRANGER}), _ODD, STRANGER),
    Fault(
        "LZ-IAM-1",
        "a strange service",
        partial(_trust, {"Service": "ec2.amazonaws.com"}),
        _ODD,
        "ec2.amazonaws.com",
    ),
    Fault(
        "LZ-IAM-1",
        "an identity provider",
        partial(_trust, {"Federated": "accounts.example.com"}),
        _ODD,
        "accounts.example.com",
    ),
    Fault("LZ-IAM-2", "all of tooling", partial(_trust, _root(TOOLING)), _ODD, f"{TOOLING}:root may assume"),
    Fault(
        "LZ-IAM-2",
        "any role of tooling",
        partial(_trust, _root(TOOLING), Condition=_named(_ANY_ROLE)),
        _ODD,
        "role/*",
    ),
    Fault(
        "LZ-IAM-2",
        "one environment from another",
        partial(_trust, _root(STAGING), stack=f"{LIVE}-Web"),
        f"{LIVE}/Web/Odd",
        STAGING,
    ),
    Fault(
        "LZ-IAM-2",
        "tooling from shared services",
        partial(_trust, _root(SHARED), stack="Registry", Condition=_named(_ONE_ROLE)),
        "Registry/Odd",
        SHARED,
    ),
    Fault(
        "LZ-IAM-2",
        "shared services from an environment",
        partial(_trust, _root(STAGING), stack=_DNS),
        "SharedServices/Dns/Odd",
        STAGING,
    ),
    Fault("LZ-IAM-3", "everything", partial(_allow, "*"), _TASK_ROLE, "it may * on *"),
    Fault("LZ-IAM-3", "everything of a service", partial(_allow, ["s3:*"]), _TASK_ROLE, "it may s3:* on *"),
    Fault("LZ-IAM-3", "all but a few", _all_but, _TASK_ROLE, "all but a few"),
    Fault("LZ-IAM-3", "an administrator", _administrator, _TASK_ROLE, "AdministratorAccess"),
    Fault("LZ-IAM-3", "a managed policy", _managed_policy, _ODD, "it may * on *"),
    Fault("LZ-IAM-4", "everybody", partial(_answer, "*"), f"{STAGE}/Queues/Odd", "it answers to *"),
    Fault(
        "LZ-IAM-4", "a strange account", partial(_answer, _root(STRANGER)), f"{STAGE}/Queues/Odd", STRANGER
    ),
    Fault("LZ-IAM-4", "all but one", _not_principal, f"{STAGE}/Queues/Odd", "all but a few"),
    Fault("LZ-IAM-4", "a caller of a function", _caller, f"{STAGE}/Network/Odd", "may call the function"),
)

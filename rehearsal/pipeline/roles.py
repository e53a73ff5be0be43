"""The roles of a pipeline: who assumes which, and an error that names both the role and the action."""

import contextlib
from collections.abc import Iterator, Mapping

from botocore.exceptions import ClientError

from rehearsal.emulator import internals_iam
from rehearsal.emulator.calls import client
from rehearsal.engine.ecs import trusts
from rehearsal.pipeline.errors import ActionError

Credentials = Mapping[str, str]

_PIPELINE, _BUILD = "codepipeline.amazonaws.com", "codebuild.amazonaws.com"
_DENIED = ("AccessDenied", "NotAuthorized", "Unauthorized", "Forbidden")


def service_session(role_arn: str, service: str, session: str) -> Mapping[str, str]:
    """What AWS gives a service from a role.

    Args:
        role_arn: the role.
        service: the service.
        session: name of the session.

    Raises:
        ActionError: the role does not exist, or does not trust the service.
    """
    if not trusts(role_arn, service):
        raise ActionError(
            "PermissionError", f"{service} is not authorized to perform AssumeRole on role {role_arn}"
        )
    return internals_iam.role_session(role_arn, session)


def pipeline_session(role_arn: str, execution_id: str) -> Mapping[str, str]:
    """Credentials of the pipeline's own role."""
    return service_session(role_arn, _PIPELINE, execution_id)


def build_session(role_arn: str, build: str) -> Mapping[str, str]:
    """Credentials of a build's service role."""
    return service_session(role_arn, _BUILD, f"AWSCodeBuild-{build}")


def action_session(own: Mapping[str, str], role_arn: str, execution_id: str) -> Mapping[str, str]:
    """Credentials of an action's role, assumed with the pipeline's.

    Args:
        own: the pipeline's credentials.
        role_arn: the action's role; the pipeline's own does if it is empty.
        execution_id: names the session.
    """
    if not role_arn:
        return own
    sts = client("sts", credentials=own)
    given: Mapping[str, str] = sts.assume_role(RoleArn=role_arn, RoleSessionName=execution_id)["Credentials"]
    return given


def demand(credentials: Mapping[str, str], action: str, resource: str, role_arn: str) -> None:
    """Ask IAM for a right that no call of the emulator's needs.

    Args:
        credentials: of whoever needs it.
        action: the IAM action.
        resource: the resource.
        role_arn: the role, for the message.

    Raises:
        ActionError: the role does not have it.
    """
    if internals_iam.may(credentials["AccessKeyId"], action, resource, {}):
        return
    message = f"{role_arn} is not authorized to perform: {action} on resource: {resource}"
    raise ActionError("PermissionError", message)


@contextlib.contextmanager
def told(title: str, role_arn: str) -> Iterator[None]:
    """Turn what AWS refuses into the action's error.

    Args:
        title: the action, as stage/action.
        role_arn: the role that it works with.
    """
    try:
        yield
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        said = str(error.response["Error"].get("Message", "")) or str(error)
        denied = any(part in code for part in _DENIED)
        message = f"{title} as {role_arn}: {error.operation_name}: {said}"
        raise ActionError("PermissionError" if denied else "JobFailed", message) from error

"""The source action: the head of a branch, as a reference for builds to clone or as an archive."""

import io
import json
import zipfile
from pathlib import Path

from rehearsal.pipeline import artifacts
from rehearsal.pipeline.errors import ActionError
from rehearsal.pipeline.passage import Work
from rehearsal.pipeline.repositories import Repositories, RepositoryError
from rehearsal.pipeline.roles import Credentials, demand
from rehearsal.pipeline.transfer import Transfer

REFERENCE = "codebuild-clone-reference.json"
_CLONE = "CODEBUILD_CLONE_REF"
_PROVIDER = "GitHub"


class SourceAction:
    """Takes a commit.

    Args:
        repositories: the code host.
    """

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    def act(self, work: Work, transfer: Transfer) -> None:
        """Give the branch's head as the action's artifact.

        Args:
            work: the action.
            transfer: its artifacts.

        Raises:
            ActionError: the branch is not there, or the role may not use the connection.
        """
        configuration, role = work.run.configuration, work.action.role_arn
        connection, repository = configuration["ConnectionArn"], configuration["FullRepositoryId"]
        branch = configuration["BranchName"]
        demand(transfer.credentials, use_connection(connection), connection, role)
        try:
            head = self._repositories.head(repository, branch)
            if head is None:
                raise ActionError(
                    "ConfigurationError",
                    f"[{_PROVIDER}] No branch [{branch}] found for repository [{repository}]: nothing was pushed",
                )
            if configuration.get("OutputArtifactFormat") == _CLONE:
                reference = {"connection": connection, "repository": repository, "commit": head.id}
                content = _reference(json.dumps(reference))
            else:
                content = self._repositories.archive(repository, head.id)
        except RepositoryError as error:
            raise ActionError("JobFailed", str(error)) from error
        (artifact,) = work.action.outputs
        transfer.put(artifact, content)
        work.run.revision = {
            "name": artifact,
            "actionName": work.action.name,
            "revisionId": head.id,
            "revisionSummary": json.dumps({"ProviderType": _PROVIDER, "CommitMessage": head.message}),
        }
        work.run.external_id = head.id
        work.run.variables = {
            "AuthorDate": head.date,
            "BranchName": branch,
            "CommitId": head.id,
            "CommitMessage": head.message,
            "ConnectionArn": connection,
            "FullRepositoryName": repository,
            "ProviderType": _PROVIDER,
        }


def use_connection(connection: str) -> str:
    """The IAM action for a connection: its prefix is that of the connection's ARN."""
    return f"{connection.split(':')[2]}:UseConnection"


def check_out(
    repositories: Repositories, content: bytes, folder: Path, *, credentials: Credentials, role_arn: str
) -> str:
    """Make an input artifact a build's source folder: cloned if it is a reference, else unpacked.

    Args:
        repositories: the code host.
        content: the artifact.
        folder: the folder; made.
        credentials: of the build's role.
        role_arn: that role.

    Returns:
        The commit; empty for what was no reference.

    Raises:
        ActionError: the role may not use the connection, or the commit is gone.
    """
    folder.mkdir(parents=True)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if archive.namelist() != [REFERENCE]:
            artifacts.unpack(content, folder)
            return ""
        reference = json.loads(archive.read(REFERENCE))
    connection = str(reference["connection"])
    demand(credentials, use_connection(connection), connection, role_arn)
    try:
        repositories.clone(reference["repository"], reference["commit"], folder)
    except RepositoryError as error:
        raise ActionError("JobFailed", str(error)) from error
    return str(reference["commit"])


def _reference(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(REFERENCE, text)
    return buffer.getvalue()

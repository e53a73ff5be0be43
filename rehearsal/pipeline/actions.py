"""The actions that a pipeline can have, each done with its role's credentials."""

from collections.abc import Callable, Mapping

from rehearsal.emulator import internals
from rehearsal.pipeline import approvals, stacks
from rehearsal.pipeline.building import Builder
from rehearsal.pipeline.errors import ActionError
from rehearsal.pipeline.passage import Work
from rehearsal.pipeline.repositories import Repositories
from rehearsal.pipeline.roles import action_session, pipeline_session, told
from rehearsal.pipeline.sources import SourceAction
from rehearsal.pipeline.transfer import Transfer
from rehearsal.pipeline.variables import resolve

Credentials = Mapping[str, str]
Act = Callable[[Work, Transfer], None]


class Actions:
    """Does the work of every action.

    Args:
        builder: runs builds.
        repositories: the code host.
    """

    def __init__(self, builder: Builder, repositories: Repositories) -> None:
        self._acts: Mapping[str, Act] = {
            "CodeStarSourceConnection": SourceAction(repositories).act,
            "CodeBuild": builder.act,
            "CloudFormation": stacks.act,
            "Manual": approvals.act,
        }

    def perform(self, work: Work) -> None:
        """Do an action.

        Args:
            work: the action.

        Raises:
            ActionError: it failed.
            ActionStopped: nobody waits for it any more.
        """
        pipeline, action = work.pipeline, work.action
        act = self._acts.get(action.provider)
        if act is None:
            raise ActionError(
                "ConfigurationError", f"actions of provider {action.provider} do not run in a rehearsal"
            )
        role_arn = work.execution.definition.role_arn
        title = f"{work.run.stage}/{action.name}"
        with internals.scope(pipeline.account, pipeline.region):
            with told(title, role_arn):
                own = pipeline_session(role_arn, work.execution.id)
                credentials = action_session(own, action.role_arn, work.execution.id)
            with told(title, action.role_arn or role_arn):
                work.run.configuration = resolve(action.configuration, work.execution)
                act(work, Transfer(work, own=own, credentials=credentials))

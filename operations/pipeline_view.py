"""A pipeline as its console shows it: each stage with its latest execution, each action with what became of it."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.naming import PIPELINE_STACK
from operations.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

NOT_RUN = "NotRun"
IN_PROGRESS, SUCCEEDED, FAILED = "InProgress", "Succeeded", "Failed"
ENDED = (SUCCEEDED, FAILED, "Stopped", "Cancelled", "Superseded")
_TYPE = "AWS::CodePipeline::Pipeline"


@dataclass(frozen=True)
class ActionView:
    """An action.

    Args:
        name: its name.
        category: such as Build or Approval.
        run_order: its place in the stage.
        status: of its run in the stage's latest execution; NotRun if it did not run there.
        started: when it began; None if it did not run.
        seconds: how long it ran, or has run.
        summary: what it says of itself.
        error: why it failed.
        token: of an approval that waits.
    """

    name: str
    category: str
    run_order: int
    status: str = NOT_RUN
    started: datetime.datetime | None = None
    seconds: float = 0.0
    summary: str = ""
    error: str = ""
    token: str = ""


@dataclass(frozen=True)
class StageView:
    """A stage.

    Args:
        name: its name.
        status: of the latest execution in it; NotRun if none was.
        execution_id: that execution.
        waiting: number of executions that wait before it.
        actions: its actions, in the order in which they run.
    """

    name: str
    status: str
    execution_id: str
    waiting: int
    actions: tuple[ActionView, ...]

    @property
    def seconds(self) -> float:
        """From the beginning of its first action to the end of its last."""
        ran = [action for action in self.actions if action.started is not None]
        if not ran:
            return 0.0
        begin = min(_time(action) for action in ran)
        return max(_time(action) + action.seconds for action in ran) - begin


@dataclass(frozen=True)
class PipelineView:
    """A pipeline.

    Args:
        name: its name.
        version: of its definition.
        execution_id: its newest execution; empty if there is none.
        status: that execution's status.
        commit: the commit that it releases; empty until it is known.
        stages: its stages.
    """

    name: str
    version: int
    execution_id: str
    status: str
    commit: str
    stages: tuple[StageView, ...]

    def waiting_approvals(self) -> tuple[tuple[StageView, ActionView], ...]:
        """The approvals that wait for an answer."""
        return tuple((stage, action) for stage in self.stages for action in stage.actions if action.token)


def find_pipeline(cloudformation: "CloudFormationClient") -> str:
    """Return the name of the deployed pipeline.

    Args:
        cloudformation: client of the tooling account.

    Raises:
        CommandError: its stack is not deployed, or has no pipeline.
    """
    try:
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=PIPELINE_STACK)
        found = [
            resource.get("PhysicalResourceId", "")
            for page in pages
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == _TYPE
        ]
    except cloudformation.exceptions.ClientError as error:
        if "does not exist" not in str(error):
            raise
        found = []
    if not any(found):
        message = f"the stack {PIPELINE_STACK} is not deployed in this account and region"
        fix = "use the tooling account's credentials; the first time, deploy it: ./lz cdk -- deploy Registry Pipeline"
        raise CommandError(message, fix=fix, exit_code=1)
    return found[0]


def view(codepipeline: Any, name: str, *, source: str) -> PipelineView:
    """Look at a pipeline.

    Args:
        codepipeline: client of the tooling account.
        name: the pipeline.
        source: the artifact whose revision is the commit that is released; workloads may have sources of their own.
    """
    definition = codepipeline.get_pipeline(name=name)["pipeline"]
    state = codepipeline.get_pipeline_state(name=name)
    newest: Mapping[str, Any] = next(
        iter(
            codepipeline.list_pipeline_executions(pipelineName=name, maxResults=1)[
                "pipelineExecutionSummaries"
            ]
        ),
        {},
    )
    states: Sequence[Mapping[str, Any]] = state.get("stageStates", [])
    shown = {one.get("latestExecution", {}).get("pipelineExecutionId", "") for one in states} - {""}
    runs = {execution: _runs(codepipeline, name, execution) for execution in shown}
    orders = {
        (stage["name"], action["name"]): (action.get("runOrder", 1), action["actionTypeId"]["category"])
        for stage in definition["stages"]
        for action in stage["actions"]
    }
    # A summary names the source's action, and not its artifact as GetPipelineExecution does.
    sources = {
        action["name"]
        for stage in definition["stages"]
        for action in stage["actions"]
        if source in [made["name"] for made in action.get("outputArtifacts", [])]
    }
    commits = [one for one in newest.get("sourceRevisions", []) if one["actionName"] in sources]
    return PipelineView(
        name=name,
        version=int(state.get("pipelineVersion", 0)),
        execution_id=str(newest.get("pipelineExecutionId", "")),
        status=str(newest.get("status", NOT_RUN)),
        commit=str(commits[0].get("revisionId", "")) if commits else "",
        stages=tuple(_stage(one, runs, orders) for one in states),
    )


def _runs(codepipeline: Any, name: str, execution: str) -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """The last run of each action in an execution, by stage and action."""
    pages = codepipeline.get_paginator("list_action_executions").paginate(
        pipelineName=name, filter={"pipelineExecutionId": execution}
    )
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for page in pages:
        for one in page["actionExecutionDetails"]:  # the newest first
            found.setdefault((one.get("stageName", ""), one.get("actionName", "")), one)
    return found


def _stage(
    state: Mapping[str, Any],
    runs: Mapping[str, Mapping[tuple[str, str], Mapping[str, Any]]],
    orders: Mapping[tuple[str, str], tuple[int, str]],
) -> StageView:
    latest, name = state.get("latestExecution", {}), str(state["stageName"])
    execution = str(latest.get("pipelineExecutionId", ""))
    actions = [
        _action(name, one, runs.get(execution, {}).get((name, str(one["actionName"]))), orders)
        for one in state.get("actionStates", [])
    ]
    return StageView(
        name=name,
        status=str(latest.get("status", NOT_RUN)),
        execution_id=execution,
        waiting=len(state.get("inboundExecutions", [])),
        actions=tuple(sorted(actions, key=lambda action: action.run_order)),
    )


def _action(
    stage: str,
    state: Mapping[str, Any],
    run: Mapping[str, Any] | None,
    orders: Mapping[tuple[str, str], tuple[int, str]],
) -> ActionView:
    name = str(state["actionName"])
    order, category = orders.get((stage, name), (1, ""))
    if run is None:
        return ActionView(name, category, order)
    latest = state.get("latestExecution", {})
    result = run.get("output", {}).get("executionResult", {})
    status, started = str(run["status"]), run["startTime"]
    end = run.get("lastUpdateTime", started)
    if status == IN_PROGRESS:
        end = datetime.datetime.now(datetime.UTC)
    return ActionView(
        name,
        category,
        order,
        status=status,
        started=started,
        seconds=(end - started).total_seconds(),
        summary=str(result.get("externalExecutionSummary", "")),
        error=str(result.get("errorDetails", {}).get("message", "")) if status == FAILED else "",
        token=str(latest.get("token", "")) if status == IN_PROGRESS else "",
    )


def _time(action: ActionView) -> float:
    return action.started.timestamp() if action.started else 0.0

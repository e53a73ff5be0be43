"""CodePipeline as a service: its pipelines by account and region, and its API (JSON 1.1, 2015-07-09)."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.emulator import internals, internals_iam
from rehearsal.emulator.internals import Properties, Response
from rehearsal.pipeline import shapes
from rehearsal.pipeline.definition import read_definition
from rehearsal.pipeline.errors import RequestError
from rehearsal.pipeline.pipelines import Perform, Pipeline

NAME = "codepipeline"
TARGET = "CodePipeline_20150709"
_BAD_REQUEST = 400
_OK = 200


class Service:
    """All pipelines of a rehearsal.

    Args:
        perform: does the work of an action.
    """

    def __init__(self, perform: Perform) -> None:
        self._perform = perform
        self._pipelines: dict[tuple[str, str, str], Pipeline] = {}
        self._lock = threading.Lock()

    # --- what CloudFormation does -------------------------------------------------------------------------------

    def create(self, name: str, properties: Properties) -> None:
        """Make a pipeline in the account and region in scope; it starts at once."""
        account, region = internals.account(), internals.region()
        definition = read_definition(name, region, properties)
        pipeline = Pipeline(account, region, definition, self._perform)
        with self._lock:
            if (account, region, name) in self._pipelines:
                raise ValueError(f"A pipeline with the name '{name}' already exists in account '{account}'")
            self._pipelines[account, region, name] = pipeline
        pipeline.start("CreatePipeline", "cloudformation.amazonaws.com")

    def update(self, name: str, properties: Properties) -> int:
        """Give it another definition; gives its version."""
        pipeline = self._find(name)
        pipeline.update(read_definition(name, internals.region(), properties))
        return pipeline.version

    def delete(self, name: str) -> None:
        """Remove it; does nothing if it is gone."""
        with self._lock:
            pipeline = self._pipelines.pop((internals.account(), internals.region(), name), None)
        if pipeline is not None:
            pipeline.close()

    # --- what everybody does ------------------------------------------------------------------------------------

    async def handle(
        self, _method: str, _path: str, headers: Mapping[str, str], body: bytes, _query: Mapping[str, Any]
    ) -> Response:
        """Answer a request that IAM has let through."""
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        answer = _OPERATIONS.get(operation)
        if answer is None:
            return _error("UnknownOperationException", f"{operation} does not exist in a rehearsal")
        try:
            return _answer(answer(self, json.loads(body or b"{}")))
        except RequestError as error:
            return _error(error.code, error.message)
        except (KeyError, ValueError) as error:
            return _error("ValidationException", f"{operation}: {error}")

    def _find(self, name: str) -> Pipeline:
        account, region = internals.account(), internals.region()
        pipeline = self._pipelines.get((account, region, name))
        if pipeline is None:
            raise RequestError(
                "PipelineNotFoundException",
                f"Account '{account}' does not have a pipeline with name '{name}'",
            )
        return pipeline

    def _get_pipeline(self, sent: Mapping[str, Any]) -> Any:
        return shapes.pipeline(self._find(sent["name"]))

    def _list_pipelines(self, _sent: Mapping[str, Any]) -> Any:
        here = (internals.account(), internals.region())
        with self._lock:
            pipelines = sorted(self._pipelines.items())
        found = [one for key, one in pipelines if key[:2] == here]
        return {"pipelines": [shapes.pipeline_summary(one) for one in found]}

    def _get_state(self, sent: Mapping[str, Any]) -> Any:
        return shapes.state(self._find(sent["name"]))

    def _start(self, sent: Mapping[str, Any]) -> Any:
        execution = self._find(sent["name"]).start("StartPipelineExecution", internals_iam.caller_arn())
        return {"pipelineExecutionId": execution.id}

    def _stop(self, sent: Mapping[str, Any]) -> Any:
        self._find(sent["pipelineName"]).stop(
            sent["pipelineExecutionId"], abandon=bool(sent.get("abandon")), reason=str(sent.get("reason", ""))
        )
        return {"pipelineExecutionId": sent["pipelineExecutionId"]}

    def _list_executions(self, sent: Mapping[str, Any]) -> Any:
        pipeline = self._find(sent["pipelineName"])
        wanted = ((sent.get("filter") or {}).get("succeededInStage") or {}).get("stageName")
        return {"pipelineExecutionSummaries": shapes.execution_summaries(pipeline, wanted)}

    def _get_execution(self, sent: Mapping[str, Any]) -> Any:
        pipeline = self._find(sent["pipelineName"])
        return {"pipelineExecution": shapes.execution(pipeline.execution(sent["pipelineExecutionId"]))}

    def _list_actions(self, sent: Mapping[str, Any]) -> Any:
        pipeline = self._find(sent["pipelineName"])
        wanted = (sent.get("filter") or {}).get("pipelineExecutionId")
        if wanted:
            pipeline.execution(wanted)
        return {"actionExecutionDetails": shapes.action_details(pipeline, wanted)}

    def _put_approval(self, sent: Mapping[str, Any]) -> Any:
        pipeline = self._find(sent["pipelineName"])
        result = sent["result"]
        if result["status"] not in ("Approved", "Rejected"):
            raise ValueError("status must be Approved or Rejected")
        pipeline.approve(
            sent["stageName"],
            sent["actionName"],
            token=str(sent["token"]),
            approved=result["status"] == "Approved",
            summary=str(result["summary"]),
        )
        return {"approvedAt": time.time()}

    def _retry(self, sent: Mapping[str, Any]) -> Any:
        execution = self._find(sent["pipelineName"]).retry(
            sent["stageName"], sent["pipelineExecutionId"], everything=sent["retryMode"] == "ALL_ACTIONS"
        )
        return {"pipelineExecutionId": execution.id}

    def _roll_back(self, sent: Mapping[str, Any]) -> Any:
        pipeline = self._find(sent["pipelineName"])
        execution = pipeline.roll_back(sent["stageName"], sent["targetPipelineExecutionId"])
        return {"pipelineExecutionId": execution.id}


_OPERATIONS: Mapping[str, Callable[[Service, Mapping[str, Any]], Any]] = {
    "GetPipeline": Service._get_pipeline,
    "GetPipelineExecution": Service._get_execution,
    "GetPipelineState": Service._get_state,
    "ListActionExecutions": Service._list_actions,
    "ListPipelineExecutions": Service._list_executions,
    "ListPipelines": Service._list_pipelines,
    "PutApprovalResult": Service._put_approval,
    "RetryStageExecution": Service._retry,
    "RollbackStage": Service._roll_back,
    "StartPipelineExecution": Service._start,
    "StopPipelineExecution": Service._stop,
}


def _answer(value: Any) -> Response:
    return _OK, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(value).encode()


def _error(code: str, message: str) -> Response:
    body = json.dumps({"__type": code, "message": message}).encode()
    return _BAD_REQUEST, {"Content-Type": "application/x-amz-json-1.1"}, body

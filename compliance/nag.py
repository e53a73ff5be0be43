"""Registration of cdk-nag. Everything that knows its API is here, so that a later major version changes one module."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import aws_cdk as cdk
from cdk_nag import (
    AwsSolutionsChecks,
    NagPackSuppression,
    NagReportFormat,
    NagSuppressions,
)
from constructs import IConstruct, Node

from compliance.waivers import Waiver, WaiverError, read_waivers
from config.models import Configuration
from config.naming import Names, resource_name
from config.stages import StageRef

PACKS = ("AwsSolutions",)


class EnvironmentStage(Protocol):
    """A stage that knows which environment it is."""

    ref: StageRef


class Compliance:
    """Puts the packs on the app and on every stage, and applies the ledger.

    Args:
        configuration: the organization.
        waivers: the ledger; the committed one if left out.
    """

    def __init__(self, configuration: Configuration, waivers: Sequence[Waiver] | None = None) -> None:
        self._configuration = configuration
        self._waivers = read_waivers() if waivers is None else tuple(waivers)
        self._used: set[Waiver] = set()
        self._done: set[str] = set()

    def watch(self, app: cdk.App, *stages: cdk.Stage) -> None:
        """Register the packs.

        An aspect on the app does not enter stages, and nothing says so: each stage gets its own.

        Args:
            app: the app.
            stages: every stage in it.
        """
        for scope in (app, *stages):
            cdk.Aspects.of(scope).add(
                AwsSolutionsChecks(
                    verbose=True,
                    reports=True,
                    report_formats=[NagReportFormat.CSV],
                )
            )

    def waive(self, app: cdk.App) -> None:
        """Apply the ledger to the constructs that exist by now.

        Called twice: before the pipeline takes the stages, since it synthesizes them at once, and after it for its own
        constructs. What was waived the first time is left alone the second.

        Args:
            app: the app.
        """
        tree = _Tree(app)
        # The inner dictionary is an ordered set: a path may be the same for all environments.
        found: dict[str, tuple[IConstruct, dict[Waiver, None]]] = {}
        for waiver in self._waivers:
            for path, scoped in self._scoped(waiver):
                construct = None if path in self._done else tree.find(path)
                if construct is not None:
                    found.setdefault(path, (construct, {}))[1][scoped] = None
                    self._used.add(waiver)
        for construct, waivers in found.values():
            NagSuppressions.add_resource_suppressions(construct, [_suppression(waiver) for waiver in waivers])
        self._done |= found.keys()

    def require_all_used(self) -> None:
        """Check that the ledger holds no dead entry.

        Raises:
            WaiverError: waivers match no construct at all; the message lists them.
        """
        unused = [f"{waiver.rule} at {waiver.path}" for waiver in self._waivers if waiver not in self._used]
        if unused:
            message = "waivers that match no construct; remove them from waivers.toml or correct their path: "
            raise WaiverError(message + "; ".join(unused))

    def _scoped(self, waiver: Waiver) -> Iterable[tuple[str, Waiver]]:
        """Expand a waiver for each place that it holds in: its path, and itself with the findings spelled out.

        Raises:
            WaiverError: it has something in braces that is no name.
        """
        for stage in self._configuration.stages():
            if not waiver.classes or stage.environment.class_ in waiver.classes:
                names = self._names(stage)
                try:
                    path = waiver.path.format_map(names)
                    findings = tuple(finding.format_map(names) for finding in waiver.findings)
                except (LookupError, ValueError) as error:
                    known = ", ".join(sorted(names))
                    message = f"{waiver.rule} at {waiver.path}: braces hold one of these names: {known}"
                    raise WaiverError(message) from error
                yield path, waiver.model_copy(update={"findings": findings})

    def _names(self, stage: StageRef) -> Mapping[str, str]:
        """Return what stands in braces in the ledger."""
        configuration = self._configuration
        return {
            "stage": stage.stage_name,
            "key": resource_name(stage.key),
            "workload": stage.workload_name,
            "account": stage.account_id,
            "region": configuration.organization.region,
            "tooling": configuration.accounts.tooling,
            "shared_services": configuration.accounts.shared_services,
            "records": Names(configuration).records_bucket,
            "source": configuration.pipeline.repository.replace("/", "_"),
            "workload_source": (
                stage.workload.source.repository or configuration.pipeline.repository
            ).replace("/", "_"),
        }


def _suppression(waiver: Waiver) -> NagPackSuppression:
    return NagPackSuppression(
        id=waiver.rule,
        reason=f"{waiver.reason} [owner: {waiver.owner}; expires: {waiver.expires}]",
        applies_to=list(waiver.findings) or None,
    )


class _Tree:
    """Finds constructs by path, keeping what it found: each step costs a call into the CDK's Node process."""

    def __init__(self, app: cdk.App) -> None:
        self._known: dict[str, IConstruct | None] = {"": app}
        self._nodes: dict[str, Node] = {}

    def find(self, path: str) -> IConstruct | None:
        if path not in self._known:
            parent_path, _, name = path.rpartition("/")
            parent = self.find(parent_path)
            self._known[path] = (
                None if parent is None else self._node(parent_path, parent).try_find_child(name)
            )
        return self._known[path]

    def _node(self, path: str, construct: IConstruct) -> Node:
        if path not in self._nodes:
            self._nodes[path] = construct.node
        return self._nodes[path]

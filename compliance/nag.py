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
from constructs import IConstruct

from compliance.waivers import Waiver, WaiverError, read_waivers
from config.models import Configuration
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
                    report_formats=[NagReportFormat.CSV, NagReportFormat.JSON],
                )
            )

    def waive(self, app: cdk.App) -> None:
        """Apply the ledger to the finished tree.

        Raises:
            WaiverError: a waiver matches no construct at all; the message lists every such waiver.
        """
        tree = _Tree(app)
        by_path: dict[str, list[Waiver]] = {}
        unused = []
        for waiver in self._waivers:
            paths = [path for path in self._paths(waiver) if tree.find(path) is not None]
            if not paths:
                unused.append(f"{waiver.rule} at {waiver.path}")
            for path in paths:
                by_path.setdefault(path, []).append(waiver)
        if unused:
            message = "waivers that match no construct; remove them from waivers.toml or correct their path: "
            raise WaiverError(message + "; ".join(unused))
        for path, waivers in by_path.items():
            construct = tree.find(path)
            NagSuppressions.add_resource_suppressions(construct, [_suppression(waiver) for waiver in waivers])

    def _paths(self, waiver: Waiver) -> Iterable[str]:
        """Expand a waiver's path for each environment that it holds in."""
        if "{" not in waiver.path:
            return (waiver.path,)
        return dict.fromkeys(
            waiver.path.format_map(_names(stage))
            for stage in self._configuration.stages()
            if not waiver.classes or stage.environment.class_ in waiver.classes
        )


def _names(stage: StageRef) -> Mapping[str, str]:
    return {
        "stage": stage.stage_name,
        "workload": stage.workload_name,
        "environment": stage.environment_name,
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

    def find(self, path: str) -> IConstruct | None:
        if path not in self._known:
            parent_path, _, name = path.rpartition("/")
            parent = self.find(parent_path)
            self._known[path] = parent.node.try_find_child(name) if parent is not None else None
        return self._known[path]

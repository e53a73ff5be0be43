"""Registration of cdk-nag. Everything that knows its API is here, so that a later major version changes one module."""

from collections.abc import Callable, Mapping, Sequence

import aws_cdk as cdk
from cdk_nag import (
    AwsSolutionsChecks,
    HIPAASecurityChecks,
    NagPackSuppression,
    NagReportFormat,
    NagSuppressions,
    NIST80053R5Checks,
    PCIDSS321Checks,
    RegexAppliesTo,
)
from constructs import IConstruct, Node

from compliance.packs import AWS_SOLUTIONS, OPTIONAL, Pack, nag_packs_of
from compliance.places import Place, places
from compliance.waivers import Waiver, read_waivers
from config.models import Configuration

CHECKS: Mapping[Pack, Callable[..., cdk.IAspect]] = {
    AWS_SOLUTIONS: AwsSolutionsChecks,
    OPTIONAL["nist-800-53-r5"]: NIST80053R5Checks,
    OPTIONAL["hipaa-security"]: HIPAASecurityChecks,
    OPTIONAL["pci-dss-321"]: PCIDSS321Checks,
}

DEFAULT_CHILD = "/Resource"
"""How the resource of a construct is called; cdk-nag finds it itself, which saves a search."""

SEVERAL_FINDINGS = frozenset({"AwsSolutions-IAM4", "AwsSolutions-IAM5"})
"""Rules that find several things on one resource, each of which a reviewer wants to see."""


class Compliance:
    """Puts the packs on the app and on every stage, and applies the ledger.

    Args:
        configuration: the organization.
        waivers: the ledger; the committed one if left out.
    """

    def __init__(self, configuration: Configuration, waivers: Sequence[Waiver] | None = None) -> None:
        self._configuration = configuration
        self._waivers = read_waivers() if waivers is None else tuple(waivers)
        self._done: set[str] = set()

    def watch(self, app: cdk.App, *stages: cdk.Stage) -> None:
        """Register the packs.

        An aspect on the app does not enter stages, and nothing says so: each stage gets its own.

        Args:
            app: the app.
            stages: every stage in it.
        """
        environments = {stage.stage_name: stage for stage in self._configuration.stages()}
        for scope in (app, *stages):
            for pack in nag_packs_of(self._configuration, environments.get(scope.node.id)):
                cdk.Aspects.of(scope).add(
                    CHECKS[pack](verbose=True, reports=True, report_formats=[NagReportFormat.CSV])
                )

    def waive(self, app: cdk.App) -> None:
        """Apply the ledger to the constructs that exist by now.

        Called twice: before the pipeline takes the stages, since it synthesizes them at once, and after it for its own
        constructs. What was waived the first time is left alone the second. Waivers of our own rules, and of what
        cdk-nag could not judge, are the gate's: see `compliance/judge.py`.

        Args:
            app: the app.

        Raises:
            WaiverError: a waiver has something in braces that is no name.
        """
        tree = _Tree(app)
        found: dict[str, list[Place]] = {}
        for place in places(self._configuration, self._waivers):
            if place.is_nags and place.path not in self._done:
                found.setdefault(place.path, []).append(place)
        environments = {stage.stage_name for stage in self._configuration.stages()}
        # One call for all constructs of a stack with the same waivers: each is a round trip to the CDK's Node process.
        alike: dict[tuple[str, tuple[_Said, ...]], list[str]] = {}
        for path, here in found.items():
            stage, *inside = path.split("/")
            # What is about a whole stage or stack is found one by one; the gate refuses it.
            owner = f"{stage}/{inside[0]}" if stage in environments and len(inside) > 1 else ""
            alike.setdefault((owner, tuple(map(_said, here))), []).append(path)
        for (owner, said), paths in alike.items():
            self._done.update(tree.suppress(owner, paths, [_suppression(*each) for each in said]))


_Said = tuple[str, str, tuple[str, ...]]


def _said(place: Place) -> _Said:
    """Return what cdk-nag is told of a waiver: rule, reason and findings."""
    waiver = place.waiver
    reason = f"{waiver.reason} [owner: {waiver.owner}; ticket: {waiver.ticket}; expires: {waiver.expires}]"
    return waiver.rule, reason, place.findings


def _suppression(rule: str, reason: str, findings: tuple[str, ...]) -> NagPackSuppression:
    """Return it for cdk-nag, which says which finding it is about only where findings are named, be it all of them."""
    applies_to: list[str | RegexAppliesTo] = list(findings)
    if rule in SEVERAL_FINDINGS:
        applies_to = applies_to or [RegexAppliesTo(regex="/./")]
    return NagPackSuppression(id=rule, reason=reason, applies_to=applies_to or None)


class _Tree:
    """Finds constructs by path, keeping what it found: each step costs a call into the CDK's Node process.

    Args:
        app: the app.
    """

    def __init__(self, app: cdk.App) -> None:
        self._known: dict[str, IConstruct | None] = {"": app}
        self._nodes: dict[str, Node] = {}

    def suppress(
        self, stack_path: str, paths: Sequence[str], suppressions: Sequence[NagPackSuppression]
    ) -> Sequence[str]:
        """Tell cdk-nag what is waived.

        Args:
            stack_path: the small stack that holds all the paths: cdk-nag looks through it by itself, in one call. Empty
                for the pipeline's, which grows with the environments, and for what is in several.
            paths: where it is waived.
            suppressions: what.

        Returns:
            The paths that exist.
        """
        stack = self.find(stack_path) if stack_path else None
        if isinstance(stack, cdk.Stack):
            try:
                NagSuppressions.add_resource_suppressions_by_path(stack, list(paths), list(suppressions))
            except RuntimeError:  # one of the paths does not exist here: the others are told one by one
                pass
            else:
                return paths
        there = {path: self.find(path.removesuffix(DEFAULT_CHILD)) for path in paths}
        constructs = [construct for construct in there.values() if construct is not None]
        if constructs:
            NagSuppressions.add_resource_suppressions(constructs, list(suppressions))
        return [path for path, construct in there.items() if construct is not None]

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

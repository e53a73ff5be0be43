"""How near an assembly is to the quotas of AWS that grow with the number of environments."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from config.assembly import AssembledStack
from operations.policy_size import rendered_bytes, rendered_size

NEARLY = 0.8
"""Beyond this share of a limit, synthesis warns; not of one so small that it is either kept or not."""
SMALL = 10

CODEPIPELINE = "CodePipeline User Guide, Quotas"
CLOUDFORMATION = "CloudFormation User Guide, Quotas"
IAM = "IAM User Guide, IAM and AWS STS quotas"


@dataclass(frozen=True)
class Limit:
    """A quota.

    Args:
        what: what is counted.
        allowed: how many there may be; None if AWS sets no number, and it is shown for its cost.
        source: where the number is from.
        split: what to do before it is reached.
    """

    what: str
    allowed: int | None
    source: str
    split: str


@dataclass(frozen=True)
class Usage:
    """How much of a limit one place uses.

    Args:
        limit: the limit.
        place: stack, stage or role.
        found: how many there are.
    """

    limit: Limit
    place: str
    found: int

    @property
    def share(self) -> float:
        """How much of the limit is used; 1 is all of it."""
        return self.found / self.limit.allowed if self.limit.allowed else 0.0

    @property
    def is_over(self) -> bool:
        """Whether AWS would refuse it."""
        return self.share > 1

    @property
    def is_near(self) -> bool:
        """Whether it is close to the limit, and not beyond it."""
        return NEARLY < self.share <= 1 and (self.limit.allowed or 0) > SMALL

    def __str__(self) -> str:
        limit = self.limit
        return (
            f"{self.place}: {self.found:,} {limit.what}, {limit.allowed or 0:,} allowed ({limit.source})"
            f"\n    fix: {limit.split}"
        )


_FEWER = "move workloads into a landing zone of their own: another fork, its own tooling account"
_STACK = "split the stack: give a part of its resources a stack of their own"
_LESS_POLICY = "name fewer resources one by one, or give a part of the work a role of its own"

STAGES = Limit("stages of the pipeline", 50, CODEPIPELINE, f"raise pipeline.wave_size, or {_FEWER}")
# 50 until October 2024, 100 and 1,000 since: https://github.com/awslabs/aws-deployment-framework/issues/792.
# The library cuts a stage into several at 50 actions by itself.
STAGE_ACTIONS = Limit("actions in a stage", 100, CODEPIPELINE, "lower pipeline.wave_size")
ACTIONS = Limit("actions of the pipeline", 1000, CODEPIPELINE, _FEWER)
INPUTS = Limit("input artifacts of a build", 5, CODEPIPELINE, "gather them in steps before it")
SETTING = Limit(  # the service's own message: https://github.com/aws/aws-cdk/issues/19767
    "characters in a setting of an action",
    50_000,
    CODEPIPELINE,
    "hand the values over in a file of an artifact",
)
BUILDS = Limit("builds in a release", None, "each is billed by the minute", "")
BUILDS_AT_ONCE = Limit("builds at the same time", None, "Service Quotas, per machine type and account", "")
BUILD_SPEC = Limit(  # undocumented: https://github.com/aws/aws-cdk/pull/14974
    "characters of a build specification", 25_600, "CodeBuild", "move the commands into a script or `./lz`"
)
RESOURCES = Limit("resources in a template", 500, CLOUDFORMATION, _STACK)
# Nothing here hands a template over in the request itself (51,200 bytes): it is in S3 every time.
BYTES = Limit("bytes of a template", 1_000_000, CLOUDFORMATION, _STACK)
DEPLOYED_BYTES = Limit(
    "bytes of a template that an action deploys",
    512 * 1024,
    "https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1023",
    _STACK,
)
OUTPUTS = Limit("outputs of a template", 200, CLOUDFORMATION, _STACK)
PARAMETERS = Limit("parameters of a template", 200, CLOUDFORMATION, _STACK)
INLINE = Limit("characters of inline policies of a role", 10_240, IAM, _LESS_POLICY)
MANAGED = Limit("characters of a managed policy", 6_144, IAM, _LESS_POLICY)
TRUST = Limit(
    "characters of a trust policy",
    2_048,
    IAM,
    "trust the organization with a condition instead of each account, or ask AWS to raise this quota",
)
BUCKET_POLICY = Limit(
    "bytes of a bucket policy",
    20 * 1024,
    "S3 User Guide, bucket policies",
    "trust roles by a common condition",
)
KEY_POLICY = Limit(
    "bytes of a key policy", 32 * 1024, "KMS Developer Guide, Quotas", "trust roles by a common condition"
)
_VARIABLES = (
    "give the environment fewer or shorter variables; large ones belong in a bucket or in Secrets Manager"
)
PARAMETER_VALUE = Limit(
    "bytes of a parameter's value", 4 * 1024, "Systems Manager quotas, standard parameters", _VARIABLES
)
ADVANCED_VALUE = Limit(
    "bytes of an advanced parameter's value",
    8 * 1024,
    "Systems Manager quotas, advanced parameters",
    _VARIABLES,
)
_ADVANCED = (
    "Advanced",
    "Intelligent-Tiering",
)  # the latter makes a parameter advanced where its value needs it
# The quota is one of the whole definition. What grows is in its containers; names, roles and volumes are small.
CONTAINERS = Limit(
    "bytes of a task definition's containers", 64 * 1024, "Amazon ECS service quotas", _VARIABLES
)


def usages(stacks: Sequence[AssembledStack]) -> tuple[Usage, ...]:
    """Measure every limit in every place.

    Args:
        stacks: the stacks of the assembly.
    """
    found = []
    for stack in stacks:
        found += [*_template(stack), *_roles(stack), *_properties(stack), *_build_specs(stack)]
        for pipeline in stack.of_type("AWS::CodePipeline::Pipeline").values():
            found += _pipeline(pipeline["Properties"]["Stages"], stack.path)
    return tuple(found)


def largest(found: Iterable[Usage]) -> tuple[Usage, ...]:
    """Keep the place that uses most of each limit, in the order in which limits were first met."""
    most: dict[Limit, Usage] = {}
    for usage in found:
        if usage.limit not in most or usage.found > most[usage.limit].found:
            most[usage.limit] = usage
    return tuple(most.values())


def _pipeline(stages: Sequence[Mapping[str, Any]], place: str) -> Iterator[Usage]:
    actions = [action for stage in stages for action in stage["Actions"]]
    yield Usage(STAGES, place, len(stages))
    yield Usage(ACTIONS, place, len(actions))
    yield Usage(BUILDS, place, sum(_is_build(action) for action in actions))
    for stage in stages:
        yield Usage(STAGE_ACTIONS, stage["Name"], len(stage["Actions"]))
        ordered = sorted(stage["Actions"], key=_order)
        for _, same in groupby(ordered, key=_order):
            yield Usage(BUILDS_AT_ONCE, stage["Name"], sum(map(_is_build, same)))
        for action in stage["Actions"]:
            where = f"{stage['Name']}/{action['Name']}"
            if _is_build(action):
                yield Usage(INPUTS, where, len(action.get("InputArtifacts", ())))
            sizes = [rendered_size(value) for value in action.get("Configuration", {}).values()]
            yield Usage(SETTING, where, max(sizes, default=0))


def _order(action: Mapping[str, Any]) -> int:
    order: int = action.get("RunOrder", 1)
    return order


def _is_build(action: Mapping[str, Any]) -> bool:
    return bool(action["ActionTypeId"]["Provider"] == "CodeBuild")


def _template(stack: AssembledStack) -> Iterator[Usage]:
    size = stack.template_file.stat().st_size
    yield Usage(RESOURCES, stack.path, len(stack.resources))
    yield Usage(BYTES, stack.path, size)
    if stack.stage:  # the tooling account's own stacks are deployed by the CDK CLI
        yield Usage(DEPLOYED_BYTES, stack.path, size)
    yield Usage(OUTPUTS, stack.path, len(stack.template.get("Outputs", {})))
    yield Usage(PARAMETERS, stack.path, len(stack.template.get("Parameters", {})))


def _roles(stack: AssembledStack) -> Iterator[Usage]:
    inline = dict.fromkeys(stack.of_type("AWS::IAM::Role"), 0)
    for logical_id, role in stack.of_type("AWS::IAM::Role").items():
        properties = role["Properties"]
        yield Usage(
            TRUST, f"{stack.path}/{logical_id}", rendered_size(properties["AssumeRolePolicyDocument"])
        )
        for policy in properties.get("Policies", ()):
            inline[logical_id] += rendered_size(policy["PolicyDocument"])
    for policy in stack.of_type("AWS::IAM::Policy").values():
        for role in policy["Properties"].get("Roles", ()):
            if isinstance(role, dict) and role.get("Ref") in inline:
                inline[role["Ref"]] += rendered_size(policy["Properties"]["PolicyDocument"])
    for logical_id, size in inline.items():
        yield Usage(INLINE, f"{stack.path}/{logical_id}", size)
    for logical_id, policy in stack.of_type("AWS::IAM::ManagedPolicy").items():
        size = rendered_size(policy["Properties"]["PolicyDocument"])
        yield Usage(MANAGED, f"{stack.path}/{logical_id}", size)


def _properties(stack: AssembledStack) -> Iterator[Usage]:
    for limit, kind, key in (
        (BUCKET_POLICY, "AWS::S3::BucketPolicy", "PolicyDocument"),
        (KEY_POLICY, "AWS::KMS::Key", "KeyPolicy"),
        (CONTAINERS, "AWS::ECS::TaskDefinition", "ContainerDefinitions"),
    ):
        for logical_id, resource in stack.of_type(kind).items():
            yield Usage(limit, f"{stack.path}/{logical_id}", rendered_bytes(resource["Properties"][key]))
    for logical_id, resource in stack.of_type("AWS::SSM::Parameter").items():
        properties = resource["Properties"]
        limit = ADVANCED_VALUE if properties.get("Tier") in _ADVANCED else PARAMETER_VALUE
        yield Usage(limit, f"{stack.path}/{logical_id}", rendered_bytes(properties["Value"]))


def _build_specs(stack: AssembledStack) -> Iterator[Usage]:
    for logical_id, project in stack.of_type("AWS::CodeBuild::Project").items():
        specification = project["Properties"]["Source"].get("BuildSpec", "")
        yield Usage(BUILD_SPEC, f"{stack.path}/{logical_id}", rendered_size(specification))

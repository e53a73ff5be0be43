"""Names: what is built from the names in the file must be distinct and short enough for AWS."""

from collections.abc import Iterator, Mapping, Sequence

from config.fields import format_of
from config.models import Configuration, Organization
from config.naming import SHARED_SERVICES_STAGE, Names
from config.problems import Finding, dotted
from config.rules.view import Environment, View
from config.stages import pascal_case
from config.values import EnvironmentName, WorkloadName

# The CDK names the variables of an approval's packet `ProductionWave1@10@<stage>@Packet-<stage>`, and CodePipeline
# allows 100 characters (CodePipeline API Reference, ActionDeclaration). All else that bears the name is shorter.
LONGEST_STAGE_NAME = 36
# AWS Systems Manager API Reference, PutParameter: no parameter's name may begin so, whatever the case. Ours begin
# with the stage's name.
RESERVED_PREFIXES = ("aws", "ssm")
LONGEST_ROLE_NAME = 64  # Source: IAM User Guide, "IAM and AWS STS quotas"


def check(view: View) -> Iterator[Finding]:
    """Apply the rules about names."""
    taken = {SHARED_SERVICES_STAGE: "the landing zone's own stage"}
    for environment in view.environments():
        if _is_refused(environment):
            continue  # told already; what would be built from it is no news
        stage_name = pascal_case(environment.workload, environment.name)
        allowed = f"names of workload and environment that make a distinct name like {stage_name[:20]}..."
        if stage_name in taken:
            yield Finding(
                environment.place,
                f"its stage would be called {stage_name}, like {taken[stage_name]}",
                allowed,
                "rename the environment or its workload",
                stage_name,
            )
        if len(stage_name) > LONGEST_STAGE_NAME:
            yield Finding(
                environment.place,
                f"its stage's name has {len(stage_name)} characters",
                f"at most {LONGEST_STAGE_NAME} characters for {stage_name}",
                "shorten the name of the environment or of its workload",
                stage_name,
            )
        taken.setdefault(stage_name, dotted(environment.place))
        yield from _roles(view, environment)
    yield from _reserved(view)


def _reserved(view: View) -> Iterator[Finding]:
    """Refuse names that AWS keeps for itself: once for each workload, since renaming it helps all its environments."""
    stages = _stages(view)
    for workload, environments in stages.items():
        reserved = [name for name in environments if _is_reserved(pascal_case(workload, name))]
        if not reserved:
            continue
        better = _better_name(workload, stages)
        yield Finding(
            ("workloads", workload),
            f"Parameter Store takes no name like /{pascal_case(workload, reserved[0])}/VpcId",
            "names of workloads that begin with neither aws nor ssm, which AWS keeps for itself",
            f'rename the workload, to "{better}" for instance' if better else "rename the workload",
            workload,
        )


def _stages(view: View) -> dict[str, list[str]]:
    """List all workloads with those of their environments whose names are not refused by themselves."""
    stages: dict[str, list[str]] = {workload: [] for workload, _ in view.workloads()}
    for environment in view.environments():
        if not _is_refused(environment):
            stages[environment.workload].append(environment.name)
    return stages


def _is_reserved(name: str) -> bool:
    return name.lower().startswith(RESERVED_PREFIXES)


def _better_name(workload: str, stages: Mapping[str, Sequence[str]]) -> str | None:
    """Find a name that would be accepted, near the one that is not; None if the two that are tried would not be."""
    others = {SHARED_SERVICES_STAGE} | {
        pascal_case(other, name) for other, names in stages.items() if other != workload for name in names
    }
    form = format_of(WorkloadName)
    rest = workload[3:].lstrip("-") if _is_reserved(workload) else ""
    for better in (rest, f"my-{workload}"):
        names = [pascal_case(better, name) for name in stages[workload]]
        if better in stages or (form and form.fault(better)) or others.intersection(names):
            continue
        if not any(_is_reserved(name) or len(name) > LONGEST_STAGE_NAME for name in names):
            return better
    return None


def _is_refused(environment: Environment) -> bool:
    forms = ((WorkloadName, environment.workload), (EnvironmentName, environment.name))
    return any(form.fault(name) for kind, name in forms if (form := format_of(kind)))


def _roles(view: View, environment: Environment) -> Iterator[Finding]:
    organization = view.get("organization", "name")
    if organization is None:
        return
    # The naming module asks for the organization's name alone, which is known to be valid here.
    names = Names(Configuration.model_construct(organization=Organization.model_construct(name=organization)))
    key = environment.key
    roles = (
        names.delegation_role(key),
        names.release_step_role(key),
        names.release_runner_role(key),
        names.operator_role(key),
        names.record_step_role(key),
        names.packet_step_role(key),
        names.serving_reader_role(key),
        names.rollback_role(key),
    )
    longest = max(roles, key=len)
    if len(longest) > LONGEST_ROLE_NAME:
        yield Finding(
            environment.place,
            f"its role {longest} would have a name of {len(longest)} characters",
            f"at most {LONGEST_ROLE_NAME} characters, from the names of organization, workload, environment",
            f"shorten these names by {len(longest) - LONGEST_ROLE_NAME} characters in all",
            key,
        )

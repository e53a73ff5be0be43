"""Who outside an account may do anything in it: the whole list, from the templates."""

import copy

from compliance.policies import identity_statements, resource_statements
from compliance.principals import principals
from compliance.results import Trust
from compliance.rules import Organization
from compliance.trust import trust_matrix
from config import Configuration
from config.naming import Names
from tests import documents
from tests.assembly import Assembly, Resource

TOOLING, SHARED, STAGING, PRODUCTION = "111111111111", "222222222222", "333333333333", "444444444444"


def _matrix(assembly: Assembly, configuration: Configuration) -> tuple[Trust, ...]:
    """Return who may assume the roles of the templates."""
    matrix = trust_matrix(Organization(assembly, configuration))
    return tuple(row for row in matrix if row.resource)


def _cross_account_trust(assembly: Assembly, configuration: Configuration) -> dict[str, set[tuple[str, str]]]:
    """Map each role that another account may assume to the accounts, with the condition that narrows them."""
    found: dict[str, set[tuple[str, str]]] = {}
    for row in _matrix(assembly, configuration):
        if row.crosses_accounts:
            found.setdefault(f"{row.account}:{row.role}", set()).add((row.from_account, row.condition))
    return found


def _step(name: str) -> str:
    return f"aws:PrincipalArn arn:aws:iam::{TOOLING}:role/acme-{name}"


EXPECTED = {
    f"{SHARED}:acme-dns-delegation-my-django-app-staging": {(STAGING, "")},
    f"{SHARED}:acme-dns-delegation-my-django-app-production": {(PRODUCTION, "")},
    f"{SHARED}:acme-dns-outputs-reader": {(TOOLING, f"ArnLike {_step('dns-preflight-step')}")},
    f"{SHARED}:acme-network-outputs-reader": {
        (account, "ArnLike aws:PrincipalArn arn:aws:iam::*:role/cdk-hnb659fds-cfn-exec-role-*")
        for account in (STAGING, PRODUCTION)
    },
    f"{STAGING}:acme-release-runner-my-django-app-staging": {
        (TOOLING, f"ArnEquals {_step('release-step-my-django-app-staging')}")
    },
    f"{PRODUCTION}:acme-release-runner-my-django-app-production": {
        (TOOLING, f"ArnEquals {_step('release-step-my-django-app-production')}")
    },
    f"{STAGING}:acme-serving-reader-my-django-app-staging": {
        (TOOLING, f"ArnEquals {_step('record-step-my-django-app-staging')}")
    },
    f"{PRODUCTION}:acme-serving-reader-my-django-app-production": {
        (TOOLING, f"ArnEquals {_step('record-step-my-django-app-production')}")
    },
}


def test_exactly_these_roles_may_be_assumed_from_another_account(
    organization: Assembly, configuration: Configuration
) -> None:
    assert _cross_account_trust(organization, configuration) == EXPECTED


def test_the_list_of_trust_shows_an_account_that_is_added(
    organization: Assembly, configuration: Configuration
) -> None:
    changed = copy.deepcopy(organization)
    role = changed["SharedServices-Dns"].resource("AWS::IAM::Role", "OutputsReader")
    role.properties["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {
        "AWS": "arn:aws:iam::999999999999:root"
    }
    assert _cross_account_trust(changed, configuration) != EXPECTED


def test_exactly_these_resources_answer_to_another_account(organization: Assembly) -> None:
    found: dict[str, set[str]] = {}
    for statement in resource_statements(organization):
        owner = statement.owner
        for principal in principals(statement) if statement.allows else ():
            if principal.account not in {"", owner.stack.account}:
                name = f"{owner.stack.name} {owner.type.rpartition('::')[2]}"
                found.setdefault(name, set()).add(principal.name.removeprefix("arn:aws:iam::"))

    def deploy_roles(region: str, *accounts: str) -> set[str]:
        return {f"{account}:role/cdk-hnb659fds-deploy-role-{account}-{region}" for account in accounts}

    # AWS's own account for load balancers in eu-west-1; see "Enable access logs" in the guide to them.
    load_balancers = {"156460612806:root"}
    assert found == {
        # Narrowed to the rollback roles: see tests/pipeline/test_records.py.
        "Records BucketPolicy": {f"{STAGING}:root", f"{PRODUCTION}:root"},
        "Registry Repository": {f"{STAGING}:root", f"{PRODUCTION}:root"},
        "Pipeline Key": deploy_roles("eu-west-1", SHARED, STAGING, PRODUCTION),
        "Pipeline BucketPolicy": deploy_roles("eu-west-1", SHARED, STAGING, PRODUCTION),
        "Pipeline-support-us-east-1 Key": deploy_roles("us-east-1", STAGING, PRODUCTION),
        "Pipeline-support-us-east-1 BucketPolicy": deploy_roles("us-east-1", STAGING, PRODUCTION),
        f"{documents.STAGING}-Logs BucketPolicy": load_balancers,
        f"{documents.PRODUCTION}-Logs BucketPolicy": load_balancers,
    }


def test_every_role_that_may_be_assumed_has_its_user_and_no_user_has_another(
    organization: Assembly, configuration: Configuration
) -> None:
    used = {
        f"{row.account}:{row.role}": row.used_by
        for row in _matrix(organization, configuration)
        if row.crosses_accounts
        and row.role != "acme-network-outputs-reader"  # CloudFormation itself assumes it
    }
    assert used == {
        f"{SHARED}:acme-dns-outputs-reader": ("acme-dns-preflight-step",),
        **{
            f"{account}:acme-{role}-my-django-app-{name}": (f"acme-{step}-step-my-django-app-{name}",)
            for account, name in ((STAGING, "staging"), (PRODUCTION, "production"))
            for role, step in (("release-runner", "release"), ("serving-reader", "record"))
        },
        # The CDK's function that writes the NS record.
        **{
            f"{SHARED}:acme-dns-delegation-my-django-app-{name}": (
                f"{stage}/Dns/Custom::CrossAccountZoneDelegationCustomResourceProvider/Role",
            )
            for stage, name in ((documents.STAGING, "staging"), (documents.PRODUCTION, "production"))
        },
    }


def test_the_matrix_shows_whom_bootstrapping_trusts(
    organization: Assembly, configuration: Configuration
) -> None:
    matrix = trust_matrix(Organization(organization, configuration))
    made = [row for row in matrix if not row.resource and row.account == PRODUCTION]
    assert {row.from_account for row in made} == {TOOLING, PRODUCTION, ""}
    deployers = [row for row in made if row.role == f"cdk-hnb659fds-deploy-role-{PRODUCTION}-eu-west-1"]
    assert {row.principal for row in deployers} == {
        f"arn:aws:iam::{account}:root" for account in (TOOLING, PRODUCTION)
    }


def _release_runner(assembly: Assembly, stage_name: str) -> Resource:
    return assembly[f"{stage_name}-Release"].resource("AWS::IAM::Role", "Runner")


def test_the_release_runner_may_do_this_and_nothing_else(
    organization: Assembly, configuration: Configuration
) -> None:
    for stage in configuration.stages():
        name, account = stage.stage_name, stage.account_id
        release, network = f"${{{name}-Release", f"${{{name}-Network"
        runner = _release_runner(organization, name)
        assert runner.get("RoleName") == Names(configuration).release_runner_role(stage.key)
        on_cluster = {"ArnEquals": {"ecs:cluster": f"{network}/ClusterEB0386A7.Arn}}"}}
        found = {
            statement.actions: (set(statement.resources), statement.condition)
            for statement in identity_statements(runner)
        }
        assert found == {
            ("ecs:RunTask",): (
                {f"arn:aws:ecs:eu-west-1:{account}:task-definition/{name}-release:*"},
                on_cluster,
            ),
            ("ecs:DescribeTasks", "ecs:StopTask"): (
                {f"arn:aws:ecs:eu-west-1:{account}:task/{network}/ClusterEB0386A7}}/*"},
                on_cluster,
            ),
            ("iam:PassRole",): (
                {
                    f"{release}/ReleaseDefinitionExecutionRoleA0005BD7.Arn}}",
                    f"{release}/ReleaseDefinitionTaskRoleA26DF57B.Arn}}",
                },
                {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            ),
            ("logs:GetLogEvents",): (
                {f"arn:aws:logs:eu-west-1:{account}:log-group:{release}/ReleaseLogs418FA2A6}}:log-stream:*"},
                {},
            ),
            ("ssm:GetParameters",): ({f"arn:aws:ssm:eu-west-1:{account}:parameter/{name}/*"}, {}),
        }


def test_the_release_task_that_may_be_run_is_the_one_that_is_defined(organization: Assembly) -> None:
    for stage_name in (documents.STAGING, documents.PRODUCTION):
        release = organization[f"{stage_name}-Release"]
        assert release.resource("AWS::ECS::TaskDefinition").get("Family") == f"{stage_name}-release"
        assert release.parameter(f"/{stage_name}/ReleaseTaskDefinition") == f"{stage_name}-release"


def test_outputs_readers_read_one_stack_each(organization: Assembly) -> None:
    for stack_name in ("SharedServices-Network", "SharedServices-Dns"):
        reader = organization[stack_name].resource("AWS::IAM::Role", "OutputsReader")
        (statement,) = identity_statements(reader)
        assert statement.actions == ("cloudformation:DescribeStacks",)
        assert statement.resources == (f"arn:aws:cloudformation:eu-west-1:{SHARED}:stack/{stack_name}/*",)


def test_no_two_roles_of_an_account_have_the_same_name(organization: Assembly) -> None:
    names = [
        (role.stack.account, role.get("RoleName"))
        for role in organization.resources("AWS::IAM::Role")
        if role.get("RoleName")
    ]
    assert len(names) == len(set(names)) == 19

"""Who outside an account may do anything in it: the whole list, from the templates."""

import copy
import re

from config import Configuration
from config.naming import Names
from tests import documents
from tests.assembly import Assembly, Resource
from tests.policies import identity_statements, resource_statements, trust

TOOLING, SHARED, STAGING, PRODUCTION = "111111111111", "222222222222", "333333333333", "444444444444"
ACCOUNT_IN_ARN = re.compile(r"arn:aws:iam::(\d{12}):")


def _cross_account_trust(assembly: Assembly) -> dict[str, set[tuple[str, str]]]:
    """Map each role that another account may assume to the accounts, with the condition that narrows them."""
    found: dict[str, set[tuple[str, str]]] = {}
    for role in assembly.resources("AWS::IAM::Role"):
        for statement in trust(role):
            for principal in statement.principals:
                match = ACCOUNT_IN_ARN.search(principal)
                if match is not None and match[1] != role.stack.account:
                    condition = [
                        f"{operator} {key} {value}"
                        for operator, keys in statement.condition.items()
                        for key, value in keys.items()
                    ]
                    name = f"{role.stack.account}:{role.get('RoleName', default=role.logical_id)}"
                    found.setdefault(name, set()).add((match[1], "; ".join(condition)))
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


def test_exactly_these_roles_may_be_assumed_from_another_account(organization: Assembly) -> None:
    assert _cross_account_trust(organization) == EXPECTED


def test_the_list_of_trust_shows_an_account_that_is_added(organization: Assembly) -> None:
    changed = copy.deepcopy(organization)
    role = changed["SharedServices-Dns"].resource("AWS::IAM::Role", "OutputsReader")
    role.properties["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {
        "AWS": "arn:aws:iam::999999999999:root"
    }
    assert _cross_account_trust(changed) != EXPECTED


def test_exactly_these_resources_answer_to_another_account(organization: Assembly) -> None:
    found: dict[str, set[str]] = {}
    for statement in resource_statements(organization):
        for principal in statement.principals:
            match = ACCOUNT_IN_ARN.search(principal)
            if statement.allows and match is not None and match[1] != statement.owner.stack.account:
                owner = statement.owner
                name = f"{owner.stack.name} {owner.type.rpartition('::')[2]}"
                found.setdefault(name, set()).add(principal.removeprefix("AWS:arn:aws:iam::"))

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


def _assumable(assembly: Assembly) -> dict[str, set[str]]:
    """Map each role of this project to the roles in other accounts that it may assume."""
    found: dict[str, set[str]] = {}
    for role in assembly.resources("AWS::IAM::Role"):
        for statement in identity_statements(role):
            if "sts:AssumeRole" in statement.actions and statement.allows:
                for resource in statement.resources:
                    if ":role/acme-" in resource:
                        found.setdefault(str(role.get("RoleName", default=role.stack.name)), set()).add(
                            resource
                        )
    return found


def test_every_role_that_may_be_assumed_has_its_user_and_no_user_has_another(organization: Assembly) -> None:
    assert _assumable(organization) == {
        "acme-dns-preflight-step": {f"arn:aws:iam::{SHARED}:role/acme-dns-outputs-reader"},
        "acme-release-step-my-django-app-staging": {
            f"arn:aws:iam::{STAGING}:role/acme-release-runner-my-django-app-staging"
        },
        "acme-release-step-my-django-app-production": {
            f"arn:aws:iam::{PRODUCTION}:role/acme-release-runner-my-django-app-production"
        },
        "acme-record-step-my-django-app-staging": {
            f"arn:aws:iam::{STAGING}:role/acme-serving-reader-my-django-app-staging"
        },
        "acme-record-step-my-django-app-production": {
            f"arn:aws:iam::{PRODUCTION}:role/acme-serving-reader-my-django-app-production"
        },
        # The CDK's function that writes the NS record.
        f"{documents.STAGING}-Dns": {f"arn:aws:iam::{SHARED}:role/acme-dns-delegation-my-django-app-staging"},
        f"{documents.PRODUCTION}-Dns": {
            f"arn:aws:iam::{SHARED}:role/acme-dns-delegation-my-django-app-production"
        },
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
    assert len(names) == len(set(names)) == 18

"""What the pipeline's machines may do, and what they are given."""

import json
from fnmatch import fnmatchcase

from compliance.policies import identity_statements
from config import Configuration
from tests import documents
from tests.assembly import Assembly
from tests.conftest import Synthesize
from tests.pipeline.actions import actions, project, role_of, stages, variables


def test_an_image_build_may_push_to_its_own_repository_alone(
    configuration: Configuration, organization: Assembly
) -> None:
    role = role_of(organization, actions(organization, "Build")["Image-my-django-app"])
    registry = [
        each
        for each in identity_statements(role)
        if any(action.startswith("ecr:") for action in each.actions)
    ]
    resources = {
        resource for each in registry for resource in each.resources if "PutImage" in str(each.actions)
    }
    tooling = configuration.accounts.tooling
    assert resources == {f"arn:aws:ecr:eu-west-1:{tooling}:repository/acme/my-django-app"}
    assert {each.actions for each in registry if "*" in each.resources} == {("ecr:GetAuthorizationToken",)}


def test_the_docker_hub_secret_may_be_read_only_if_there_is_one(
    organization: Assembly, synthesize: Synthesize
) -> None:
    with_secret = synthesize(documents.bare())
    role = role_of(with_secret, actions(with_secret, "Build")["Image-my-django-app"])
    (statement,) = [each for each in identity_statements(role) if "secretsmanager" in str(each.actions)]
    assert statement.resources == ("arn:aws:secretsmanager:eu-west-1:111111111111:secret:docker-hub-??????",)
    assert "secretsmanager" not in json.dumps(organization["Pipeline"].template)


def test_steps_get_no_secret_in_an_environment_variable(organization: Assembly) -> None:
    found = [
        variable
        for stage in stages(organization)
        for action in actions(organization, stage).values()
        if action.category == "Build"
        for variable in variables(action)
    ]
    assert {variable["name"] for variable in found} == {"_PROJECT_CONFIG_HASH", "PIPELINE_EXECUTION_ID"}


def test_only_image_builds_have_root_on_their_machine(organization: Assembly) -> None:
    privileged = [
        each.logical_id
        for each in organization["Pipeline"].resources("AWS::CodeBuild::Project")
        if each.get("Environment", "PrivilegedMode")
    ]
    image = project(organization, actions(organization, "Build")["Image-my-django-app"])
    assert privileged == [image.logical_id]


def test_every_project_writes_to_the_log_group_with_retention(organization: Assembly) -> None:
    projects = organization["Pipeline"].resources("AWS::CodeBuild::Project")
    group = organization["Pipeline"].resource("AWS::Logs::LogGroup", "BuildLogs")
    assert len(projects) > 10
    assert {str(each.get("LogsConfig", "CloudWatchLogs", "GroupName")) for each in projects} == {
        str({"Ref": group.logical_id})
    }


def test_the_look_at_trust_may_become_any_accounts_look_up_role_and_nothing_else(
    organization: Assembly,
) -> None:
    role = role_of(organization, actions(organization, "Build")["TrustPreflight"])
    assumed = [each for each in identity_statements(role) if "sts:AssumeRole" in each.actions]
    assert [each.resources for each in assumed] == [("arn:aws:iam::*:role/cdk-hnb659fds-lookup-role-*",)]
    (other,) = [
        {action.partition(":")[0] for each in identity_statements(role) for action in each.actions}
        - {"sts", "logs", "codebuild", "s3", "kms", "codestar-connections", "codeconnections"}
    ]
    assert not other


def test_no_build_may_start_another(organization: Assembly) -> None:
    """Who starts a build may hand it commands of its own, and so has that build's role."""
    starting = ("codebuild:StartBuild", "codebuild:StartBuildBatch", "codebuild:RetryBuild")
    able = []
    for build in organization["Pipeline"].resources("AWS::CodeBuild::Project"):
        logical_id = build.get("ServiceRole", "Fn::GetAtt", 0)
        (role,) = [
            each
            for each in organization["Pipeline"].resources("AWS::IAM::Role")
            if each.logical_id == logical_id
        ]
        for action in starting:
            found = [
                statement.allows
                for statement in identity_statements(role)
                if any(fnmatchcase(action, pattern) for pattern in statement.actions)
            ]
            able += [(build.logical_id, action)] if found and all(found) else []
    assert not able


def test_nobody_but_image_builds_may_push_an_image(organization: Assembly) -> None:
    image = role_of(organization, actions(organization, "Build")["Image-my-django-app"])
    pushing = [
        role.path
        for role in organization.resources("AWS::IAM::Role")
        for statement in identity_statements(role)
        if statement.allows and any(fnmatchcase("ecr:PutImage", pattern) for pattern in statement.actions)
    ]
    assert pushing == [image.path]

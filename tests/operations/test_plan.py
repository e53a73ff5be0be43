import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from config import Configuration
from config.assembly import read_assembly
from operations import cli, synthesis
from operations.commands.plan import _show
from operations.limits import ACTIONS, STAGES, Usage
from operations.plan import Plan, make_plan
from tests import documents
from tests.assembly import Assembly
from tests.conftest import Synthesize
from tests.synthesis import machine


@pytest.fixture
def plan(organization: Assembly, configuration: Configuration) -> Plan:
    return make_plan(configuration, read_assembly(organization.directory))


def test_each_account_is_shown_with_what_it_holds_and_where(plan: Plan) -> None:
    assert [(account.name, account.id, account.holds, account.regions) for account in plan.accounts] == [
        ("tooling", "111111111111", "pipeline, image registry", ("eu-west-1", "us-east-1")),
        ("shared_services", "222222222222", "shared network, parent DNS zone", ("eu-west-1",)),
        ("staging", "333333333333", "my-django-app/staging", ("eu-west-1", "us-east-1")),
        ("production", "444444444444", "my-django-app/production", ("eu-west-1", "us-east-1")),
    ]


def test_environments_come_in_deployment_order_with_their_approvals(plan: Plan) -> None:
    assert [(one.key, one.approval) for one in plan.environments] == [
        ("my-django-app/staging", False),
        ("my-django-app/production", True),
    ]


def test_the_dns_chain_goes_from_the_registrar_to_each_site(plan: Plan) -> None:
    chain = {link.name: (link.zone_in, link.delegated_by) for link in plan.delegations}
    assert chain["acme.example"] == ("shared_services", "the registrar, by hand, once")
    assert chain["staging.acme.example"] == (
        "staging",
        "acme.example, through acme-dns-delegation-my-django-app-staging",
    )


def test_every_network_is_shown_with_its_cidr(plan: Plan) -> None:
    assert dict(plan.addresses) == {
        "supernet": "10.0.0.0/8",
        "hub": "10.0.0.0/22",
        "my-django-app/staging": "10.1.0.0/20",
        "my-django-app/production": "10.2.0.0/20",
    }


def test_every_role_that_the_plan_names_is_in_a_template_of_its_account(
    plan: Plan, organization: Assembly, configuration: Configuration
) -> None:
    accounts = configuration.account_ids()
    made = {
        (role.stack.account, role.text("RoleName"))
        for role in organization.resources("AWS::IAM::Role")
        if role.get("RoleName")
    }
    repositories = {
        (repository.stack.account, repository.text("RepositoryName"))
        for repository in organization.resources("AWS::ECR::Repository")
    }
    buckets = {
        (bucket.stack.account, bucket.text("BucketName"))
        for bucket in organization.resources("AWS::S3::Bucket")
        if bucket.get("BucketName")
    }
    for trust in plan.trust:
        if trust.resource != "the CDK's bootstrap roles":
            assert (accounts[trust.account], trust.resource) in made | repositories | buckets, trust


def test_no_role_of_the_templates_that_another_account_uses_is_missing(
    plan: Plan, organization: Assembly
) -> None:
    planned = {trust.resource for trust in plan.trust}
    for role in organization.resources("AWS::IAM::Role"):
        trusted = json.dumps(role.get("AssumeRolePolicyDocument"))
        foreign = [
            account for account in ("1" * 12, "2" * 12, "3" * 12, "4" * 12) if account != role.stack.account
        ]
        if any(account in trusted for account in foreign):
            assert role.text("RoleName") in planned, str(role)


def test_stacks_come_after_those_that_they_depend_on(plan: Plan, organization: Assembly) -> None:
    order = [deployment.stack for deployment in plan.deployments]
    assert sorted(order) == sorted(stack.path for stack in organization.stacks.values())
    for stack in organization.stacks.values():
        for name in organization.dependencies(stack):
            assert order.index(organization[name].path) < order.index(stack.path)


def test_stages_come_in_the_order_of_the_pipeline(plan: Plan) -> None:
    assert list(dict.fromkeys(deployment.stage for deployment in plan.deployments)) == [
        "tooling",
        "SharedServices",
        "MyDjangoAppStaging",
        "MyDjangoAppProduction",
    ]


def test_the_release_comes_before_what_serves(plan: Plan) -> None:
    steps = {deployment.stack: deployment.step for deployment in plan.deployments}
    for stage in ("MyDjangoAppStaging", "MyDjangoAppProduction"):
        assert steps[f"{stage}/Database"] < steps[f"{stage}/Release"] < steps[f"{stage}/Web"]


def test_workloads_with_accounts_of_their_own_and_an_existing_zone_are_planned_too(
    synthesize: Synthesize,
) -> None:
    document = documents.changed({"dns.parent": "Z0123456789ABCDEFGHIJ"}, documents.with_second_workload())
    configuration = documents.configured(document)
    plan = make_plan(configuration, read_assembly(synthesize(document).directory))
    assert [one.key for one in plan.environments] == [
        "my-django-app/staging",
        "shop/staging",
        "my-django-app/production",
        "shop/production",
    ]
    assert plan.delegations[0].delegated_by == "nobody new: the zone Z0123456789ABCDEFGHIJ is there"
    assert not [trust for trust in plan.trust if "dns-outputs-reader" in trust.resource]


def test_the_command_needs_no_credentials_and_writes_json(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "operations", "plan", "--json"],
        env=machine(tmp_path / "home", AWS_PROFILE="does-not-exist"),
        capture_output=True,
        text=True,
        check=True,
    )
    document = json.loads(done.stdout)
    assert [call["account_name"] for call in document["bootstraps"]] == [
        "tooling",
        "shared_services",
        "staging",
        "production",
    ]
    assert "SharedServices/Dns" in {deployment["stack"] for deployment in document["deployments"]}


def test_the_command_shows_everything_and_ends_with_what_to_do(
    plan: Plan,
    configuration: Configuration,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    _show(plan, configuration)
    told = capsys.readouterr().out
    for text in (
        "222222222222",
        "www.acme.example",
        "10.2.0.0/20",
        "acme-release-runner-my-django-app-staging",
    ):
        assert text in told
    assert (
        " 3. bootstrap tooling: cdk bootstrap aws://111111111111/eu-west-1 aws://111111111111/us-east-1"
        in told
    )
    places = [
        told.partition("To do, in this order")[2].find(text)
        for text in (
            "authorize the connection",
            "once: aws ram enable-sharing-with-aws-organization",
            "bootstrap production",
            "deploy the pipeline, once",
            "when the DNS preflight stops, enter its name servers at the registrar of acme.example",
            "if the first run stops at RefusePlaceholder",
        )
    ]
    assert -1 not in places
    assert places == sorted(places)


def test_fails_with_the_apps_own_words_when_it_cannot_be_synthesized(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    broken = tmp_path / "app.py"
    broken.write_text("raise SystemExit('out of clay')", encoding="utf-8")
    monkeypatch.setattr(synthesis, "app_command", lambda **_: [sys.executable, str(broken)])
    assert cli.main(["plan"]) == 1
    assert "out of clay" in capsys.readouterr().err


def test_what_is_larger_than_aws_allows_is_told_with_what_to_split(
    plan: Plan, configuration: Configuration, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not plan.over
    large = replace(plan, limits=(Usage(STAGES, "Pipeline", 51), Usage(ACTIONS, "Pipeline", 900)))
    _show(large, configuration)
    told = capsys.readouterr().out
    assert "Larger than AWS allows: 1\n" in told
    assert "Pipeline: 51 stages of the pipeline, 50 allowed" in told
    assert "fix: raise pipeline.wave_size" in told
    assert told.index("Larger than AWS allows") < told.index("To do, in this order")

"""The pipeline: its stages, the order of the actions, and the versions of the tools that it installs."""

import json
from pathlib import Path

import pytest

from tests import documents
from tests.assembly import Assembly
from tests.conftest import Synthesize
from tests.pipeline.actions import (
    Action,
    actions,
    commands,
    environment,
    pipeline,
    stages,
    variables,
)

ROOT = Path(__file__).parent.parent.parent


def test_the_pipeline_is_of_the_second_type_and_runs_one_change_after_the_other(
    organization: Assembly,
) -> None:
    found = pipeline(organization)
    assert found.get("PipelineType") == "V2"
    assert found.get("ExecutionMode") == "QUEUED"
    assert found.get("RestartExecutionOnUpdate") is True


def test_stages_run_from_source_to_production(organization: Assembly) -> None:
    assert stages(organization) == [
        "Source",
        "Build",
        "UpdatePipeline",
        "Assets",
        "SharedServices",
        documents.STAGING,
        documents.PRODUCTION,
    ]


def test_all_staging_environments_run_before_any_production(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.with_second_workload())
    assert stages(assembly)[5:] == [
        "MyDjangoAppStaging",
        "ShopStaging",
        "MyDjangoAppProduction",
        "ShopProduction",
    ]


def test_images_are_built_and_trust_is_looked_at_before_synthesis(synthesize: Synthesize) -> None:
    build = actions(synthesize(documents.with_second_workload()), "Build")
    assert {name: action.order for name, action in build.items()} == {
        "Image-my-django-app": 1,
        "Image-shop": 1,
        "TrustPreflight": 1,
        "Synth": 2,
    }


def test_a_missing_trust_stops_the_run_before_the_pipeline_updates_itself(organization: Assembly) -> None:
    trust = actions(organization, "Build")["TrustPreflight"]
    assert commands(organization, trust) == ["./lz doctor"]
    assert [artifact["Name"] for artifact in trust.body["InputArtifacts"]] == ["acme_landing_zone_Source"]
    assert stages(organization).index("Build") < stages(organization).index("UpdatePipeline")


def test_synthesis_runs_every_check_and_gets_the_digests(organization: Assembly) -> None:
    synth = actions(organization, "Build")["Synth"]
    *linking, check, synthesis, guard, supply_chain = commands(organization, synth)
    assert (check, synthesis, guard) == ("./lz check --without synth", "./lz synth", "./lz guard")
    assert supply_chain == "./lz supply-chain --require-audit"
    assert len(linking) == 1
    assert "images/my-django-app" in linking[0]
    inputs = [artifact["Name"] for artifact in synth.body["InputArtifacts"]]
    assert inputs == ["acme_landing_zone_Source", "Image_my_django_app_Output"]


def test_the_reports_are_an_artifact_of_the_run(organization: Assembly) -> None:
    synth = actions(organization, "Build")["Synth"]
    assert [artifact["Name"] for artifact in synth.body["OutputArtifacts"]] == [
        "Synth_Output",
        "Synth_reports",
    ]


def test_an_image_is_built_once_on_the_processor_that_it_is_for(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.with_second_workload())
    build = actions(assembly, "Build")
    machines = {name: environment(assembly, action) for name, action in build.items()}
    assert machines["Image-my-django-app"]["Type"] == "ARM_CONTAINER"
    assert machines["Image-shop"]["Type"] == "LINUX_CONTAINER"
    assert {name for name, machine in machines.items() if machine["PrivilegedMode"]} == {
        "Image-my-django-app",
        "Image-shop",
    }
    text = (assembly.directory / "Pipeline.template.json").read_text(encoding="utf-8")
    assert text.count("./lz image ") == 2


@pytest.mark.parametrize(
    ("workload", "expected"),
    [
        ("my-django-app", "./lz image --workload my-django-app --source workloads/django/app --output out"),
        ("shop", "./lz image --workload shop --source sources/shop --output out"),
    ],
)
def test_an_image_is_built_from_the_source_of_its_workload(
    synthesize: Synthesize, workload: str, expected: str
) -> None:
    assembly = synthesize(documents.with_second_workload())
    assert commands(assembly, actions(assembly, "Build")[f"Image-{workload}"])[-1] == expected


def test_the_pipeline_updates_itself_with_the_pinned_cdk_and_before_everything_else(
    organization: Assembly,
) -> None:
    update = actions(organization, "UpdatePipeline")
    assert list(update) == ["SelfMutate"]
    install, deploy = commands(organization, update["SelfMutate"])
    assert deploy.startswith("cdk -a . deploy Pipeline ")
    version = install.removeprefix("npm install -g aws-cdk@")
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert version == package["devDependencies"]["aws-cdk"]
    assert version == lock["packages"]["node_modules/aws-cdk"]["version"]


def test_no_step_installs_a_tool_without_its_version(organization: Assembly) -> None:
    installs = [
        word
        for stage in stages(organization)
        for action in actions(organization, stage).values()
        if action.category == "Build"
        for command in commands(organization, action)
        if "npm install" in command
        for word in command.split()[3:]
    ]
    assert len(installs) == 2
    assert all(word.rpartition("@")[2][:1].isdigit() for word in installs), installs


def test_one_project_publishes_the_assets_of_all_accounts(organization: Assembly) -> None:
    assets = actions(organization, "Assets")
    assert list(assets) == ["FileAssets"]
    published = [line for line in commands(organization, assets["FileAssets"]) if "cdk-assets --path" in line]
    accounts = {
        account for account in ("222222222222", "333333333333", "444444444444") if account in str(published)
    }
    assert len(accounts) == 3


def test_shared_services_end_with_the_look_up_of_the_parent_zone(organization: Assembly) -> None:
    shared = actions(organization, "SharedServices")
    last = shared.pop("DnsPreflight")
    assert last.order > max(action.order for action in shared.values())
    assert commands(organization, last) == ["./lz dns-preflight"]


def test_without_a_zone_of_its_own_there_is_nothing_to_look_up(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.bare())
    assert "DnsPreflight" not in actions(assembly, "SharedServices")


def _order(stage: dict[str, Action], *names: str) -> list[int]:
    return [stage[name].order for name in names]


@pytest.mark.parametrize("stage_name", [documents.STAGING, documents.PRODUCTION])
def test_an_environment_releases_before_it_serves_and_is_asked_at_last(
    organization: Assembly, stage_name: str
) -> None:
    stage = actions(organization, stage_name)
    order = _order(
        stage,
        f"RefusePlaceholder-{stage_name}",
        "Database.Deploy",
        "Release.Deploy",
        f"Release.Release-{stage_name}",
        "Web.Prepare",
        "Web.Deploy",
        f"SmokeTest-{stage_name}",
        f"Record-{stage_name}",
    )
    assert order == sorted(set(order)), "strictly one after the other"
    release = stage[f"Release.Release-{stage_name}"]
    assert stage["Workers.Prepare"].order > release.order
    assert stage[f"SmokeTest-{stage_name}"].order > stage["Workers.Deploy"].order
    for last, name in zip(order[-2:], ("SmokeTest", "Record"), strict=True):
        assert [action.name for action in stage.values() if action.order == last] == [f"{name}-{stage_name}"]
    assert max(action.order for action in stage.values()) == order[-1]


def test_nothing_in_an_environment_happens_before_the_refusal_of_placeholders(organization: Assembly) -> None:
    for stage_name in (documents.STAGING, documents.PRODUCTION):
        stage = actions(organization, stage_name)
        assert [name for name, action in stage.items() if action.order == 1] == [
            f"RefusePlaceholder-{stage_name}"
        ]


def test_only_the_configured_classes_wait_for_a_person(
    organization: Assembly, synthesize: Synthesize
) -> None:
    assert _approvals(organization) == [f"Approve-{documents.PRODUCTION}"]
    both = synthesize(documents.bare())
    assert _approvals(both) == [f"Approve-{documents.STAGING}", f"Approve-{documents.PRODUCTION}"]


def _approvals(assembly: Assembly) -> list[str]:
    return [
        action.name
        for stage in stages(assembly)
        for action in actions(assembly, stage).values()
        if action.category == "Approval"
    ]


def test_the_smoke_test_asks_the_public_name_with_a_deadline(organization: Assembly) -> None:
    smoke = actions(organization, documents.PRODUCTION)[f"SmokeTest-{documents.PRODUCTION}"]
    (command,) = commands(organization, smoke)
    assert command.endswith(" https://www.acme.example/status/deep/")
    assert {"--fail", "--max-time", "--retry-max-time"} <= set(command.split())


def test_a_failing_smoke_test_stops_the_run_before_the_record_and_the_next_environment(
    synthesize: Synthesize,
) -> None:
    # CodePipeline starts a stage, and an action of a higher run order, only when all before it succeeded: "Pipeline
    # structure reference" of its user guide.
    assembly = synthesize(documents.with_second_workload())
    environments = stages(assembly)[5:]
    assert environments.index("ShopStaging") < environments.index("ShopProduction")
    for stage_name in environments:
        stage = actions(assembly, stage_name)
        assert stage[f"SmokeTest-{stage_name}"].order < stage[f"Record-{stage_name}"].order
        assert "OnFailure" not in str(pipeline(assembly).get("Stages"))


def test_a_release_is_recorded_with_what_was_deployed_built_and_migrated(organization: Assembly) -> None:
    for stage_name in (documents.STAGING, documents.PRODUCTION):
        record = actions(organization, stage_name)[f"Record-{stage_name}"]
        *linking, command = commands(organization, record)
        key = "my-django-app/" + stage_name.removeprefix("MyDjangoApp").lower()
        assert command == (
            f"./lz record --environment {key} --assembly assembly --images images --release release"
        )
        assert [part for part in ("assembly", "images/my-django-app", "release") if part in str(linking)] == [
            "assembly",
            "images/my-django-app",
            "release",
        ]
        assert {artifact["Name"] for artifact in record.body["InputArtifacts"]} == {
            "acme_landing_zone_Source",
            "Synth_Output",
            "Image_my_django_app_Output",
            f"Release_{stage_name}_Output",
        }
        assert variables(record) == [
            {
                "name": "PIPELINE_EXECUTION_ID",
                "type": "PLAINTEXT",
                "value": "#{codepipeline.PipelineExecutionId}",
            }
        ]


def test_no_stage_has_more_actions_than_codepipeline_allows(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.with_second_workload())
    assert max(len(actions(assembly, stage)) for stage in stages(assembly)) <= 50


def test_every_stack_gets_its_tags_from_the_pipeline_too(organization: Assembly) -> None:
    for stage_name in stages(organization)[4:]:
        for action in actions(organization, stage_name).values():
            configuration = action.body["Configuration"]
            if configuration.get("ActionMode") == "CHANGE_SET_REPLACE":
                stack = organization[configuration["StackName"]]
                path = configuration["TemplateConfiguration"].removeprefix("Synth_Output::")
                text = (organization.directory / path).read_text(encoding="utf-8")
                assert json.loads(text) == {"Tags": dict(stack.tags)}


def test_the_definition_stays_the_same_from_image_to_image(
    organization: Assembly, synthesize: Synthesize
) -> None:
    other = synthesize(documents.sample(), digest=documents.OTHER_DIGEST)
    name = "Pipeline.template.json"
    assert (organization.directory / name).read_bytes() == (other.directory / name).read_bytes()

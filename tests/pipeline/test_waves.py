"""Twenty environments in waves: the order holds, and so do the limits of AWS."""

import re

import pytest

from compliance.reports import read_reports, unsettled
from config.assembly import read_assembly
from config.stages import waves
from operations.limits import ACTIONS, BYTES, INLINE, RESOURCES, STAGES, largest, usages
from tests import documents
from tests.assembly import Assembly
from tests.conftest import Synthesize
from tests.pipeline.actions import Action, actions, commands, stages


@pytest.fixture(scope="module")
def many(synthesize: Synthesize) -> Assembly:
    return synthesize(documents.with_twenty_environments())


def _sizes(wave_size: int) -> list[tuple[str, int]]:
    document = documents.changed({"pipeline.wave_size": wave_size}, documents.with_twenty_environments())
    return [(wave.name, len(wave.stages)) for wave in waves(documents.configured(document))]


def test_a_wave_never_mixes_classes_and_the_last_may_be_smaller() -> None:
    assert _sizes(4) == [
        ("StagingWave1", 4),
        ("App4Staging", 1),
        ("ProductionWave1", 4),
        ("ProductionWave2", 4),
        ("ProductionWave3", 4),
        ("ProductionWave4", 3),
    ]


def test_without_waves_each_environment_has_a_stage_of_its_own_name() -> None:
    found = _sizes(1)
    assert len(found) == 20
    assert found[0] == ("App0Staging", 1)
    assert found[5] == ("App0Europe", 1)


def _wave(assembly: Assembly, name: str) -> list[tuple[int, Action]]:
    """Return the actions of a wave with the number of the stage that holds them; the library cuts it at 50."""
    parts = [stage for stage in stages(assembly) if re.fullmatch(rf"{name}(\.\d+)?", stage)]
    return [
        (part, action) for part, stage in enumerate(parts) for action in actions(assembly, stage).values()
    ]


def test_staging_comes_before_production(many: Assembly) -> None:
    found = [stage.partition(".")[0] for stage in stages(many)[5:]]
    assert list(dict.fromkeys(found)) == [name for name, _ in _sizes(4)]


def test_nobody_deploys_in_a_wave_before_all_of_it_is_approved(many: Assembly) -> None:
    wave = _wave(many, "ProductionWave1")
    approvals = [(part, action.order) for part, action in wave if action.category == "Approval"]
    assert len(approvals) == 4
    deploys = [(part, action.order) for part, action in wave if action.category == "Deploy"]
    assert min(deploys) > max(approvals)


def test_every_environment_of_a_wave_releases_before_it_serves(many: Assembly) -> None:
    wave = _wave(many, "ProductionWave2")
    places = {action.name: (part, action.order) for part, action in wave}
    environments = {name.partition(".")[0] for name in places}
    assert len(environments) == 4
    for environment in environments:
        release = places[f"{environment}.Release.Release-{environment}"]
        assert places[f"{environment}.Release.Deploy"] < release < places[f"{environment}.Web.Prepare"]
        assert places[f"{environment}.SmokeTest-{environment}"] > places[f"{environment}.Workers.Deploy"]


def test_the_limits_hold_with_twenty_environments(many: Assembly) -> None:
    found = {usage.limit: usage.found for usage in largest(usages(read_assembly(many.directory)))}
    assert not [str(usage) for usage in usages(read_assembly(many.directory)) if usage.is_over]
    # Counted, so that a step or a stack more per environment is noticed by whoever adds it.
    assert found[STAGES] <= 25
    assert found[ACTIONS] <= 800
    assert found[RESOURCES] <= 400
    assert found[BYTES] <= 950_000
    assert found[INLINE] <= 9_000


def test_more_images_than_a_build_takes_inputs_reach_synthesis_in_groups(many: Assembly) -> None:
    build = actions(many, "Build")
    assert [name for name, action in build.items() if action.order == 2] == ["Images-1"]
    assert len(build["Images-1"].body["InputArtifacts"]) == 5
    assert build["Synth"].order == 3
    assert "mkdir -p images && cp -RL gathered/*/. images/" in commands(many, build["Synth"])


def test_twenty_environments_have_no_open_finding(many: Assembly) -> None:
    assert not unsettled(read_reports(many.directory).values())

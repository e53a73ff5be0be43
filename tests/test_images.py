"""One image per workload and release, by its digest, in every environment."""

from config.images import PLACEHOLDER_DIGEST
from tests import documents
from tests.assembly import Assembly
from tests.conftest import Synthesize


def _images(assembly: Assembly) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for definition in assembly.resources("AWS::ECS::TaskDefinition"):
        for container in definition.get("ContainerDefinitions"):
            found.setdefault(definition.stack.stage, set()).add(definition.stack.text(container["Image"]))
    return found


def test_staging_and_production_run_the_same_image_by_digest(organization: Assembly) -> None:
    image = f"111111111111.dkr.ecr.eu-west-1.amazonaws.com/acme/my-django-app@{documents.DIGEST}"
    assert _images(organization) == {documents.STAGING: {image}, documents.PRODUCTION: {image}}


def test_an_image_that_was_not_built_is_a_placeholder(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.sample(), digest=PLACEHOLDER_DIGEST)
    assert all(
        image.endswith(f"@{PLACEHOLDER_DIGEST}") for images in _images(assembly).values() for image in images
    )


def test_a_change_of_the_image_alone_touches_no_stack_but_those_that_run_it(
    organization: Assembly, synthesize: Synthesize
) -> None:
    """No network, no database, no pipeline: their change sets are empty."""
    other = synthesize(documents.sample(), digest=documents.OTHER_DIGEST)
    changed = [
        name
        for name, stack in organization.stacks.items()
        if stack.template_file.read_bytes() != other[name].template_file.read_bytes()
    ]
    running = ("Release", "Web", "Workers")
    stages = (documents.STAGING, documents.PRODUCTION)
    assert set(changed) == {f"{stage}-{stack}" for stage in stages for stack in running}


def test_every_workload_runs_its_own_image_on_its_own_processor(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.with_second_workload())
    for definition in assembly.resources("AWS::ECS::TaskDefinition"):
        shop = definition.stack.stage.startswith("Shop")
        image = definition.stack.text(definition.get("ContainerDefinitions", 0, "Image"))
        assert image.split("@")[0].rpartition("/")[2] == ("shop" if shop else "my-django-app")
        assert definition.get("RuntimePlatform", "CpuArchitecture") == ("X86_64" if shop else "ARM64")

"""What runs is what was built: images by digest, from the tooling account's registry."""

import re
from collections.abc import Iterator

from compliance.rules.rule import Finding, Organization, judged, rule
from compliance.templates import Resource

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


@rule(
    "LZ-IMG-1",
    text="Every container and every function with an image runs one by its digest, from its workload's repository "
    "in tooling.",
    fix="Build the image in the pipeline and take its digest from image.json; a sidecar's image is pushed there, too.",
)
def images_come_by_digest_from_tooling(organization: Organization) -> Iterator[Finding]:
    """Look at every task definition and every function that is an image."""
    for definition in organization.assembly.resources("AWS::ECS::TaskDefinition"):
        images = [
            definition.stack.text(container.get("Image"))
            for container in definition.get("ContainerDefinitions", default=[])
        ]
        yield from judged(definition, _wrong(images, definition, organization))
    for function in organization.assembly.resources("AWS::Lambda::Function"):
        if function.get("Code", "ImageUri") is not None:
            yield from judged(function, _wrong([function.text("Code", "ImageUri")], function, organization))


def _wrong(images: list[str], resource: Resource, organization: Organization) -> list[str]:
    configuration, names = organization.configuration, organization.names
    stage = organization.environments.get(resource.stack.stage)
    workloads = [stage.workload_name] if stage else list(configuration.workloads)
    registry = f"{configuration.accounts.tooling}.dkr.ecr.{configuration.organization.region}.amazonaws.com"
    repositories = {f"{registry}/{names.repository(workload)}" for workload in workloads}
    wrong = []
    for image in images:
        digest = _DIGEST.search(image)
        if digest is None:
            wrong.append(f"{image} is named by a tag, which can be moved")
        elif image[: digest.start()] not in repositories:
            wrong.append(f"{image} is not from {' or '.join(sorted(repositories))}")
    return wrong

"""The self-mutating pipeline and the image registry, in the tooling account."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk

from config.models import Configuration
from config.naming import PIPELINE_STACK, RECORDS_STACK, REGISTRY_STACK
from pipeline.pipeline import PipelineStack
from pipeline.records import RecordsStack
from pipeline.registry import RegistryStack
from shared_services import SharedServicesStage
from workloads.django import DjangoStage

__all__ = ["PipelineStack", "RecordsStack", "RegistryStack", "add_pipeline"]


def add_pipeline(
    app: cdk.App,
    *,
    configuration: Configuration,
    shared_services: SharedServicesStage,
    environments: Sequence[DjangoStage],
) -> Mapping[str, cdk.Stack]:
    """Add the tooling account's stacks to the app.

    Args:
        app: the app.
        configuration: the organization.
        shared_services: the stage that deploys first.
        environments: the environments, in deployment order.

    Returns:
        The stacks by name.
    """
    registry = RegistryStack(app, REGISTRY_STACK, configuration=configuration)
    records = RecordsStack(app, RECORDS_STACK, configuration=configuration)
    pipeline = PipelineStack(
        app,
        PIPELINE_STACK,
        configuration=configuration,
        shared_services=shared_services,
        environments=environments,
    )
    pipeline.add_stack_dependency(registry)
    pipeline.add_stack_dependency(records)
    return {REGISTRY_STACK: registry, RECORDS_STACK: records, PIPELINE_STACK: pipeline}

"""Where the pipeline takes code from: this project, and the repositories of workloads that have their own."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from aws_cdk import pipelines

from config.models import Configuration, Workload


class Sources:
    """The repositories that the pipeline follows: each is one action, however many steps build from it.

    Args:
        configuration: the organization.

    Attributes:
        platform: the repository that holds this project.
    """

    def __init__(self, configuration: Configuration) -> None:
        pipeline = configuration.pipeline
        self._branch = pipeline.branch
        self._connection_arn = pipeline.connection_arn
        self._connections: dict[str, str] = {}
        self._sources: dict[str, pipelines.CodePipelineSource] = {}
        self.platform = self._source(pipeline.repository, pipeline.branch, pipeline.connection_arn)

    def of(self, workload: Workload) -> pipelines.CodePipelineSource | None:
        """Return the workload's own repository, if it has one.

        Args:
            workload: the workload.
        """
        source = workload.source
        if source.repository is None:
            return None
        return self._source(
            source.repository, source.branch or self._branch, source.connection_arn or self._connection_arn
        )

    def _source(self, repository: str, branch: str, connection_arn: str) -> pipelines.CodePipelineSource:
        if repository not in self._sources:
            self._connections[repository] = connection_arn
            self._sources[repository] = pipelines.CodePipelineSource.connection(
                repository,
                branch,
                connection_arn=connection_arn,
                # A clone, not the default zip, which loses executable bits and symbolic links: `./lz` and the scripts
                # of an image would not start, and the content hash would differ from the one on a laptop.
                code_build_clone_output=True,
            )
        return self._sources[repository]

    def allow_connections(
        self, pipeline: codepipeline.Pipeline, projects: Sequence[codebuild.IProject]
    ) -> None:
        """Let source actions, and builds that clone, use the connection under the prefix that its ARN has today.

        The CDK allows `codestar-connections:UseConnection` alone. Connections made since July 2024 belong to
        `codeconnections`, and IAM wants the prefixes of action and resource to agree.

        Args:
            pipeline: the pipeline, built.
            projects: the builds that take a source as their input.
        """
        actions = pipeline.node.find_child("Source").node
        arns = list(dict.fromkeys(self._connections.values()))
        for project in projects:
            project.add_to_role_policy(
                iam.PolicyStatement(actions=["codeconnections:UseConnection"], resources=arns)
            )
        for repository, arn in self._connections.items():
            action = actions.find_child(repository.replace("/", "_"))
            role = cast("iam.Role", action.node.find_child("CodePipelineActionRole"))
            role.add_to_principal_policy(
                iam.PolicyStatement(actions=["codeconnections:UseConnection"], resources=[arn])
            )

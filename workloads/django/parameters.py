"""Everything the containers get: environment variables, and references to secrets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from config.models import Configuration
from config.naming import parameter_name
from config.stages import StageRef
from config.variables import composed, starts_late
from workloads.django.base import WorkloadStack
from workloads.django.database import DATABASE_NAME, DatabaseStack
from workloads.django.media import MediaStack
from workloads.django.queues import QueuesStack
from workloads.django.security_groups import DATABASE_PORT
from workloads.django.static_files import StaticFilesStack

APPLICATION_USER = "django"
SECRET_KEY_LENGTH = 64
PASSWORD_LENGTH = 40


@dataclass(frozen=True)
class ContainerParameters:
    """What one process type receives, under the names that its project reads.

    Args:
        environment: variable -> value; nothing secret.
        secrets: variable -> reference, resolved by ECS when the container starts.
        composed: variable -> text with the names of other variables in braces, put together when it starts.
    """

    environment: Mapping[str, str]
    secrets: Mapping[str, ecs.Secret]
    composed: Mapping[str, str]


class ParametersStack(WorkloadStack):
    """Generated secrets, and the variables of every process type.

    Attributes:
        application: what web, workers and beat receive.
        release: what the release task receives besides: the master user, and where static files go.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        configuration: Configuration,
        stage: StageRef,
        database: DatabaseStack,
        static_files: StaticFilesStack,
        media: MediaStack | None,
        queues: QueuesStack | None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            configuration=configuration,
            stage=stage,
            description="Container parameters and generated secrets",
            stateful=True,
        )
        django_key = self._generated(
            "DjangoSecretKey", "Signing key of Django", length=SECRET_KEY_LENGTH, template=None, key=None
        )
        user = self._generated(
            "DatabaseUser",
            "The application's own database user; the release step creates it",
            length=PASSWORD_LENGTH,
            template={"username": APPLICATION_USER},
            key="password",
        )
        domain = stage.environment.domain
        environment = {
            "DJANGO_ENVIRONMENT": stage.environment_name,
            "DJANGO_ALLOWED_HOSTS": domain,
            "DJANGO_CSRF_TRUSTED_ORIGINS": f"https://{domain}",
            "DATABASE_HOST": database.cluster.cluster_endpoint.hostname,
            "DATABASE_PORT": str(DATABASE_PORT),
            "DATABASE_NAME": DATABASE_NAME,
            "STATIC_URL": static_files.url,
            "AWS_DEFAULT_REGION": configuration.organization.region,
        }
        if media is not None:
            environment["MEDIA_BUCKET"] = media.bucket.bucket_name
        if queues is not None:
            environment |= {
                "CELERY_QUEUE_NAME": queues.queue.queue_name,
                "CELERY_QUEUE_URL": queues.queue.queue_url,
                "CELERY_VISIBILITY_TIMEOUT": str(queues.visibility_timeout_seconds),
            }
        secrets = {
            "DJANGO_SECRET_KEY": ecs.Secret.from_secrets_manager(django_key),
            "DATABASE_USER": ecs.Secret.from_secrets_manager(user, "username"),
            "DATABASE_PASSWORD": ecs.Secret.from_secrets_manager(user, "password"),
        }
        self.application = self._renamed(environment, secrets)
        self.release = self._renamed(
            {**environment, "STATIC_BUCKET": static_files.bucket.bucket_name},
            {
                **secrets,
                "DATABASE_MASTER_USER": ecs.Secret.from_secrets_manager(database.master_secret, "username"),
                "DATABASE_MASTER_PASSWORD": ecs.Secret.from_secrets_manager(
                    database.master_secret, "password"
                ),
            },
        )
        self.publish(
            {"DjangoSecretKeyName": django_key.secret_name, "DatabaseUserSecretName": user.secret_name}
        )

    def _generated(
        self,
        construct_id: str,
        description: str,
        *,
        length: int,
        template: Mapping[str, str] | None,
        key: str | None,
    ) -> secretsmanager.Secret:
        return secretsmanager.Secret(
            self,
            construct_id,
            secret_name=parameter_name(self.stage_ref.stage_name, construct_id),
            description=f"{description} ({self.stage_ref.key})",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=length,
                # Quotes, at signs and slashes would have to be escaped in a DATABASE_URL or a shell.
                exclude_punctuation=True,
                secret_string_template=json.dumps(template) if template else None,
                generate_string_key=key,
            ),
            removal_policy=self.data_removal,
        )

    def _renamed(
        self, environment: Mapping[str, str], secrets: Mapping[str, ecs.Secret]
    ) -> ContainerParameters:
        """Apply the workload's own variable names, and add its composed and the environment's extra variables."""
        workload = self.stage_ref.workload
        names, templates = workload.injected_variables, workload.composed_variables
        return ContainerParameters(
            environment={
                **{names.get(name, name): value for name, value in environment.items()},
                **{
                    name: composed(template, environment.__getitem__)
                    for name, template in templates.items()
                    if not starts_late(template)
                },
                **self.stage_ref.environment.variables,
            },
            secrets={names.get(name, name): secret for name, secret in secrets.items()},
            composed={
                name: composed(template, lambda part: f"{{{names.get(part, part)}}}")
                for name, template in templates.items()
                if starts_late(template)
            },
        )

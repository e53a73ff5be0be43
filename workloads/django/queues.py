"""Celery's queue and its dead-letter queue."""

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from config.models import Configuration
from config.stages import StageRef
from workloads.django.base import WorkloadStack

MAX_RECEIVES = 3  # a task that killed its worker three times is kept aside for a person to look at
RETENTION = cdk.Duration.days(14)  # the longest that SQS offers
MAX_VISIBILITY_SECONDS = 43_200  # twelve hours, the limit of SQS


def visibility_seconds(task_timeout_seconds: int) -> int:
    """Return how long a message stays hidden: longer than the longest task, or it would be delivered twice.

    Args:
        task_timeout_seconds: time limit of the longest Celery task.
    """
    return min(task_timeout_seconds * 11 // 10 + 60, MAX_VISIBILITY_SECONDS)


class QueuesStack(WorkloadStack):
    """The queue that Celery uses; with `predefined_queues` its own visibility option has no effect, so it is here.

    Attributes:
        queue: Celery's queue.
        dead_letters: where messages end that no worker could finish.
        visibility_timeout_seconds: how long a message that is being worked on stays hidden.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, configuration: Configuration, stage: StageRef
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            configuration=configuration,
            stage=stage,
            description="Celery queue",
            stateful=True,
        )
        self.visibility_timeout_seconds = visibility_seconds(stage.environment.worker.task_timeout_seconds)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=RETENTION,
            removal_policy=self.data_removal,
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=cdk.Duration.seconds(self.visibility_timeout_seconds),
            retention_period=RETENTION,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=MAX_RECEIVES),
            removal_policy=self.data_removal,
        )
        self.publish({"QueueUrl": self.queue.queue_url, "DeadLetterQueueUrl": self.dead_letters.queue_url})

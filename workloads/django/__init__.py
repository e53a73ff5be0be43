"""A Django project in one environment: from its VPC to its workers."""

from workloads.django.stage import DjangoStage

__all__ = ["DjangoStage"]

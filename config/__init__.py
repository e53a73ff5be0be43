"""The organization, read from `config/accounts.json`: typed, validated and hermetic."""

from config.loader import load
from config.models import Configuration, DeploymentEnvironment, Workload

__all__ = ["Configuration", "DeploymentEnvironment", "Workload", "load"]

"""The organization, read from `config/accounts.json`: typed, validated and hermetic."""

from config.loader import load
from config.models import Configuration, DeploymentEnvironment, Workload
from config.problems import ConfigurationError, Problem, UnknownStageError, render
from config.stages import StageRef

__all__ = [
    "Configuration",
    "ConfigurationError",
    "DeploymentEnvironment",
    "Problem",
    "StageRef",
    "UnknownStageError",
    "Workload",
    "load",
    "render",
]

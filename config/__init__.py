"""The organization, read from `config/accounts.json`: typed, validated and hermetic."""

from config.loader import load, load_text
from config.models import Configuration, DeploymentEnvironment, Workload
from config.problems import ConfigurationError, Problem, UnknownStageError, render
from config.stages import StageRef
from config.variables import INJECTED_VARIABLES

__all__ = [
    "INJECTED_VARIABLES",
    "Configuration",
    "ConfigurationError",
    "DeploymentEnvironment",
    "Problem",
    "StageRef",
    "UnknownStageError",
    "Workload",
    "load",
    "load_text",
    "render",
]

"""Variables in an action's configuration: `#{codepipeline.PipelineExecutionId}`, `#{Namespace.Name}`."""

import re
from collections.abc import Mapping

from rehearsal.pipeline.errors import ActionError
from rehearsal.pipeline.records import Execution

_REFERENCE = re.compile(r"#\{([^{}]+)\}")
_OWN = "codepipeline"


def resolve(configuration: Mapping[str, str], execution: Execution) -> dict[str, str]:
    """Replace the variables in a configuration.

    Args:
        configuration: the action's configuration.
        execution: knows the values.

    Raises:
        ActionError: a variable has no value.
    """
    own = {"PipelineExecutionId": execution.id}
    known: Mapping[str, Mapping[str, str]] = {**execution.variables, _OWN: own}

    def value(match: re.Match[str]) -> str:
        namespace, _, name = match[1].rpartition(".")
        if name not in known.get(namespace, {}):
            raise ActionError(
                "ConfigurationError",
                f"An action configuration property references a variable that has no value: {match[0]}",
            )
        return known[namespace][name]

    return {key: _REFERENCE.sub(value, text) for key, text in configuration.items()}

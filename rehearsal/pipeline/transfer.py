"""What an action may take and give: its artifacts, and clients with its role's credentials."""

from collections.abc import Mapping
from typing import Any

from rehearsal.emulator.calls import client
from rehearsal.pipeline import artifacts
from rehearsal.pipeline.errors import ActionError
from rehearsal.pipeline.passage import Work
from rehearsal.pipeline.records import Location
from rehearsal.pipeline.roles import told

Credentials = Mapping[str, str]


class Transfer:
    """An action's hands.

    Args:
        work: the action.
        own: credentials of the pipeline's role.
        credentials: credentials of the action's role.

    Attributes:
        credentials: of the action's role.
    """

    def __init__(self, work: Work, *, own: Credentials, credentials: Credentials) -> None:
        self._work = work
        self._own = own
        self.credentials = credentials

    def client(self, service: str) -> Any:
        """A client of the action's region, with its role's credentials.

        Args:
            service: boto's name of the service.
        """
        return client(service, region=self._work.region, credentials=self.credentials)

    def get(self, artifact: str, credentials: Credentials | None = None) -> bytes:
        """Get an input artifact.

        Args:
            artifact: its name.
            credentials: of whoever gets it; the action's if left out.

        Raises:
            ActionError: nothing made it in this execution.
        """
        execution, pipeline = self._work.execution, self._work.pipeline
        location = execution.artifacts.get(artifact)
        if location is None:
            raise ActionError("ConfigurationError", f"the artifact {artifact} was not made in this execution")
        with pipeline.changed:  # others look at the run meanwhile
            self._work.run.inputs[artifact] = location
        stores, home, region = execution.definition.stores, pipeline.region, self._work.region
        if region != home:
            # CodePipeline itself copies what an action in another region needs, with the pipeline's role.
            role_arn = execution.definition.role_arn
            with told(f"copy of {artifact} to {region}", role_arn):
                content = artifacts.get(stores[home], home, location.key, self._own)
                artifacts.put(stores[region], region, location.key, content, self._own)
        return artifacts.get(stores[region], region, location.key, credentials or self.credentials)

    def put(self, artifact: str, content: bytes, credentials: Credentials | None = None) -> Location:
        """Put an output artifact.

        Args:
            artifact: its name.
            content: the zip file.
            credentials: of whoever puts it; the action's if left out.
        """
        execution, home = self._work.execution, self._work.pipeline.region
        location = artifacts.new_location(execution.definition, home, artifact)
        store = execution.definition.stores[home]
        artifacts.put(store, home, location.key, content, credentials or self.credentials)
        with self._work.pipeline.changed:
            self._work.run.outputs[artifact] = location
        return location

"""The calls of a Docker client that MiniStack's ECS and RDS make, answered with processes."""

import threading
from collections.abc import Sequence
from typing import Any

from docker.errors import ImageNotFound, NotFound

from rehearsal.engine.containers import Container, Kind


class Containers:
    """All containers.

    Args:
        kinds: what can be made.
    """

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = kinds
        self._all: dict[str, Container] = {}
        self._lock = threading.Lock()

    def create(self, image: str, **settings: Any) -> Container:
        """Make a container.

        Raises:
            ImageNotFound: nothing here can run such an image.
        """
        labels = settings.get("labels") or {}
        kind = next((kind for kind in self._kinds if kind.fits(labels)), None)
        if kind is None:
            raise ImageNotFound(
                f"the rehearsal runs tasks and PostgreSQL; it has no program for the image {image}"
            )
        container = kind.create(image, **settings)
        with self._lock:
            self._forget_removed()
            self._all[container.id] = container
        return container

    def run(self, image: str, **settings: Any) -> Container:
        """Make a container and start it."""
        container = self.create(image, **settings)
        try:
            container.start()
        except Exception:
            container.remove(force=True)
            raise
        return container

    def get(self, name: str) -> Container:
        """Find a container by its id or name.

        Raises:
            NotFound: there is none.
        """
        with self._lock:
            self._forget_removed()
            for container in self._all.values():
                if name and name in (container.id, container.short_id, container.name):
                    return container
        raise NotFound(f"No such container: {name}")

    def list(self, **asked: Any) -> list[Container]:
        """List containers.

        Args:
            asked: `all`: those that have ended too; `filters`: `label`: each `name` or `name=value` must be there.
        """
        wanted = (asked.get("filters") or {}).get("label") or []
        wanted = {wanted} if isinstance(wanted, str) else set(wanted)
        with self._lock:
            self._forget_removed()
            found = list(self._all.values())
        return [
            container
            for container in found
            if (asked.get("all") or container.status == "running") and wanted <= _labels(container)
        ]

    def _forget_removed(self) -> None:
        self._all = {key: container for key, container in self._all.items() if not container.removed.is_set()}


def _labels(container: Container) -> set[str]:
    """Return a container's labels, each as `name` and as `name=value`."""
    return {f"{name}={value}" for name, value in container.labels.items()} | container.labels.keys()


class Image:
    """An image by its name; what is behind it is looked at when a container is made."""

    def __init__(self, name: str) -> None:
        self.id = name.rpartition("@")[2]
        self.tags = [name]
        self.attrs = {"RepoDigests": [name]}


class Images:
    """Answers for images: those of tasks are pulled with the rights of the task that wants them, so not here."""

    def get(self, name: str) -> Image:
        """Return an image."""
        return Image(name)

    def pull(self, name: str, **_: Any) -> Image:
        """Return an image."""
        return Image(name)

    def get_registry_data(self, name: str, **_: Any) -> Image:
        """Return an image; its id is the digest in its name."""
        return Image(name)


class Volumes:
    """Volumes are folders of their containers, so that there is nothing to find here."""

    def get(self, name: str) -> Any:
        """Find a volume.

        Raises:
            NotFound: always.
        """
        raise NotFound(f"No such volume: {name}")


class Client:
    """A Docker client.

    Args:
        kinds: the kinds of containers that there are.
    """

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self.containers = Containers(kinds)
        self.images = Images()
        self.volumes = Volumes()

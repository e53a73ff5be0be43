"""One botocore session, which keeps of the services' models what calls need and not the documentation in them.

A rehearsal talks to most services of an organization from several processes. With their texts, and read anew by each
part of the emulator, their models were a tenth of its memory.
"""

import functools
import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import botocore.session
from botocore.loaders import JSONFileLoader, create_loader

_READERS: tuple[tuple[str, Callable[[Path], bytes]], ...] = (
    (".json", Path.read_bytes),
    (".json.gz", lambda file: gzip.decompress(file.read_bytes())),
)


class _Undocumented(JSONFileLoader):
    """Reads botocore's data files without their documentation."""

    def load_file(self, file_path: str) -> Any:
        """Read a file.

        Args:
            file_path: its path without `.json` or `.json.gz`.

        Returns:
            What it holds; None if there is no such file.
        """
        for suffix, read in _READERS:
            file = Path(file_path + suffix)
            if file.is_file():
                return json.loads(read(file), object_pairs_hook=_without_documentation)
        return None


def _without_documentation(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    # A member of that name is an object, and stays. Botocore asks for some of the texts, without a use for them.
    return {
        name: "" if name == "documentation" and isinstance(value, str) else value for name, value in pairs
    }


@functools.cache
def session() -> botocore.session.Session:
    """Return the process's one session."""
    made = botocore.session.Session()
    loader = create_loader(made.get_config_variable("data_path"))
    loader.file_loader = _Undocumented()
    made.register_component("data_loader", loader)
    return made

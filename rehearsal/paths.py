"""Where Python processes of the rehearsal find their modules. Nothing heavy is loaded here: builds start with it."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def module_path() -> str:
    """Where a Python process of the rehearsal finds the project, and the packages that this one has."""
    return os.pathsep.join(dict.fromkeys([str(ROOT), *filter(None, sys.path)]))

"""Reads the configuration."""

from pathlib import Path

from config.models import Configuration

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def load(path: Path | None = None) -> Configuration:
    """Read and validate a configuration file.

    Args:
        path: The file; `config/accounts.json` of this project if left out.
    """
    file = path or PROJECT_ROOT / "config" / "accounts.json"
    return Configuration.model_validate_json(file.read_text(encoding="utf-8"))

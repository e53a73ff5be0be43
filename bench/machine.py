"""What a figure was measured on."""

import os
import platform
from pathlib import Path


def description() -> str:
    """Return processor count, memory and versions in one line."""
    memory = next(
        line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal")
    )
    gibibytes = int(memory.split()[1]) / 1024**2
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{os.cpu_count()} cores, {gibibytes:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; load before the run {load}"
    )

"""The process of one build: reads what to do from the build's folder, and writes there how it ended.

python -m rehearsal.pipeline.build_process FOLDER
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from rehearsal.pipeline.build_files import REQUEST, RESULT
from rehearsal.pipeline.builds import BuildRequest, run_build

_AWS = "AWS_"


def main(folder: Path) -> int:
    """Run the build of a folder; its exit code says nothing, the result does."""
    given = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    work = Path(given["folder"])
    work.mkdir()
    result = run_build(
        BuildRequest(
            project=given["project"],
            build_id=given["build_id"],
            environment=given["environment"],
            sources={name: Path(path) for name, path in given["sources"].items()},
            primary=given["primary"],
            outputs={name: Path(path) for name, path in given["outputs"].items()},
            folder=work,
            aws={name: value for name, value in os.environ.items() if name.startswith(_AWS)},
            say=_say,
            machine=given["machine"],
        )
    )
    (folder / RESULT).write_text(json.dumps(asdict(result)), encoding="utf-8")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

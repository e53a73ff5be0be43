"""Names of the pipeline's artifacts, as the CDK and CodePipeline make them.

CodePipeline stores an artifact as `<pipeline>/<artifact>/<random>`, of both names no more than the beginning: 20 and
10 characters (its User Guide, "Artifact folder names appear to be truncated"; a CDK pipeline has `.../Synth_Outp/...`).
Artifacts whose names begin alike share a folder, and so a right to it.
"""

import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Collection

FOLDER_LENGTH = 10  # characters of an artifact's name in the keys of its objects
_HASH_LENGTH = 4  # what follows "Image_" in a folder
_PRIMARY = "Output"  # what the CDK calls the primary output of a step


def output_of(step: str, output: str = _PRIMARY) -> str:
    """Return the name of an artifact that a step makes.

    Args:
        step: id of the step.
        output: which of its outputs; another than the primary one has the name of its directory.
    """
    return re.sub(r"[^A-Za-z0-9_]", "_", f"{step}.{output}")


def source_of(repository: str) -> str:
    """Return the name of the artifact that a repository is.

    Args:
        repository: owner/name.
    """
    return output_of(repository, "Source")


def folder_of(artifact: str) -> str:
    """Return the part of the keys of an artifact's objects that is its own.

    Args:
        artifact: its name.
    """
    return artifact[:FOLDER_LENGTH]


def image_steps(workloads: Collection[str]) -> dict[str, str]:
    """Map each workload to the id of its image step, so that no two of their artifacts share a folder.

    A step is called by its workload; where workloads' names begin alike, there is a hash before it.

    Args:
        workloads: names of all of them.
    """
    plain = {name: f"Image-{name}" for name in workloads}
    shared = Counter(folder_of(output_of(step)) for step in plain.values())
    taken = set(shared)
    for name in sorted(workloads):
        if shared[folder_of(output_of(plain[name]))] == 1:
            continue
        for attempt in itertools.count():
            digest = hashlib.sha256(f"{name}{attempt or ''}".encode()).hexdigest()[:_HASH_LENGTH]
            step = f"Image-{digest.upper()}-{name}"
            if folder_of(output_of(step)) not in taken:
                taken.add(folder_of(output_of(step)))
                plain[name] = step
                break
    return plain


ASSEMBLY = output_of("Synth")
REPORTS = output_of("Synth", "reports")

"""Collects what a build hands over, by the patterns of its buildspec."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rehearsal.pipeline.builds.buildspec import Artifact, Artifacts


class ArtifactError(Exception):
    """An output artifact that the buildspec does not make, or that is empty."""


def collect(artifacts: Artifacts, source: Path, outputs: Mapping[str, Path]) -> dict[str, int]:
    """Fill the output artifacts.

    Args:
        artifacts: the buildspec's section.
        source: folder of the primary source.
        outputs: output artifact -> empty folder.

    Returns:
        Output artifact -> number of files.

    Raises:
        ArtifactError: nothing is there for one of them.
    """
    return {
        name: _collect(name, _section(artifacts, name, outputs), source, folder)
        for name, folder in outputs.items()
    }


def _section(artifacts: Artifacts, name: str, outputs: Mapping[str, Path]) -> Artifact:
    """Choose as CodeBuild does: the only output is the primary artifact, and several go by their names."""
    if name in artifacts.secondary:
        return artifacts.secondary[name]
    if len(outputs) == 1 and artifacts.files:
        return artifacts
    raise ArtifactError(f"the buildspec makes no artifact {name}")


def _collect(name: str, section: Artifact, source: Path, target: Path) -> int:
    base = source / section.base_directory
    if not base.is_dir():
        raise ArtifactError(f"no matching base directory path found for {section.base_directory}")
    excluded = [_pattern(text) for text in section.exclude_paths]
    count = 0
    for text in section.files:
        found = 0
        pattern = _pattern(text)
        for relative in _files(base):
            if pattern.fullmatch(relative) and not any(one.fullmatch(relative) for one in excluded):
                _copy(
                    base / relative,
                    target / (Path(relative).name if section.discard_paths else relative),
                    section,
                )
                found += 1
        if not found:
            raise ArtifactError(f"no matching artifact paths found for {text} of {name}")
        count += found
    return count


def _files(base: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(base):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]  # noqa: PTH114, PTH118
        for name in sorted([*files, *links]):
            yield Path(folder, name).relative_to(base).as_posix()


def _copy(path: Path, target: Path, section: Artifact) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not section.enable_symlinks:
        shutil.copytree(path, target, dirs_exist_ok=True)
    else:
        shutil.copy2(path, target, follow_symlinks=not section.enable_symlinks)


def _pattern(text: str) -> re.Pattern[str]:
    """Translate a pattern: `**` stands for any folders, `*` and `?` for what is within one name."""
    parts: Sequence[str] = re.findall(r"\*\*/|\*\*|\*|\?|[^*?]+", text.removeprefix("./").strip("/"))
    meanings = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meanings.get(part) or re.escape(part) for part in parts), re.DOTALL)

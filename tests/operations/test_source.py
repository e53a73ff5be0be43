import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.errors import CommandError
from operations.source import content_hash, source_files

# Names that collide where parts are joined without their lengths, and a file named as a folder of another tree.
NAMES = st.sampled_from(["a", "b", "ab", "a/b", "a/ab", "b/a/a", "é", "a b", "-rf"])
CONTENTS = st.sampled_from([b"", b"a", b"b", b"ab", b"\x00", b"a\nb", bytes(8)])
TREES = st.dictionaries(NAMES, st.tuples(CONTENTS, st.booleans()), max_size=5).filter(
    lambda tree: (
        not any(f"{name}/" in other for name in tree for other in tree if other.startswith(f"{name}/"))
    )
)
Tree = dict[str, tuple[bytes, bool]]
PINNED = "8634a1560f425eea991f67d2bd3a5f4e4ffdececabaf05b51e1bf1f24621cee4"


def write(folder: Path, tree: Tree, *, times: tuple[int, int] = (0, 0), backwards: bool = False) -> Path:
    (folder / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    for name, (content, executable) in sorted(tree.items(), reverse=backwards):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o755 if executable else 0o644)
        os.utime(file, times)
    return folder


def hashed(tree: Tree, *, backwards: bool = False, times: tuple[int, int] = (0, 0)) -> str:
    with TemporaryDirectory() as folder:
        return content_hash(write(Path(folder), tree, times=times, backwards=backwards), "arm64")


@given(TREES, TREES)
@settings(max_examples=200, deadline=None)
def test_two_sources_have_the_same_hash_exactly_if_they_are_the_same(one: Tree, other: Tree) -> None:
    assert (hashed(one) == hashed(other)) == (one == other)


@given(TREES, st.integers(0, 2**31))
@settings(max_examples=50, deadline=None)
def test_neither_times_nor_the_order_of_creation_change_the_hash(tree: Tree, time: int) -> None:
    assert hashed(tree) == hashed(tree, backwards=True, times=(time, time))


@given(TREES, NAMES, CONTENTS)
@settings(max_examples=100, deadline=None)
def test_a_changed_byte_or_mode_changes_the_hash(tree: Tree, name: str, content: bytes) -> None:
    if name not in tree:
        return
    (before, executable) = tree[name]
    assert hashed({**tree, name: (before + b"!", executable)}) != hashed(tree)
    assert hashed({**tree, name: (before, not executable)}) != hashed(tree)


def test_the_architecture_is_part_of_the_hash(tmp_path: Path) -> None:
    write(tmp_path, {"manage.py": (b"", True)})
    assert content_hash(tmp_path, "arm64") != content_hash(tmp_path, "x86_64")


def test_the_stage_of_the_dockerfile_is_part_of_the_hash(tmp_path: Path) -> None:
    write(tmp_path, {"manage.py": (b"", True)})
    assert len({content_hash(tmp_path, "arm64", target) for target in (None, "prod", "dev")}) == 3


def test_a_link_counts_by_its_target_and_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"a": (b"same", False), "b": (b"same", False)})
    link = tmp_path / "link"
    link.symlink_to("a")
    before = content_hash(tmp_path, "arm64")
    link.unlink()
    link.symlink_to("b")
    assert content_hash(tmp_path, "arm64") != before
    assert [str(file) for file in source_files(tmp_path)] == ["Dockerfile", "a", "b", "link"]


def test_a_link_to_a_folder_is_listed_once_and_a_loop_ends(tmp_path: Path) -> None:
    write(tmp_path, {"folder/file": (b"", False)})
    (tmp_path / "folder" / "loop").symlink_to("..")
    assert [str(file) for file in source_files(tmp_path)] == ["Dockerfile", "folder/file", "folder/loop"]


def test_ignored_files_do_not_change_the_hash(tmp_path: Path) -> None:
    write(tmp_path, {".dockerignore": (b"**/__pycache__\n.venv\n", False), "app.py": (b"", False)})
    before = content_hash(tmp_path, "arm64")
    for name in (".venv/bin/python", "__pycache__/app.pyc", "deep/__pycache__/app.pyc"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"anything")
    assert content_hash(tmp_path, "arm64") == before


def test_the_dockerfile_counts_even_if_it_is_ignored(tmp_path: Path) -> None:
    write(tmp_path, {".dockerignore": (b"Dockerfile\n", False)})
    before = content_hash(tmp_path, "arm64")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nUSER 1000\n", encoding="utf-8")
    assert content_hash(tmp_path, "arm64") != before


def test_the_hash_of_a_source_stays_the_same_from_release_to_release(tmp_path: Path) -> None:
    """Another value here means that every image is built again: raise the recipe on purpose, not by accident."""
    write(tmp_path, {"manage.py": (b"print()\n", True), "project/settings.py": (b"", False)})
    assert content_hash(tmp_path, "arm64") == PINNED


def test_fails_without_a_dockerfile(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no Dockerfile"):
        content_hash(tmp_path, "arm64")


def test_fails_on_what_cannot_be_sent(tmp_path: Path) -> None:
    write(tmp_path, {})
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CommandError, match="neither a file nor a link"):
        content_hash(tmp_path, "arm64")

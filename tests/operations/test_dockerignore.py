from pathlib import Path

import pytest

from operations.dockerignore import read_dockerignore


def excluded(folder: Path, lines: str, path: str) -> bool:
    (folder / ".dockerignore").write_text(lines, encoding="utf-8")
    return read_dockerignore(folder).excludes(path)


# What Docker's reference says of .dockerignore files, and what its matcher does where the text is silent.
@pytest.mark.parametrize(
    ("lines", "path", "expected"),
    [
        ("# comment", "# comment", False),
        (" # no comment", "# no comment", True),
        ("*/temp*", "somedir/temporary.txt", True),
        ("*/temp*", "somedir/temp/file", True),
        ("*/temp*", "somedir/subdir/temporary.txt", False),
        ("*/*/temp*", "somedir/subdir/temporary.txt", True),
        ("temp?", "tempa", True),
        ("temp?", "temp", False),
        ("temp?", "temp/a", False),
        ("**/*.go", "main.go", True),
        ("**/*.go", "a/b/main.go", True),
        ("**/*.go", "a/b/main.goo", False),
        ("**", "a/b", True),
        ("foo/**", "foo/bar/baz", True),
        ("foo/**", "food", False),
        ("foo/**/bar", "foo/bar", True),
        ("foo/**/bar", "foo/a/b/bar", True),
        ("foo/**/bar", "foo/a/b/barn", False),
        ("/foo/bar", "foo/bar", True),
        ("foo/bar/", "foo/bar/file", True),
        ("foo", "foo", True),
        ("foo", "deep/foo", False),
        ("./foo", "foo", True),
        ("foo/../bar", "bar", True),
        (".", "anything", False),
        ("*.md\n!README.md", "README.md", False),
        ("*.md\n!README.md", "CHANGES.md", True),
        ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", True),
        ("*.md\nREADME-secret.md\n!README*.md", "README-secret.md", False),
        ("docs\n!docs/keep", "docs/keep/file", False),
        ("docs\n!docs/keep", "docs/other", True),
        ("**/secret\n!**/secret/public", "a/secret/public", False),
        ("**/secret\n!**/secret/public", "a/secret/private", True),
        ("! kept\n", "kept", False),
        ("[a-c].txt", "b.txt", True),
        ("[a-c].txt", "d.txt", False),
        ("[^a-c].txt", "d.txt", True),
        (r"\*.txt", "*.txt", True),
        (r"\*.txt", "a.txt", False),
        ("a.b+c(d)", "a.b+c(d)", True),
        ("a.b", "axb", False),
        ("[z-a]", "z", False),
        ("\ufefffoo", "foo", True),
        ("   \n\n!\n", "anything", False),
    ],
)
def test_it_reads_patterns_as_docker_does(tmp_path: Path, lines: str, path: str, expected: bool) -> None:  # noqa: FBT001
    assert excluded(tmp_path, lines, path) is expected


def test_without_a_file_nothing_is_excluded(tmp_path: Path) -> None:
    assert not read_dockerignore(tmp_path).excludes("anything")


def test_the_file_that_is_named_after_the_dockerfile_wins(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("a", encoding="utf-8")
    (tmp_path / "Dockerfile.dockerignore").write_text("b", encoding="utf-8")
    ignore = read_dockerignore(tmp_path)
    assert (ignore.excludes("a"), ignore.excludes("b")) == (False, True)


def test_an_excluded_folder_is_looked_into_only_if_something_may_be_kept(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("docs", encoding="utf-8")
    assert read_dockerignore(tmp_path).excludes_folder("docs")
    (tmp_path / ".dockerignore").write_text("docs\n!**/keep.txt", encoding="utf-8")
    assert not read_dockerignore(tmp_path).excludes_folder("docs")

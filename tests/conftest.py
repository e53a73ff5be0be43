"""Fixtures: organizations are synthesized once per test run and then read as JSON."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from config import Configuration
from config.images import PLACEHOLDER_DIGEST, Image
from operations.checks import REHEARSAL_FOLDERS
from operations.node import ROOT
from tests import documents
from tests.assembly import Assembly, Json

if TYPE_CHECKING:
    from tests.kept import Kept

Synthesize = Callable[..., Assembly]

SHARED = ("kept", "side_by_side")
"""Fixtures that many tests use and that take a minute: they are made once, in one process."""
GROUPS = "lz_groups"
E2E = "e2e"
ALONE = "test_rehearse"
"""File whose tests share nothing else: each starts an organization of its own."""
LONG = (ALONE, "test_rehearsal_checks", "test_foreign", "test_pipeline_new_workload")
"""Files with tests of half a minute and more: were they last, one process would end before the other."""


class Grouped(LoadScopeScheduling):  # type: ignore[misc]
    """Gives tests to processes in the groups that `pytest_collection_modifyitems` wrote down.

    xdist's own groups are part of a test's id, which pytest 9 no longer lets it change: each test went its own way.
    """

    groups: Mapping[str, str] | None = None

    def _split_scope(self, nodeid: str) -> str:
        if self.groups is None:
            self.groups = json.loads(_groups_file().read_text(encoding="utf-8"))
        return self.groups.get(nodeid, nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Grouped | None:
    """Take our scheduler for groups, and xdist's for all else."""
    if config.getvalue("dist") != "loadgroup":
        return None
    return Grouped(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process, before it collects, where it writes the groups down."""
    if node.config.getvalue("dist") == "loadgroup":
        node.workerinput[GROUPS] = str(_groups_file())


@pytest.hookimpl
def pytest_sessionfinish() -> None:
    """Take the file of groups away; a process that replaced a crashed one has written it again."""
    _groups_file().unlink(missing_ok=True)


def _groups_file() -> Path:
    return Path(tempfile.gettempdir()) / f"lz-groups-{os.getpid()}.json"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tell two processes side by side what belongs together: a rehearsal, or a file with fixtures of its own.

    All end-to-end tests need an organization. What takes longest begins first, or one process would end long before
    the other.
    """
    order: dict[pytest.Item, int] = {}
    groups: dict[str, str] = {}
    folders = [ROOT / folder for folder in REHEARSAL_FOLDERS]
    for item in items:
        if item.path.parent.name == E2E:
            item.add_marker(pytest.mark.rehearsal)
        if item.get_closest_marker("rehearsal") is not None:
            if not any(item.path.is_relative_to(folder) for folder in folders):
                message = f"{item.nodeid}: ./lz test would not run it; it looks in {REHEARSAL_FOLDERS}"
                raise pytest.UsageError(message)
            shared = next((name for name in SHARED if name in getattr(item, "fixturenames", ())), None)
            alone = item.name if item.path.stem == ALONE else item.path.stem
            groups[item.nodeid] = shared or alone
            order[item] = {"kept": 1, "side_by_side": 3}.get(shared or "", 4 if item.path.stem in LONG else 5)
            if item.path.parent.name == E2E:
                order[item] = 2  # of `kept` too: after the tests that look at it as it was deployed
            if "sample_organization" in item.name:
                order[item] = 0  # the whole pipeline, with every check in its Synth
    items.sort(key=lambda item: order.get(item, 5))
    if file := getattr(config, "workerinput", {}).get(GROUPS):
        draft = Path(f"{file}.{os.getpid()}")
        draft.write_text(json.dumps(groups), encoding="utf-8")
        draft.replace(file)


def only_once(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """Fail if another process of this run has made the same: it costs minutes, and its tests belong together."""
    folder = _shared_folder(tmp_path_factory)
    try:
        (folder / f"{name}.made").touch(exist_ok=False)
    except FileExistsError:
        pytest.fail(f"two processes of this run make {name}: its tests are not in one group")


def _shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all processes of this run have in common."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Kept"]:
    """The whole organization, rehearsed as people do it and left up; a test that breaks something mends it again.

    While you work on a test, LZ_TEST_KEPT names the temporary folder (TMPDIR) of one that is up already, with its
    report (`./lz rehearse --keep --json`) as report.json.
    """
    from tests.kept import Kept  # noqa: PLC0415 (most tests need none)

    if folder := os.environ.get("LZ_TEST_KEPT"):
        yield Kept(Path(folder))
        return
    only_once(tmp_path_factory, "kept")
    # Not below pytest's own folder: sockets in it must have short paths.
    temporary = Path(tempfile.mkdtemp(prefix="lz-kept-"))
    running = Kept(temporary)
    try:
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(temporary, ignore_errors=True)


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """Return a function that builds an organization from a document, and remembers it.

    Its further arguments: the digest of every image, and the workloads that have one, if not all have; the others get
    the placeholder. The processes of a parallel run share what any of them has built.
    """
    shared = _shared_folder(tmp_path_factory) / "assemblies"
    shared.mkdir(exist_ok=True)
    known: dict[str, Assembly] = {}

    def synthesized(
        document: Json, digest: str = documents.DIGEST, built: Collection[str] | None = None
    ) -> Assembly:
        names = document["workloads"]
        digests = {name: digest if built is None or name in built else PLACEHOLDER_DIGEST for name in names}
        text = json.dumps([{**document, "$schema": None}, digests])
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        if key not in known:
            directory = shared / key
            with (shared / f"{key}.lock").open("w") as lock:
                flock(lock, LOCK_EX)
                if not directory.exists():
                    _build(document, digests, directory)
            known[key] = Assembly(directory)
        return known[key]

    return synthesized


def _build(document: Json, digests: Mapping[str, str], directory: Path) -> None:
    """Synthesize next to the final place, so that nobody takes half an assembly for a whole one."""
    import app  # noqa: PLC0415 -- it starts Node and loads the CDK, which most rehearsal tests do without

    configuration = documents.configured(document)
    unfinished = directory.with_suffix(".unfinished")
    app.build(
        configuration,
        {name: Image(digest) for name, digest in digests.items()},
        outdir=str(unfinished),
        validate_templates=False,
    ).synth()
    unfinished.rename(directory)


@pytest.fixture(scope="session")
def organization(synthesize: Synthesize) -> Assembly:
    """The sample organization."""
    return synthesize(documents.sample())


@pytest.fixture(scope="session", params=["sample", "ours"])
def every_organization(synthesize: Synthesize, request: pytest.FixtureRequest) -> Assembly:
    """The sample, and the organization that is really configured."""
    return synthesize(documents.sample() if request.param == "sample" else documents.ours())


@pytest.fixture(scope="session")
def configuration() -> Configuration:
    """The sample's configuration."""
    return documents.configured(documents.sample())

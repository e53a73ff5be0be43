"""What of MiniStack's state several threads share (see `internals.py`).

MiniStack answers most requests in one thread, on its event loop, and may walk through a dict there while it stands
still. In a rehearsal others work beside the loop: actions of the pipeline, the agent that gives tasks their
credentials, CloudFormation's worker threads, ECS and RDS with all their requests, whoever forwards the logs of a task.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from rehearsal.emulator.internals import internal, main_loop
from rehearsal.emulator.steady import SteadyDict

Result = TypeVar("Result")

_SCOPED = ("AccountScopedDict", "AccountRegionScopedDict")
_TIMEOUT_SECONDS = 60.0

# Stores that are plain dicts, that one thread walks through and another changes. A test finds those of MiniStack's
# modules used here whose functions loop over them by name. It does not find loops in methods, dicts that are made
# elsewhere or are inside of others, nor what walks without a loop or behind a call, as `list(store.items())` does.
_PLAIN: Mapping[str, str] = {"ministack.services.sts": "_sessions"}


class _LogGroups(SteadyDict[Any, Any]):
    """Log groups by name; the streams within one are shared as well: each task's forwarder adds its own."""

    __slots__ = ()

    def __setitem__(self, name: Any, group: Any) -> None:
        """Keep a group."""
        group["streams"] = SteadyDict(group["streams"])
        super().__setitem__(name, group)


def keep_stores_steady() -> None:
    """Let no way through MiniStack's stores fail because another thread changes them.

    Raises:
        RuntimeError: a store is not what it was when this was written.
    """
    _keep_scoped_stores_steady()
    for module_name, name in _PLAIN.items():
        store = internal(module_name, name)
        if type(store) is not dict:
            raise RuntimeError(f"{module_name}.{name} is no dict any more, but {type(store).__name__}")
        setattr(sys.modules[module_name], name, SteadyDict(store))
    groups = internal("ministack.services.cloudwatch_logs", "_log_groups")
    if groups._data:
        raise RuntimeError("there are log groups before the emulator has started")
    groups._data = _LogGroups()
    _keep_task_records_steady()


def _keep_scoped_stores_steady() -> None:
    """Nearly all state is in dicts by account, or account and region, with one dict behind each of them."""
    kinds = tuple(internal("ministack.core.responses", name) for name in _SCOPED)

    def begin(store: Any) -> None:
        store._data = SteadyDict()

    def restore(kind: Any, data: Mapping[Any, Any]) -> Any:
        made = kind()
        made._data.update(data)
        return made

    for kind in kinds:
        kind.__init__ = begin
        kind.from_dict = classmethod(restore)
        kind.to_dict = lambda store: store._data.copy()
    # Those of modules that are imported already; the others begin so.
    for name, module in list(sys.modules.items()):
        if name.startswith("ministack."):
            for store in list(vars(module).values()):
                if isinstance(store, kinds) and type(store._data) is dict:
                    store._data = SteadyDict(store._data)


def _keep_task_records_steady() -> None:
    """A task's threads add members to its record and to its service's while a request tells what is in them."""
    module = sys.modules["ministack.services.ecs"]
    tell = internal("ministack.services.ecs", "_sanitize")

    def told(record: Any) -> Any:
        # A dict's own copy is made in one step. MiniStack calls this by its name for what is within.
        return tell(record.copy() if isinstance(record, dict) else record)

    module._sanitize = told  # type: ignore[attr-defined]


def on_loop(act: Callable[[], Result]) -> Result:
    """Do something on the event loop, where MiniStack does it: between two requests, and not beside one.

    Args:
        act: does it; in the account and region in scope here. It must not wait for anything.
    """
    loop = main_loop()
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    if loop is None or running is loop:
        return act()
    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(act())
        except BaseException as error:
            done.set_exception(error)

    loop.call_soon_threadsafe(run)  # in a copy of this thread's context
    return done.result(_TIMEOUT_SECONDS)

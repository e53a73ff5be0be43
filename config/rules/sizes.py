"""Sizes: tasks that Fargate offers, limits in order, and what production needs to be safe."""

from collections.abc import Iterator

from config.fargate import MEMORY_OF_CPU, cpu_for, memory_for, next_memory
from config.problems import Finding, Place
from config.rules.view import Environment, View

_SMALLEST_IN_PRODUCTION = {
    ("web", "min_tasks"): (2, "one task would take the site down whenever it is replaced"),
    ("database", "backup_days"): (7, "a mistake is often noticed only after a weekend"),
}


def check(view: View) -> Iterator[Finding]:
    """Apply the rules about sizes."""
    for environment in view.environments():
        for part in ("web", "worker"):
            yield from _fargate(view, (*environment.place, part))
            yield from _in_order(view, (*environment.place, part), "min_tasks", "max_tasks")
        database = (*environment.place, "database")
        yield from _in_order(view, database, "min_capacity", "max_capacity")
        yield from _pause(view, database)
        if environment.is_production:
            yield from _production(view, environment)


def _fargate(view: View, place: Place) -> Iterator[Finding]:
    cpu, memory = view.get(*place, "cpu"), view.get(*place, "memory")
    if cpu is not None and cpu not in MEMORY_OF_CPU:
        sizes = ", ".join(map(str, MEMORY_OF_CPU))
        nearest = min(MEMORY_OF_CPU, key=lambda size: abs(size - cpu))
        advice = (
            f"write {nearest}" if cpu >= min(MEMORY_OF_CPU) else f"write {cpu_of_vcpu(cpu)}: 1024 is one vCPU"
        )
        yield Finding((*place, "cpu"), "not a CPU size of Fargate", sizes, advice)
        return
    if cpu is None or memory is None or memory in MEMORY_OF_CPU[cpu]:
        return
    fitting = cpu_for(memory)
    if fitting:
        fix = f"choose one of these, or cpu {' or '.join(map(str, fitting))}, which offers {memory}"
    else:
        fix = f"write {_fit(cpu, next_memory(memory))}; no CPU size offers {memory}"
    written = "memory" if view.is_written(*place, "memory") or not view.is_written(*place, "cpu") else "cpu"
    yield Finding(
        (*place, written),
        f"Fargate does not offer {memory} MiB with {cpu} CPU units",
        f"with cpu {cpu}: {memory_for(cpu)}",
        fix,
    )


def cpu_of_vcpu(vcpu: int) -> int:
    """Return the CPU size of a number of vCPUs, or the smallest size: people write 1 for 1024."""
    return vcpu * 1024 if vcpu * 1024 in MEMORY_OF_CPU else min(MEMORY_OF_CPU)


def _fit(cpu: int, memory: int) -> int:
    return min(MEMORY_OF_CPU[cpu], key=lambda size: abs(size - memory))


def _in_order(view: View, place: Place, least: str, most: str) -> Iterator[Finding]:
    low, high = view.get(*place, least), view.get(*place, most)
    if low is None or high is None or low <= high:
        return
    key = least if view.is_written(*place, least) or not view.is_written(*place, most) else most
    yield Finding(
        (*place, key),
        f"{least} ({low}) is above {most} ({high})",
        f"{least} not above {most}",
        f"raise {most} to {low} or more, or lower {least} to {high}",
    )


def _pause(view: View, place: Place) -> Iterator[Finding]:
    minutes, least = view.get(*place, "auto_pause_minutes"), view.get(*place, "min_capacity")
    if minutes is not None and least is not None and least > 0:
        yield Finding(
            (*place, "auto_pause_minutes"),
            f"a database with min_capacity {least} never pauses",
            "auto_pause_minutes only with min_capacity 0",
            "set min_capacity to 0, or remove auto_pause_minutes",
        )


def _production(view: View, environment: Environment) -> Iterator[Finding]:
    for (part, key), (least, reason) in _SMALLEST_IN_PRODUCTION.items():
        value = view.get(*environment.place, part, key)
        if value is not None and value < least:
            yield Finding(
                (*environment.place, part, key),
                f"too little for production: {reason}",
                f"{least} or more in production",
                f"write {least}, or leave it out",
            )
    database = (*environment.place, "database")
    if view.get(*database, "deletion_protection") is False:
        yield Finding(
            (*database, "deletion_protection"),
            "production's database must be protected from deletion",
            "true in production",
            "write true, or leave it out",
        )
    if view.get(*database, "min_capacity") == 0:
        yield Finding(
            (*database, "min_capacity"),
            "production's database must not sleep: the first visitor would wait 15 seconds or more",
            "0.5 or more in production",
            "write 0.5, or leave it out",
        )

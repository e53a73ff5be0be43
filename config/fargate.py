"""The CPU and memory pairs that Fargate offers to Linux tasks."""

from collections.abc import Mapping
from types import MappingProxyType

# CPU units -> MiB. Source: Amazon ECS Developer Guide, "Task CPU and memory" of Fargate
# (docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size).
# A test compares the table with the one in cfn-lint.
MEMORY_OF_CPU: Mapping[int, tuple[int, ...]] = MappingProxyType(
    {
        256: (512, 1024, 2048),
        512: tuple(range(1024, 4096 + 1, 1024)),
        1024: tuple(range(2048, 8192 + 1, 1024)),
        2048: tuple(range(4096, 16384 + 1, 1024)),
        4096: tuple(range(8192, 30720 + 1, 1024)),
        8192: tuple(range(16384, 61440 + 1, 4096)),
        16384: tuple(range(32768, 122880 + 1, 8192)),
        32768: (61440, 122880, 249856),
    }
)


def memory_for(cpu: int) -> str:
    """Say which memory sizes a CPU size allows: `512, 1024 or 2048`, or a range in steps."""
    return _in_words(MEMORY_OF_CPU[cpu])


def cpu_for(memory: int) -> tuple[int, ...]:
    """List the CPU sizes that offer this much memory; empty if none does."""
    return tuple(cpu for cpu, sizes in MEMORY_OF_CPU.items() if memory in sizes)


def next_memory(memory: int) -> int:
    """Return the smallest memory size on offer that is not below the wish, or the largest there is."""
    sizes = sorted({size for pairs in MEMORY_OF_CPU.values() for size in pairs})
    return next((size for size in sizes if size >= memory), sizes[-1])


def _in_words(sizes: tuple[int, ...]) -> str:
    if len(sizes) <= 4:  # noqa: PLR2004
        return f"{', '.join(map(str, sizes[:-1]))} or {sizes[-1]}"
    return f"{sizes[0]} to {sizes[-1]} in steps of {sizes[1] - sizes[0]}"

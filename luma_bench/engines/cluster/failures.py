"""What goes wrong on a cluster: which of it another try may mend, and what the caller is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from luma_bench.errors import (
    CancelledError,
    CorruptionError,
    EngineError,
    KadeQLError,
    LumaError,
    RemoteError,
    ResourceError,
)

if TYPE_CHECKING:
    from luma_bench.plan.cluster.stages import Stage

_INTERNAL_COLUMN = re.compile(r" (?:when casting )?from source column c\d+")


class RowsLost(EngineError):
    """Rows that a task handed on cannot be read any more; the task has to run again.

    Attributes
    ----------
    stage, task, attempt
        Which one; a stage of -1 for rows that the driver put there.
    """

    def __init__(self, stage: int, task: int, attempt: int, problem: str) -> None:
        self.stage = stage
        self.task = task
        self.attempt = attempt
        super().__init__(f"What task {task} of stage {stage} handed on is lost: {problem}.")


class Unreachable(EngineError):
    """A cluster that does not answer; nothing ran on it.

    Attributes
    ----------
    problem
        What was tried and how it failed.
    reason
        All of it in a few words.
    """

    def __init__(self, cluster: str, problem: str) -> None:
        self.problem = problem.rstrip(".")
        self.reason = f"the cluster ({cluster}) does not answer: {self.problem}"
        super().__init__(
            f"The cluster ({cluster}) does not answer: {self.problem}.",
            hint="Check the address and that its scheduler runs.",
        )


def may_mend(error: BaseException) -> bool:
    """Whether the task may succeed on another worker: the fault may be that one's disk, network or memory."""
    if isinstance(error, KadeQLError | ResourceError):
        return False
    return isinstance(error, CorruptionError | RemoteError | EngineError | OSError | MemoryError)


def told(error: BaseException, stage: Stage, worker: str) -> LumaError:
    """The error of a task as the caller sees it: the embedded engine's class, without the fragment's own text."""
    if isinstance(error, KadeQLError):
        plain = _INTERNAL_COLUMN.sub("", error.plain)
        return type(error)(plain, hint=error.hint)
    if isinstance(error, CancelledError):
        return EngineError(
            f"Workers gave a task of '{stage.purpose or stage.number}' up, each time it was tried anew."
        )
    if isinstance(error, LumaError):
        return error
    name = type(error).__name__
    at = f" on worker {worker}" if worker else ""
    if name == "KilledWorker":
        return ResourceError(
            f"Worker processes died while they ran a task of '{stage.purpose or stage.number}', each time it was tried anew; "
            "most often the system or Dask ended them for taking too much memory.",
            hint="Give workers more memory, run fewer threads in each, or read less; the last worker's log says more.",
        )
    if isinstance(error, MemoryError):
        return ResourceError.memory(f"a task of '{stage.purpose or stage.number}'{at}.")
    if isinstance(error, ModuleNotFoundError | ImportError | AttributeError):
        return EngineError(
            f"A worker cannot run fragments: {error}.",
            hint="Install luma-bench on every worker, in the version that runs here.",
        )
    return EngineError(
        f"A task of '{stage.purpose or stage.number}' failed{at}: {name}: {error}.",
        hint="Look at the worker's log.",
    )


def lost_cluster(why: str) -> EngineError:
    """The cluster was restarted, or its scheduler is gone, while a query ran."""
    return EngineError(
        f"The query was lost with its cluster: {why}. Nothing was changed.",
        hint="Run it again: the next query connects anew. Without a cluster, engine='duckdb' runs it here.",
    )

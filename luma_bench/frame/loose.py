"""Frames that belong to no bench: what runs them, which the room above says once, when `luma_bench` hands out its frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

from luma_bench.errors import UnsupportedError
from luma_bench.types.executor import Executor


class FileExecutor(Executor, Protocol):
    """An executor that reads files, once they were named to it."""

    def allow(self, names: Sequence[str]) -> None:
        """Let it read these paths, globs and URLs."""
        ...


class HasExecutor(Protocol):
    """A bench, as this room sees it."""

    def executor(self) -> Executor:
        """What frames of it run on."""
        ...


class Loose:
    """The one place that knows how frames without a bench are run."""

    _find: ClassVar[tuple[Callable[[], FileExecutor], ...]] = ()

    @classmethod
    def run_on(cls, find: Callable[[], FileExecutor]) -> None:
        """Say what gives the executor."""
        cls._find = (find,)

    @classmethod
    def executor(cls) -> FileExecutor:
        """The executor of frames without a bench.

        Raises
        ------
        UnsupportedError
            `luma_bench` was never asked for its frames.
        """
        if not cls._find:
            raise UnsupportedError(
                "Nothing runs frames that belong to no bench.",
                hint="Take DataFrame from luma_bench: import luma_bench as lb; lb.DataFrame(data).",
            )
        return cls._find[0]()


def executor_of(bench: HasExecutor | None) -> Executor:
    """What frames of a bench run on, or frames of none."""
    return Loose.executor() if bench is None else bench.executor()


def bench_of(con: Any, what: str) -> HasExecutor:
    """What was given as a connection, which has to be a bench.

    Raises
    ------
    UnsupportedError
        It is none.
    """
    if hasattr(con, "executor") and hasattr(con, "kadeql"):
        return con
    raise UnsupportedError(
        f"{what}() works on a bench, not on a {type(con).__name__}.",
        hint="For another database, go through pandas: lb.from_pandas(pandas.read_sql(…)), frame.to_pandas().to_sql(…).",
    )

"""The engine protocol: what a fragment is, what an engine gets, and what it must give back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from luma_bench.types.limits import Limits
from luma_bench.types.scan import ScanCounters, ScanSource
from luma_bench.types.schema import ROWS_PREFIX, rows_relation
from luma_bench.types.sequence import Sequence as Sequence_

__all__ = [
    "ROWS_PREFIX",
    "Engine",
    "FileInputs",
    "Inputs",
    "RunningFragment",
    "SequenceInput",
    "SqlFragment",
    "View",
    "rows_relation",
]


@dataclass(frozen=True, slots=True)
class SqlFragment:
    """An opaque SELECT (or DESCRIBE, SUMMARIZE, EXPLAIN of one) in DuckDB's dialect, with `$name` parameters.

    `text` is what runs; whoever made it maps offsets in it back to the user's text.
    """

    text: str
    params: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class FileInputs:
    """Files that a fragment reads besides the bench's tables, none of which any snapshot holds.

    Attributes
    ----------
    paths
        Real absolute paths; an engine opens these and nothing else.
    arrow
        Arrow IPC files by the name of the relation that they are read under.
    nbytes
        What the files have together.
    """

    paths: tuple[str, ...] = ()
    arrow: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    nbytes: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """A view, ready to be made: its query in the engine's dialect, and the names of its first columns."""

    name: str
    sql: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SequenceInput:
    """A sequence that a fragment takes values of, under the name `alias`.

    Attributes
    ----------
    takes
        Whether it takes new values; else it only asks for the `current` one.
    last
        Gives the value that was taken last by anybody; None before the first.
    current
        Gives the value that the caller took last; None when it took none.
    advance
        Claims the values after the first argument up to the second; False when others took values meanwhile.
    """

    alias: str
    sequence: Sequence_
    takes: bool
    last: Callable[[], int | None]
    current: Callable[[], int | None]
    advance: Callable[[int | None, int], bool]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a fragment may read, by name: pinned scan sources, Arrow relations, and where to count what was read.

    `relations` are Arrow-capable objects (`__arrow_c_stream__`): islands' outputs and the caller's own tables.
    A relation hides a source of the same name. `known` names every table at the snapshot, read or not: an unknown name
    is answered with the nearest of them. `views` read the sources, the relations and the views before them, under their
    own names: no CTE of the fragment hides one of these from a view. An error in a view points into its SQL. `files` is None where the fragment reads none.
    """

    sources: Mapping[str, ScanSource]
    relations: Mapping[str, Any] = field(default_factory=dict[str, Any])
    counters: ScanCounters = field(default_factory=ScanCounters)
    known: tuple[str, ...] = ()
    views: tuple[View, ...] = ()
    files: FileInputs | None = None
    limits: Limits | None = None
    sequences: tuple[SequenceInput, ...] = ()

    @property
    def names(self) -> list[str]:
        """Every name that a text could have meant."""
        return list(dict.fromkeys((*self.known, *self.sources, *self.relations)))


class RunningFragment(Protocol):
    """A fragment that an engine runs now."""

    @property
    def thread(self) -> int:
        """The identifier of the thread that asked for it."""
        ...

    @property
    def started(self) -> float:
        """When it began, by `time.perf_counter`."""
        ...

    @property
    def text(self) -> str:
        """What runs."""
        ...

    @property
    def progress(self) -> float | None:
        """The fraction done, never falling; None while it is unknown."""
        ...

    def stop(self) -> None:
        """Stop it, from any thread."""
        ...


class Engine(Protocol):
    """Turns a fragment into Arrow. Capabilities are flags, and nobody asks an engine for its name to decide."""

    @property
    def name(self) -> str:
        """The name run records carry."""
        ...

    @property
    def looks_up(self) -> bool:
        """Whether it scans nothing: what it supports is its own at once, at next to no cost."""
        ...

    @property
    def reason(self) -> str:
        """Why the router takes it, for an engine that `looks_up`: what the run record says."""
        ...

    def supports(self, fragment: SqlFragment, inputs: Inputs | None = None) -> str | None:
        """None when this engine can run the fragment, else the reason it cannot; without inputs the text alone is judged."""
        ...

    def run(self, fragment: SqlFragment, inputs: Inputs) -> pa.Table:
        """Run to the end.

        Raises
        ------
        KadeQLError
            The fragment does not parse, bind or convert; it points into `fragment.text`.
        CancelledError
            `cancel` was called.
        EngineError
            Anything else that the engine reports. An error of a scan source comes out as it was raised.
        """
        ...

    def stream(self, fragment: SqlFragment, inputs: Inputs) -> pa.RecordBatchReader:
        """Run as a stream: batches come as the engine makes them; dropping the reader stops it."""
        ...

    def cancel(self) -> int:
        """Stop every running query of this engine; how many there were."""
        ...

    def running(self) -> Sequence[RunningFragment]:
        """What runs now, open streams too, oldest first."""
        ...

    def progress(self) -> float | None:
        """The fraction done of the newest running query (rows read over rows expected), None when idle or unknown."""
        ...

    def close(self) -> None:
        """Stop what runs and release every resource."""
        ...

"""The engine protocol: what a fragment is, what an engine gets, and what it must give back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from luma_bench.plan.profile import PlanTree
from luma_bench.types.executor import Divided
from luma_bench.types.limits import Limits
from luma_bench.types.record import NodeRecord
from luma_bench.types.scan import ScanCounters, ScanSource
from luma_bench.types.schema import ROWS_PREFIX, rows_relation
from luma_bench.types.sequence import Sequence as Sequence_

__all__ = [
    "ROWS_PREFIX",
    "Engine",
    "Estimate",
    "Fallback",
    "FileInputs",
    "Inputs",
    "RunReport",
    "RunningFragment",
    "SequenceInput",
    "SqlFragment",
    "SupportsDivide",
    "SupportsPlan",
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


class Fallback(Exception):
    """An engine gives its fragment back while it runs it: another engine shall run it from its beginning.

    A signal between an engine and what runs fragments, never an error that a user sees: the fragment is run again, which the
    run record counts and shows, or `strict` makes it an error. Something that is wrong with the question, the data or the
    machine is no reason to give a fragment back; it is raised as what it is.

    Parameters
    ----------
    reason
        Why, in lower case and without a full stop: "the memory of worker 3 does not hold its part of the join".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an engine expects a fragment to cost, before anything is planned or read.

    Attributes
    ----------
    seconds
        From start to the complete answer.
    memory
        The working set in bytes: what must be held at the same time, not what is read.
    why_not
        Why the engine would rather not, or cannot, run it here; empty when nothing speaks against it.
    detail
        What the figure is made of, for EXPLAIN: "40 fragments on 8 workers, 2 rounds".
    """

    seconds: float
    memory: int = 0
    why_not: str = ""
    detail: str = ""


@dataclass(slots=True)
class RunReport:
    """What an engine has to tell of a run besides its rows; it adds, and the run record carries it.

    Attributes
    ----------
    ran_on, reason
        The engine that gave the answer, where another one than was chosen did, and why.
    fallbacks
        A sentence for each time that an engine gave the fragment back and another one ran it again.
    measures
        Whether the run is to be measured, operator by operator: set before it.
    tree
        The operators with what each of them did, from an engine that measures them.
    """

    nodes: list[NodeRecord] = field(default_factory=list[NodeRecord])
    warnings: list[str] = field(default_factory=list[str])
    ran_on: str = ""
    reason: str = ""
    fallbacks: list[str] = field(default_factory=list[str])
    measures: bool = False
    tree: PlanTree | None = None


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
    report: RunReport = field(default_factory=RunReport)

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

    @property
    def automatic(self) -> bool:
        """Whether `auto` may take it, now; any engine runs when it is asked for by name."""
        ...

    @property
    def complete(self) -> bool:
        """Whether it runs every statement that reads: what others give back, or cannot run, runs on it."""
        ...

    @property
    def explains(self) -> bool:
        """Whether it runs EXPLAIN and DESCRIBE of what it supports; else the complete engine does."""
        ...

    def supports(self, fragment: SqlFragment, inputs: Inputs | None = None) -> str | None:
        """None when this engine can run the fragment, else the reason it cannot; without inputs the text alone is judged."""
        ...

    def estimate(self, fragment: SqlFragment, inputs: Inputs) -> Estimate | None:
        """What running it would cost, in microseconds and without planning it; None where the engine cannot tell."""
        ...

    def run(self, fragment: SqlFragment, inputs: Inputs) -> pa.Table:
        """Run to the end.

        Raises
        ------
        Fallback
            The engine gives the fragment back, nothing of its answer having been handed on.
        KadeQLError
            The fragment does not parse, bind or convert; it points into `fragment.text`.
        CancelledError
            `cancel` was called.
        EngineError
            Anything else that the engine reports. An error of a scan source comes out as it was raised.
        """
        ...

    def stream(self, fragment: SqlFragment, inputs: Inputs) -> pa.RecordBatchReader:
        """Run as a stream: batches come as the engine makes them; dropping the reader stops it.

        Raises like `run`, the reader too; a fragment can be given back until its first batch.
        """
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


@runtime_checkable
class SupportsDivide(Protocol):
    """An engine that tells whether a fragment may be answered part by part of a table."""

    def divide(self, fragment: SqlFragment, inputs: Inputs, parts: int | None) -> Divided | None:
        """The fragment as the same query over each of at most `parts` parts (None: of a convenient size) of its one table.

        None where a row of the answer needs more than one row of the table. Nothing runs.
        """
        ...


@runtime_checkable
class SupportsPlan(Protocol):
    """An engine that shows how it would run a fragment."""

    def plan(self, fragment: SqlFragment, inputs: Inputs) -> PlanTree:
        """The operators with their estimates; nothing runs. Called for fragments that it supports.

        Raises
        ------
        Fallback
            It cannot tell after all.
        """
        ...

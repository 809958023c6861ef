"""A relation that an island answers, as a scan source: columns and rows that a query asks for, made while it reads.

The work runs on a thread of its own; while it lasts, the stream yields empty batches, so that the engine can look whether
the statement was cancelled or is out of time.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa

from luma_bench.errors import ResourceError
from luma_bench.models.control import Control
from luma_bench.types.identity import Identity
from luma_bench.types.predicate import Predicate
from luma_bench.types.record import NodeRecord
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import Column

_WAIT = 0.05
_AHEAD = 4


class IslandRelation(ABC):
    """What islands share as scan sources: matches and algorithms of graphs, windows and joins of series; `_batches` is theirs.

    Attributes
    ----------
    name
        What messages and plans call it.
    identity
        Who asks.
    model
        What kind of data it is about, for plans and messages.
    lean
        What to do when there is no memory left for it.
    """

    model = "graph"
    lean = (
        "Bound the pattern (a start, fewer repeats), close what else holds memory, or lower the setting "
        "memory_limit: a graph query then stops in time, or is answered by joins."
    )

    def __init__(self, name: str, schema: pa.Schema, identity: Identity) -> None:
        self.name = name
        self.identity = identity
        self._schema = schema
        self._lock = threading.Lock()
        self.streamed = 0

    @property
    def schema(self) -> pa.Schema:
        """`_rowid`, then the columns that the query reads."""
        return self._schema

    def rows(self) -> int:
        """The rows that are expected."""
        return 1_000

    @abstractmethod
    def prepare(self) -> None:
        """Do what can be done before the engine asks, on the thread of whoever runs the statement."""

    @property
    def starting(self) -> Mapping[str, Column]:
        """The columns whose values it could start from, by their folded names; none where a start is known already."""
        return {}

    @property
    def keys(self) -> Mapping[str, Column]:
        """The columns whose values could be asked for first, by their folded names; none where the rows are many."""
        return {}

    def start(self, name: str, keys: pa.Array, kind: str) -> bool:
        """Give only rows whose value of a column is one of the keys; False where that would not help.

        Parameters
        ----------
        kind
            The SQL type of the column.
        """
        return False

    def accepts(self, predicate: Predicate) -> bool:
        """Whether the relation applies a predicate exactly."""
        return False

    def stored_columns(self, column: str) -> tuple[str, ...] | None:
        """The columns of tables, as `table.column`, that a column's values are of; None where it is computed."""
        return None

    def lines(self) -> list[str]:
        """How it is answered, for EXPLAIN."""
        return []

    def warnings(self) -> tuple[str, ...]:
        """What was met that the run record should say."""
        return ()

    def record(self, label: str, engine: str) -> NodeRecord:
        """The relation as a node of the run record."""
        return NodeRecord(
            f"{self.model} {self.name}", engine, rows=self.streamed, detail="; ".join(self.lines())
        )

    def stream(
        self, columns: Sequence[int] | None, predicates: Sequence[Predicate], counters: ScanCounters
    ) -> pa.RecordBatchReader:
        """Batches of exactly `columns`, of the rows where every predicate is TRUE."""
        wanted = list(range(len(self._schema)) if columns is None else columns)
        schema = pa.schema([self._schema.field(index) for index in wanted])
        control = self.control()
        found, at_once = self._batches(schema.names, predicates, counters, control)
        batches = self._counted(found)
        made = batches if at_once else watched(batches, schema, control)
        return pa.RecordBatchReader.from_batches(schema, made)

    def control(self) -> Control:
        """What the work of one stream is held to."""
        return Control()

    def _counted(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            for batch in batches:
                with self._lock:
                    self.streamed += batch.num_rows
                yield batch
        except MemoryError as error:
            raise ResourceError(
                f"The machine has no memory left for this {self.model} query.",
                hint=self.lean,
            ) from error

    @abstractmethod
    def _batches(
        self, names: list[str], predicates: Sequence[Predicate], counters: ScanCounters, control: Control
    ) -> tuple[Iterator[pa.RecordBatch], bool]:
        """The batches, and whether they are made before anybody could want to stop them."""
        ...


def watched(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, control: Control
) -> Iterator[pa.RecordBatch]:
    """The batches, made on a thread of their own, with empty ones between them while they are awaited."""
    made: queue.Queue[pa.RecordBatch | BaseException | None] = queue.Queue(_AHEAD)
    work = threading.Thread(target=_fill, args=(batches, made, control.stop), name="luma-island", daemon=True)
    empty = nothing(schema)
    work.start()
    try:
        while True:
            try:
                item = made.get(timeout=_WAIT)
            except queue.Empty:
                yield empty
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        control.stop.set()
        with contextlib.suppress(queue.Empty):
            while True:
                made.get_nowait()


def _fill(
    batches: Iterator[pa.RecordBatch],
    made: queue.Queue[pa.RecordBatch | BaseException | None],
    stop: threading.Event,
) -> None:
    try:
        for batch in batches:
            if not _put(made, batch, stop):
                return
        _put(made, None, stop)
    except BaseException as error:  # noqa: BLE001 - it is raised again by whoever reads
        _put(made, error, stop)


def _put(
    made: queue.Queue[pa.RecordBatch | BaseException | None],
    item: pa.RecordBatch | BaseException | None,
    stop: threading.Event,
) -> bool:
    while not stop.is_set():
        try:
            made.put(item, timeout=_WAIT)
            return True
        except queue.Full:
            continue
    return False


def nothing(schema: pa.Schema) -> pa.RecordBatch:
    """A batch without rows."""
    return pa.RecordBatch.from_arrays([pa.nulls(0, item.type) for item in schema], schema=schema)


def batch_of(arrays: list[pa.Array], schema: pa.Schema, rows: int) -> pa.RecordBatch:
    """A batch of some columns, which may be none: then of `rows` rows all the same."""
    if arrays:
        return pa.RecordBatch.from_arrays(arrays, schema=schema)
    return pa.RecordBatch.from_arrays([pa.nulls(rows)], names=["none"]).select([])


def timed[T](make: Callable[[], T]) -> tuple[T, float]:
    """What `make` gives, and the seconds that it took."""
    started = time.perf_counter()
    return make(), time.perf_counter() - started

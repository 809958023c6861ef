"""Several parts of a table as one scan source: what one task reads of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from luma_bench.types.predicate import Predicate
from luma_bench.types.scan import ScanCounters, ScanPart, ScanSource


class PartsSource:
    """The rows of some parts, one part after the other; at least one part tells the columns.

    Parameters
    ----------
    total
        The task's figures.
    empty
        Whether none of the rows are given.

    Attributes
    ----------
    counters
        What was read of this table.
    """

    def __init__(self, sources: Sequence[ScanSource], total: ScanCounters, *, empty: bool = False) -> None:
        self._first = sources[0]
        self._sources = () if empty else tuple(sources)
        self.counters = ScanCounters(parent=total)

    @classmethod
    def opened(cls, parts: Sequence[ScanPart], total: ScanCounters, *, empty: bool = False) -> PartsSource:
        """The parts, opened in this process."""
        return cls([part.open() for part in parts], total, empty=empty)

    @property
    def name(self) -> str:
        """The table's name."""
        return self._first.name

    @property
    def schema(self) -> pa.Schema:
        """`_rowid`, then the table's columns."""
        return self._first.schema

    def rows(self) -> int:
        """The rows of all of them."""
        return sum(source.rows() for source in self._sources)

    def accepts(self, predicate: Predicate) -> bool:
        """Whether every part applies `predicate` exactly."""
        return all(source.accepts(predicate) for source in self._sources)

    def stream(
        self, columns: Sequence[int] | None, predicates: Sequence[Predicate], counters: ScanCounters
    ) -> pa.RecordBatchReader:
        """The streams of the parts, each opened when the one before it is at its end; they count where the source does."""
        schema = self.schema if columns is None else pa.schema([self.schema.field(i) for i in columns])
        return pa.RecordBatchReader.from_batches(schema, self._batches(columns, predicates))

    def _batches(
        self, columns: Sequence[int] | None, predicates: Sequence[Predicate]
    ) -> Iterator[pa.RecordBatch]:
        for source in self._sources:
            yield from source.stream(columns, predicates, self.counters)


def figures_read(sources: Iterable[PartsSource]) -> dict[str, tuple[int, ...]]:
    """What was read, by table: rows, bytes, segments read and pruned, chunks read and pruned."""
    found: dict[str, tuple[int, ...]] = {}
    for source in sources:
        own = source.counters
        figures = (
            own.rows_read, own.bytes_read, own.segments_read, own.segments_pruned, own.chunks_read, own.chunks_pruned
        )  # fmt: skip
        before = found.get(source.name, (0,) * len(figures))
        found[source.name] = tuple(a + b for a, b in zip(before, figures, strict=True))
    return found

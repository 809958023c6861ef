"""A scan source that also keeps its own share of a statement's figures, for the run record's nodes."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.plan.profile import ScanFigures
from luma_bench.types.predicate import And, Comparison, In, IsNull, Not, Or, Predicate
from luma_bench.types.record import NodeRecord
from luma_bench.types.scan import (
    FoundRow,
    ScanCounters,
    ScanPart,
    ScanPiece,
    ScanSource,
    SupportsLookup,
    SupportsPieces,
    SupportsSplit,
)
from luma_bench.types.schema import TableSchema
from luma_bench.types.statistics import ScanStatistics, SupportsStatistics


@dataclass(slots=True)
class StreamFigures:
    """One stream of a source: what it was asked for, its own figures, and the rows it gave where they are counted."""

    columns: frozenset[str]
    applied: tuple[str, ...]
    counters: ScanCounters
    rows_out: int = field(default=0)


class MeteredScan:
    """A source, its own counters under the statement's, and the predicates that it applied.

    Attributes
    ----------
    streams
        Every stream that was opened, in order.
    traced
        Whether the rows that each stream gives are counted.
    table_rows
        The rows of the whole table, of which a rule may leave some out.
    """

    def __init__(self, source: ScanSource, total: ScanCounters) -> None:
        self._source = source
        self.counters = ScanCounters(parent=total)
        self.streams: list[StreamFigures] = []
        self.traced = False
        self.table_rows = source.rows()
        self._applied: dict[str, None] = {}
        self._segments: dict[str, object] = {}

    @property
    def name(self) -> str:
        """The table's name."""
        return self._source.name

    @property
    def schema(self) -> pa.Schema:
        """`_rowid`, then the table's columns."""
        return self._source.schema

    def rows(self) -> int:
        """The number of rows that a scan without predicates yields."""
        return self._source.rows()

    def accepts(self, predicate: Predicate) -> bool:
        """Whether the source applies `predicate` exactly."""
        return self._source.accepts(predicate)

    def stream(
        self, columns: Sequence[int] | None, predicates: Sequence[Predicate], counters: ScanCounters
    ) -> pa.RecordBatchReader:
        """The source's stream; its figures reach `counters` through this source's own share."""
        applied = tuple(predicate_text(predicate) for predicate in predicates)
        self._applied.update((text, None) for text in applied)
        names = self.schema.names
        wanted = frozenset(names if columns is None else (names[i] for i in columns))
        figures = StreamFigures(wanted, applied, ScanCounters(parent=self.counters))
        self.streams.append(figures)
        stream = self._source.stream(columns, predicates, figures.counters)
        if not self.traced:
            return stream
        return pa.RecordBatchReader.from_batches(stream.schema, _counted(stream, figures))

    @property
    def statistics(self) -> ScanStatistics | None:
        """The source's statistics, where it offers them."""
        return self._source.statistics if isinstance(self._source, SupportsStatistics) else None

    def narrow(self, source: ScanSource) -> None:
        """Read this source from now on: the same rows without chunks that cannot matter to the statement."""
        self._source = source

    @property
    def table(self) -> TableSchema | None:
        """The table, when the source finds rows by key."""
        return self._source.table if isinstance(self._source, SupportsLookup) else None

    def find(self, key: Sequence[object], counters: ScanCounters) -> FoundRow | None:
        """The source's row of a key; its figures reach `counters` through this source's own share."""
        return self._source.find(key, self.counters) if isinstance(self._source, SupportsLookup) else None

    def pieces(
        self, predicates: Sequence[Predicate] = (), counters: ScanCounters | None = None
    ) -> Sequence[ScanPiece] | None:
        """The source's pieces, where it has some; what it prunes is counted in this source's own share."""
        if not isinstance(self._source, SupportsPieces):
            return None
        return self._source.pieces(predicates, self.counters)

    def split(
        self,
        parts: int,
        columns: Sequence[int] | None = None,
        predicates: Sequence[Predicate] = (),
        counters: ScanCounters | None = None,
    ) -> Sequence[ScanPart] | None:
        """The source's parts, where it can be read elsewhere; what it prunes is counted in this source's own share."""
        if not isinstance(self._source, SupportsSplit):
            return None
        return self._source.split(parts, columns, predicates, self.counters)

    @property
    def undivided(self) -> str | None:
        """Why `split` gives None; None where it gives parts."""
        if isinstance(self._source, SupportsSplit):
            return self._source.undivided
        return "its rows are filtered or masked by policies, which only the bench evaluates"

    def live(self, piece: ScanPiece) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
        """Which of the stored rows of a piece are not deleted; None where none is."""
        return self._in_pieces().live(piece)

    def column_key(self, column: int) -> Hashable:
        """What names the values of a column in the form that is streamed."""
        return self._in_pieces().column_key(column)

    def read_piece(
        self,
        piece: ScanPiece,
        columns: Sequence[int],
        counters: ScanCounters,
        first: int = 0,
        rows: int | None = None,
        *,
        deleted: bool = False,
    ) -> pa.RecordBatch:
        """Rows of a piece; the figures reach the statement through this source's own share, each segment once."""
        mark = object()
        if piece.segment and self._segments.setdefault(piece.segment, mark) is mark:
            self.counters.add(segments=1)
        return self._in_pieces().read_piece(piece, columns, self.counters, first, rows, deleted=deleted)

    def _in_pieces(self) -> SupportsPieces:
        if not isinstance(self._source, SupportsPieces):
            raise TypeError(f"{self.name!r} has no pieces")
        return self._source

    def figures(self, label: str) -> ScanFigures:
        """What all streams of the scan read together, under the name that the statement has for the table."""
        own = self.counters
        return ScanFigures(
            label, self.table_rows, tuple(self._applied), (), own.rows_read, own.bytes_read,
            own.segments_read, own.segments_pruned, own.chunks_read, own.chunks_pruned,
        )  # fmt: skip

    def record(self, label: str, engine: str) -> NodeRecord:
        """The scan as a node of the run record."""
        own = self.counters
        parts = [f"segments {own.segments_read} read, {own.segments_pruned} pruned"]
        parts.append(f"chunks {own.chunks_read} read, {own.chunks_pruned} pruned")
        if self._applied:
            parts.append(f"applied {', '.join(self._applied)}")
        return NodeRecord(
            f"scan {label}",
            engine,
            rows_estimated=self.rows(),
            rows=own.rows_read,
            nbytes=own.bytes_read,
            detail="; ".join(parts),
        )


def _counted(stream: pa.RecordBatchReader, figures: StreamFigures) -> Iterator[pa.RecordBatch]:
    for batch in stream:
        figures.rows_out += batch.num_rows
        yield batch


def predicate_text(predicate: Predicate) -> str:
    """A predicate as people read it; constants are cut at 40 characters."""
    match predicate:
        case Comparison():
            return f"{predicate.column} {predicate.op} {_value(predicate.value, predicate.type)}"
        case In():
            shown = ", ".join(_value(value, predicate.type) for value in predicate.values[:4])
            return f"{predicate.column} IN ({shown}{', …' if len(predicate.values) > 4 else ''})"
        case IsNull():
            return f"{predicate.column} IS {'NOT ' if predicate.negated else ''}NULL"
        case And():
            return f"({predicate_text(predicate.left)} AND {predicate_text(predicate.right)})"
        case Or():
            return f"({predicate_text(predicate.left)} OR {predicate_text(predicate.right)})"
        case Not():
            return f"NOT {predicate_text(predicate.operand)}"


def _value(value: object, kind: str) -> str:
    if kind == "TIMESTAMP WITH TIME ZONE" and isinstance(value, int):
        import datetime as dt

        moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=value)
        return f"'{moment.isoformat(sep=' ')}'"
    text = repr(value) if isinstance(value, str | bytes) else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"

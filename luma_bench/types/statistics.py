"""What a table's statistics can prove: which chunks cannot matter to a query, and answers without reading rows.

A source that offers its statistics lets rules of the bench use them. One that shows less than the whole table (behind row
filters or column masks) does not offer them: bounds and counts would tell what it hides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import pyarrow as pa

from luma_bench.types.predicate import Predicate
from luma_bench.types.scan import ScanCounters, ScanSource
from luma_bench.types.schema import TableSchema


@dataclass(frozen=True, slots=True)
class Matching:
    """Only rows where `predicate` is TRUE can matter."""

    predicate: Predicate


@dataclass(frozen=True, slots=True)
class TopRows:
    """Only the first `count` rows in the order of `column` can matter, of those where every predicate is TRUE.

    Rows that tie with the last of them matter too. The order is SQL's: NaN above every number.
    """

    column: str
    descending: bool
    nulls_first: bool
    count: int
    where: tuple[Predicate, ...] = ()


Skip = Matching | TopRows


@dataclass(frozen=True, slots=True)
class Skipped:
    """A source that leaves out chunks which cannot matter; what is left of a chunk is not filtered.

    Attributes
    ----------
    rows, rows_left
        Rows of the table, and of the chunks that are left.
    chunks, chunks_left
        The same in chunks.
    """

    source: ScanSource
    rows: int
    rows_left: int
    chunks: int
    chunks_left: int


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """A column over some rows: how many values are not NULL, and the least and greatest as scalars of its written type.

    A bound that was not asked for, or that has no value, is None. NaN is the greatest number.
    """

    valid: int | None
    low: pa.Scalar | None
    high: pa.Scalar | None


@dataclass(frozen=True, slots=True)
class Summary:
    """Some rows of a table without the rows: their number where it was wanted, and the columns that were."""

    rows: int
    columns: Mapping[str, ColumnSummary]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a summary must say of a column."""

    column: str
    valid: bool = False
    low: bool = False
    high: bool = False


class ScanStatistics(Protocol):
    """The statistics of a pinned table. Nothing here reads rows, but what takes counters, and that few."""

    @property
    def table(self) -> TableSchema:
        """The table at the snapshot."""
        ...

    @property
    def chunks(self) -> int:
        """The number of row chunks, about: every segment is taken to have full ones."""
        ...

    def overlap(self, column: str) -> float:
        """The share of the chunks that one value of the column may lie in, on average; 1 where nothing can be told."""
        ...

    def share(self, predicates: Sequence[Predicate]) -> float | None:
        """The share of the rows that likely pass every predicate, by the bounds; None where nothing can be told."""
        ...

    def skipping(self, skips: Sequence[Skip], counters: ScanCounters) -> Skipped | None:
        """The source without the chunks that cannot matter; None where too few can be left out.

        `counters` are told what is read of the few chunks that come first in an order, to see how many rows pass.
        """
        ...

    def can_summarize(self, wanted: Sequence[Wanted], predicates: Sequence[Predicate], *, rows: bool) -> bool:
        """Whether `summarize` will answer, reading no more than a few chunks."""
        ...

    def summarize(
        self, wanted: Sequence[Wanted], predicates: Sequence[Predicate], counters: ScanCounters, *, rows: bool
    ) -> Summary | None:
        """What is wanted of the rows where every predicate is TRUE, exactly; None where a predicate is not exact here.

        `rows` says whether their number is wanted. What the statistics leave open is read, whatever it takes.
        """
        ...


@runtime_checkable
class SupportsStatistics(Protocol):
    """A source whose statistics may be used and shown."""

    @property
    def statistics(self) -> ScanStatistics | None:
        """The statistics; None where the source has none after all."""
        ...

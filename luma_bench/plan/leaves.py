"""Where plans begin: stored tables, tables in memory, files; and what every node keeps about itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from luma_bench.errors import SchemaError
from luma_bench.plan.registry import Kind

if TYPE_CHECKING:
    from luma_bench.plan.nodes import Node


@dataclass(slots=True)
class Memo:
    """What was worked out about one node; never part of what it is equal to."""

    kinds: Mapping[str, Kind] | None = None
    schema: pa.Schema | None = None
    names: tuple[str, ...] | None = None


def distinct(names: Sequence[str], where: str) -> tuple[str, ...]:
    """The names, refused when two differ by case alone: SQL could not tell them apart."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.get(name.casefold())
        if other is not None:
            raise SchemaError(
                f"{where} would have the columns {other!r} and {name!r}; names must differ by more than case.",
                hint="Rename one of them, or use other suffixes.",
            )
        seen[name.casefold()] = name
    if not names:
        raise SchemaError(f"{where} would have no columns.", hint="Keep at least one column.")
    return tuple(names)


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of an order. NULLs stand where `nulls_last` says, whichever the direction."""

    name: str
    descending: bool = False
    nulls_last: bool = True

    @property
    def reversed(self) -> SortKey:
        """The key of the opposite order."""
        return SortKey(self.name, not self.descending, not self.nulls_last)


@dataclass(frozen=True, slots=True)
class Table:
    """A scan of a stored table or a view at a snapshot.

    Attributes
    ----------
    arrow
        The exact schema that was written.
    order
        The order that the table declares (`sort_by`): what methods that need an order take, before the row id.
    stored
        Whether its rows have row ids; those of a view have none.
    row_id
        The name of the column of row ids, when it is handed out before the table's own.
    """

    name: str
    snapshot: int
    arrow: pa.Schema
    order: tuple[SortKey, ...] = ()
    stored: bool = True
    row_id: str | None = None
    memo: Memo = field(default_factory=Memo, init=False, compare=False, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The table's columns in order."""
        if self.memo.names is None:
            own = tuple(self.arrow.names)
            self.memo.names = own if self.row_id is None else (self.row_id, *own)
        return self.memo.names

    @property
    def children(self) -> tuple[Node, ...]:
        """No inputs."""
        return ()

    def with_children(self, children: Sequence[Node]) -> Node:
        """Itself: it has none."""
        return self


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """A table in memory that takes part in a plan; it travels beside the text, under a name that `render` gives it.

    With `row_id` the positions of its rows come first, as a column of that name.
    """

    data: pa.Table = field(repr=False)
    row_id: str | None = None
    memo: Memo = field(default_factory=Memo, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        distinct(self.data.column_names, "The table in memory")

    @property
    def arrow(self) -> pa.Schema:
        """The schema of the data."""
        return self.data.schema

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns in order."""
        if self.memo.names is None:
            own = tuple(self.data.column_names)
            self.memo.names = own if self.row_id is None else (self.row_id, *own)
        return self.memo.names

    @property
    def children(self) -> tuple[Node, ...]:
        """No inputs."""
        return ()

    def with_children(self, children: Sequence[Node]) -> Node:
        """Itself: it has none."""
        return self


@dataclass(frozen=True, slots=True)
class Files:
    """Files as a relation: `function` is `read_parquet`, `read_csv` or `read_json`; `arrow` what the engine says they hold."""

    function: str
    paths: tuple[str, ...]
    options: tuple[tuple[str, object], ...]
    arrow: pa.Schema
    memo: Memo = field(default_factory=Memo, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        distinct(self.arrow.names, "The files")

    @property
    def names(self) -> tuple[str, ...]:
        """Their columns in order."""
        if self.memo.names is None:
            self.memo.names = tuple(self.arrow.names)
        return self.memo.names

    @property
    def children(self) -> tuple[Node, ...]:
        """No inputs."""
        return ()

    def with_children(self, children: Sequence[Node]) -> Node:
        """Itself: it has none."""
        return self

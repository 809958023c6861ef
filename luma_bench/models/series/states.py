"""States: what an aggregate keeps of a group of rows, as arrays with one row a group, and how rows are read to make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, Self, runtime_checkable

import numpy as np

from luma_bench.models.series.groups import Groups
from luma_bench.models.series.runs import Array, Bools, Ints, Runs, Values


class Interleaved(Exception):
    """Signal: rows of one group come from several runs whose times overlap, and an aggregate needs them in order of time.

    The caller sorts these rows together (series by the grouping keys) and runs the operator again.
    """


class State(Protocol):
    """The state of one kind of many groups."""

    def take(self, rows: Ints | slice) -> Self:
        """The states of some groups."""
        ...

    def put(self, rows: Ints, other: Self) -> Self:
        """The same, with other states at some places; it may change in place, being the caller's own."""
        ...

    def after(self, others: Sequence[Self]) -> Self:
        """These, and others behind them."""
        ...

    @property
    def nbytes(self) -> int:
        """What it takes."""
        ...


@dataclass(frozen=True, slots=True)
class Flat:
    """A state of fixed size: arrays with one row a group."""

    arrays: dict[str, Array]

    def __getitem__(self, name: str) -> Array:
        return self.arrays[name]

    def take(self, rows: Ints | slice) -> Flat:
        """The states of some groups."""
        return Flat({name: array[rows] for name, array in self.arrays.items()})

    def put(self, rows: Ints, other: Flat) -> Flat:
        """The same, with other states at some places, in place."""
        for name, array in self.arrays.items():
            array[rows] = other.arrays[name]
        return self

    def after(self, others: Sequence[Flat]) -> Flat:
        """These, and others behind them."""
        return Flat(
            {
                name: np.concatenate([array, *(other[name] for other in others)])
                for name, array in self.arrays.items()
            }
        )

    @property
    def nbytes(self) -> int:
        """What it takes."""
        return sum(array.nbytes for array in self.arrays.values())


class Kind[S: State](Protocol):
    """What a state is made of: `partial` makes it from rows, `join` puts neighbours together, left before right.

    Attributes
    ----------
    ordered
        The rows of `left` have to come before those of `right`.
    """

    ordered: ClassVar[bool]

    def partial(self, rows: Rows) -> S:
        """The states of the groups of a stretch."""
        ...

    def join(self, left: S, right: S, *, checked: bool) -> S:
        """Group by group. Raises Interleaved where order matters and is not so; not looked at unless `checked`."""
        ...


@runtime_checkable
class Reducing[S: State](Protocol):
    """A kind whose neighbours are put together at once, however many there are."""

    def reduced(self, states: S, begins: Ints) -> S:
        """The groups of neighbours that begin at `begins`, the first of them at 0: one state each."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """Those rows of groups that have a value in every column asked for.

    Attributes
    ----------
    rows
        Their places in the stretch; None for all.
    begins
        Where each group that has such rows begins among them.
    which
        Those groups; None for all.
    sizes
        int64, the rows of each of these groups.
    """

    rows: Ints | None
    begins: Ints
    which: Ints | None
    sizes: Ints

    def of(self, array: Array) -> Array:
        """These rows of a column."""
        return array if self.rows is None else array[self.rows]

    def spread(self, array: Array, groups: int, empty: float | bool = 0) -> Array:
        """One row for every group of the stretch: `empty` for those without such rows."""
        if self.which is None:
            return array
        whole = np.full(groups, empty, array.dtype)
        whole[self.which] = array
        return whole

    @property
    def ends(self) -> Ints:
        """The last row of each group among them."""
        return self.begins + self.sizes - 1


@dataclass(slots=True)
class Rows:
    """The rows of a stretch in their groups; what several kinds ask for is made once.

    Attributes
    ----------
    unit
        Nanoseconds of one unit of time.
    first
        The stored number of the stretch's first stored row.
    """

    runs: Runs
    columns: dict[str, Values]
    groups: Groups
    unit: int
    first: int
    _made: dict[tuple[str, ...], Array] = field(default_factory=dict[tuple[str, ...], Array])
    _kept: dict[tuple[str, ...], Kept] = field(default_factory=dict[tuple[str, ...], Kept])

    @property
    def begins(self) -> Ints:
        """Where each group begins."""
        return self.groups.cuts[:-1]

    @property
    def sizes(self) -> Ints:
        """The rows of each group."""
        made = self._made.get(("sizes",))
        if made is None:
            made = self._made[("sizes",)] = self.groups.sizes
        return made

    def valid(self, columns: tuple[str, ...]) -> Bools | None:
        """Where all columns have a value; None: everywhere."""
        masks = [mask for name in columns if (mask := self.columns[name].valid) is not None]
        if not masks:
            return None
        whole = masks[0]
        for mask in masks[1:]:
            whole = whole & mask
        return whole

    def counts(self, column: str) -> Ints:
        """The values of each group."""
        valid = self.columns[column].valid
        if valid is None:
            return self.sizes
        made = self._made.get(("counts", column))
        if made is None:
            made = np.add.reduceat(valid.view(np.uint8), self.begins, dtype=np.int64)
            self._made["counts", column] = made
        return made

    def floats(self, column: str) -> Array:
        """A column as float64, 0 where it has no value."""
        values = self.columns[column]
        if values.valid is None and values.data.dtype == np.float64:
            return values.data
        made = self._made.get(("floats", column))
        if made is None:
            data = values.data
            if values.valid is not None:
                data = np.where(values.valid, data, data.dtype.type(0))
            made = self._made["floats", column] = data.astype(np.float64, copy=False)
        return made

    def sums(self, column: str) -> Array:
        """The sum of each group as float64."""
        made = self._made.get(("sums", column))
        if made is None:
            made = self._made["sums", column] = np.add.reduceat(self.floats(column), self.begins)
        return made

    def kept(self, columns: tuple[str, ...]) -> Kept:
        """The rows that have a value in all columns, by group."""
        made = self._kept.get(columns)
        if made is not None:
            return made
        valid = self.valid(columns)
        if valid is None or bool(valid.all()):
            made = Kept(None, self.begins, None, self.sizes)
        else:
            before = np.zeros(len(valid) + 1, np.int64)
            np.cumsum(valid, out=before[1:])
            begins = before[self.groups.cuts]
            sizes = np.diff(begins)
            which = np.flatnonzero(sizes)
            made = Kept(np.flatnonzero(valid), begins[which], which, sizes[which])
        self._kept[columns] = made
        return made

    def places(self, rows: Ints) -> Ints:
        """The stored numbers of some rows."""
        return self.first + (rows if self.runs.order is None else self.runs.order[rows])

    def seconds(self, before: Ints, after: Ints) -> Array:
        """The seconds between times that ascend."""
        return seconds(before, after, self.unit)


def seconds(before: Ints, after: Ints, unit: int) -> Array:
    """The seconds from earlier to later times, float64; right for differences beyond int64 too."""
    return (after - before).view(np.uint64).astype(np.float64) * unit / 1e9

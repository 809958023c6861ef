"""A frame's rows as Python's, NumPy's and Arrow's values: `to_dict`, `to_numpy`, `itertuples`, `iter_batches`."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self, cast

import pyarrow as pa

from luma_bench.errors import UnsupportedError
from luma_bench.frame.base import Frame
from luma_bench.frame.rows import python_columns, same_rows
from luma_bench.frame.schemas import pieces

if TYPE_CHECKING:
    from luma_bench.frame.series import Series

_ORIENTS = ("dict", "list", "split", "tight", "records", "index")
_ROWS = 65_536


class Leaving(Frame):
    """Ways out of a frame into values; each runs the query."""

    __slots__ = ()

    def iter_batches(self, rows: int = _ROWS) -> Iterator[pa.RecordBatch]:
        """The rows as Arrow batches of `rows` rows each (the last one of what is left), as the engine makes them.

        More rows than memory holds may pass. Leave the loop to stop the query.

        Examples
        --------
        >>> [batch.num_rows for batch in lb.from_dict({"x": range(5)}).iter_batches(2)]
        [2, 2, 1]
        """
        if rows < 1:
            raise UnsupportedError(f"Batches of {rows} rows hold nothing.", hint="Give at least 1.")
        return pieces(self.to_reader(), rows)

    def items(self) -> Iterator[tuple[str, Series]]:
        """Each column's name and its lazy Series; nothing runs.

        Examples
        --------
        >>> [name for name, column in lb.from_dict({"x": [1], "y": [2]}).items()]
        ['x', 'y']
        """
        for name in self._plan.names:
            yield name, cast("Any", self)[name]

    def itertuples(self, index: bool = False, name: str | None = "Row") -> Iterator[Any]:
        """The rows as named tuples, as the engine makes them; plain tuples when `name` is None.

        A column whose name is no Python identifier is called by its place, `_1`, as in pandas.

        Parameters
        ----------
        index
            There is no index: False.

        Examples
        --------
        >>> [row.x for row in lb.from_dict({"x": [1, 2]}).itertuples()]
        [1, 2]
        """
        _no_index(index, "itertuples")
        make: Callable[[Any], Any] = tuple
        if name is not None:
            fields = list(self._plan.names)
            # Its fields are known when it runs.
            make = cast("Any", namedtuple)(name, fields, rename=True)._make
        for batch in _growing(self.to_reader()):
            yield from map(make, zip(*python_columns(batch), strict=True))

    def iterrows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The rows' numbers in the answer and the rows as dictionaries; `itertuples` is faster, expressions far more so.

        Examples
        --------
        >>> [(n, row["x"]) for n, row in lb.from_dict({"x": ["a", "b"]}).iterrows()]
        [(0, 'a'), (1, 'b')]
        """
        names = self.columns
        number = 0
        for batch in _growing(self.to_reader()):
            for row in zip(*python_columns(batch), strict=True):
                yield number, dict(zip(names, row, strict=True))
                number += 1

    def to_dict(self, orient: str = "dict", *, into: Any = dict, index: bool = True) -> Any:
        """The rows as dictionaries and lists of Python values.

        Parameters
        ----------
        orient
            'dict' (column → row number → value), 'list' (column → values), 'records' (a dictionary for each row),
            'split' and 'tight' (index, columns, data), 'index' (row number → column → value). Rows are numbered from 0.
        into
            The class of the dictionaries.
        index
            Whether 'split' and 'tight' hold the row numbers.

        Examples
        --------
        >>> lb.from_dict({"x": [1, 2], "t": ["a", None]}).to_dict("records")
        [{'x': 1, 't': 'a'}, {'x': 2, 't': None}]
        """
        if orient not in _ORIENTS:
            raise UnsupportedError(
                f"to_dict(orient={orient!r}) is not known.",
                hint=f"It is one of {', '.join(map(repr, _ORIENTS))}.",
            )
        table = self.to_arrow()
        names, columns = table.column_names, python_columns(table)
        rows = range(table.num_rows)
        match orient:
            case "dict":
                return into(
                    (name, into(zip(rows, values, strict=True)))
                    for name, values in zip(names, columns, strict=True)
                )
            case "list":
                return into(zip(names, columns, strict=True))
            case "records":
                return [into(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
            case "index":
                return into(
                    (n, into(zip(names, row, strict=True)))
                    for n, row in zip(rows, zip(*columns, strict=True), strict=True)
                )
            case _:
                made: list[tuple[str, Any]] = [("index", list(rows))] if index else []
                made += [("columns", names), ("data", [list(row) for row in zip(*columns, strict=True)])]
                if orient == "tight":
                    made += [("index_names", [None])] if index else []
                    made += [("column_names", [None])]
                return into(made)

    def to_numpy(self, dtype: Any = None, copy: bool = False, na_value: Any = ...) -> Any:
        """The values as one NumPy array of rows and columns, of a type that holds all of them.

        Examples
        --------
        >>> lb.from_dict({"x": [1, 2], "y": [3, 4]}).to_numpy()
        array([[1, 3],
               [2, 4]])
        """
        named = {} if na_value is ... else {"na_value": na_value}
        return self.to_pandas().to_numpy(dtype=dtype, copy=copy, **named)

    @property
    def values(self) -> Any:
        """The values as one NumPy array of rows and columns; runs the query.

        Examples
        --------
        >>> lb.from_dict({"x": [1, 2]}).values.tolist()
        [[1], [2]]
        """
        return self.to_numpy()

    def to_records(self, index: bool = False) -> Any:
        """The rows as a NumPy record array.

        Examples
        --------
        >>> lb.from_dict({"x": [1, 2]}).to_records().x.tolist()
        [1, 2]
        """
        _no_index(index, "to_records")
        return self.to_pandas().to_records(index=False)

    def equals(self, other: object) -> bool:
        """Whether another frame has the same columns, types and rows, in the same order; NULL is NULL, and NaN is NaN.

        Examples
        --------
        >>> lb.from_dict({"x": [1, None]}).equals(lb.from_dict({"x": [1, None]}))
        True
        """
        return isinstance(other, Frame) and same_rows(self.to_arrow(), other.to_arrow())

    def copy(self, deep: bool = True) -> Self:
        """The frame itself: none ever changes.

        Examples
        --------
        >>> airports.copy() is airports
        True
        """
        return self

    def pipe(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """`func(frame, *args, **kwargs)`; or, of a pair of a function and a name, with the frame as that argument.

        Examples
        --------
        >>> airports.pipe(len) == len(airports)
        True
        """
        if not isinstance(func, tuple):
            return func(self, *args, **kwargs)
        function, target = cast("tuple[Callable[..., Any], str]", func)
        if target in kwargs:
            raise UnsupportedError(f"pipe() got {target!r} twice.", hint="Leave the argument out.")
        return function(*args, **{**kwargs, target: self})

    def squeeze(self, axis: int | str | None = None) -> Any:
        """A frame of one column as its Series, of one value as that value (which runs the query); else the frame.

        Examples
        --------
        >>> lb.from_dict({"x": [7]}).squeeze()
        7
        """
        if len(self._plan.names) != 1:
            return self
        column = cast("Any", self)[self._plan.names[0]]
        return column if axis in (1, "columns") else column.squeeze()

    @property
    def size(self) -> int:
        """The number of values: rows times columns.

        Examples
        --------
        >>> lb.from_dict({"x": [1, 2], "y": [3, 4]}).size
        4
        """
        return len(self) * len(self._plan.names)

    @property
    def axes(self) -> list[Any]:
        """The numbers of the rows, as a range, and the column names.

        Examples
        --------
        >>> lb.from_dict({"x": [1, 2]}).axes
        [range(0, 2), ['x']]
        """
        return [range(len(self)), self.columns]

    @property
    def ndim(self) -> int:
        """Two: rows and columns.

        Examples
        --------
        >>> airports.ndim
        2
        """
        return 2


def _no_index(index: bool, what: str) -> None:
    if index:
        raise UnsupportedError(f"{what}(index=True): a frame has no index.", hint="Leave index= out.")


def _growing(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The batches in pieces, few rows first: who leaves after some rows has not waited for more of them as values."""
    rows = 64
    for batch in reader:
        at = 0
        while at < batch.num_rows:
            yield batch.slice(at, rows)
            at += rows
            rows = min(2 * rows, _ROWS)

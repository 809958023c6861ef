"""A column out of the engine under pandas' names: `to_dict`, `item`, `to_csv`, and what it says of its size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self, cast

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.rows import python_values, same_values
from luma_bench.frame.series_out import Out
from luma_bench.plan.nodes import Limit
from luma_bench.types.executor import Answer


class Handing(Out):
    """More ways out of a column; each runs the query but those that say otherwise."""

    __slots__ = ()

    @property
    def kadeql(self) -> str:
        """The KadeQL text that the column stands for; nothing runs.

        Examples
        --------
        >>> print(airports.iata.kadeql)
        SELECT iata FROM airports
        """
        return self.to_frame().kadeql

    def collect(self, *, engine: str = "auto", strict: bool = False) -> Answer:
        """Run and give the finished result, a table of one column, with its run record in `.run`.

        Examples
        --------
        >>> airports.iata.collect().run.engine
        'scan'
        """
        return self.to_frame().collect(engine=engine, strict=strict)

    def to_dict(self, *, into: Any = dict) -> Any:
        """The values by row number, from 0.

        Examples
        --------
        >>> lb.from_dict({"x": ["a", "b"]}).x.to_dict()
        {0: 'a', 1: 'b'}
        """
        return into(enumerate(self.to_list()))

    def items(self) -> Iterator[tuple[int, Any]]:
        """The row numbers, from 0, and the values, as the engine makes them.

        Examples
        --------
        >>> list(lb.from_dict({"x": ["a", "b"]}).x.items())
        [(0, 'a'), (1, 'b')]
        """
        number = 0
        for batch in self.to_frame().to_reader():
            for value in python_values(batch.column(0)):
                yield number, value
                number += 1

    def item(self) -> Any:
        """The one value.

        Raises
        ------
        SchemaError
            There are none, or more.

        Examples
        --------
        >>> lb.from_dict({"x": [7]}).x.item()
        7
        """
        found = self._first(2)
        if len(found) != 1:
            raise SchemaError(
                f"item() takes a Series of one value, and this one has {'none' if not found else 'more'}.",
                hint="Use .to_list(), or .iloc[n].",
            )
        return found[0]

    def squeeze(self, axis: int | str | None = None) -> Any:
        """The value of a Series of one value; else the Series.

        Examples
        --------
        >>> lb.from_dict({"x": [7]}).x.squeeze()
        7
        """
        found = self._first(2)
        return found[0] if len(found) == 1 else self

    def _first(self, count: int) -> list[Any]:
        frame = self.to_frame()
        return python_values(frame.with_plan(Limit(frame.plan, count)).to_arrow().column(0))

    def equals(self, other: object) -> bool:
        """Whether another Series has the same type and values, in the same order; NULL is NULL, and NaN is NaN.

        Examples
        --------
        >>> lb.from_dict({"x": [1, None]}).x.equals(lb.from_dict({"y": [1, None]}).y)
        True
        """
        return isinstance(other, Out) and same_values(self.to_arrow(), other.to_arrow())

    def copy(self, deep: bool = True) -> Self:
        """The Series itself: none ever changes.

        Examples
        --------
        >>> len(airports.iata.copy()) == len(airports)
        True
        """
        return self

    def pipe(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """`func(series, *args, **kwargs)`; or, of a pair of a function and a name, with the Series as that argument.

        Examples
        --------
        >>> airports.iata.pipe(len) == len(airports)
        True
        """
        if not isinstance(func, tuple):
            return func(self, *args, **kwargs)
        function, target = cast("tuple[Callable[..., Any], str]", func)
        if target in kwargs:
            raise UnsupportedError(f"pipe() got {target!r} twice.", hint="Leave the argument out.")
        return function(*args, **{**kwargs, target: self})

    @property
    def values(self) -> Any:
        """The values as a NumPy array.

        Examples
        --------
        >>> lb.from_dict({"x": [1, 2]}).x.values.tolist()
        [1, 2]
        """
        return self.to_numpy()

    @property
    def size(self) -> int:
        """The number of values, NULL among them.

        Examples
        --------
        >>> airports.iata.size == len(airports)
        True
        """
        return len(self)

    @property
    def shape(self) -> tuple[int]:
        """The number of values, as a tuple of one.

        Examples
        --------
        >>> lb.from_dict({"x": [1, 2]}).x.shape
        (2,)
        """
        return (len(self),)

    @property
    def ndim(self) -> int:
        """One; nothing runs.

        Examples
        --------
        >>> airports.iata.ndim
        1
        """
        return 1

    @property
    def empty(self) -> bool:
        """Whether there is no value.

        Examples
        --------
        >>> airports.iata.empty
        False
        """
        return not self._first(1)

    def memory_usage(self, index: bool = False, deep: bool = False) -> int:
        """The bytes that the values take in memory as Arrow.

        Examples
        --------
        >>> lb.from_dict({"x": [1, 2]}).x.memory_usage()
        16
        """
        return self.to_frame().memory_usage(index=index)[self.name]

    @property
    def nbytes(self) -> int:
        """The bytes that the values take in memory as Arrow.

        Examples
        --------
        >>> lb.from_dict({"x": [1, 2]}).x.nbytes
        16
        """
        return self.memory_usage()

    def to_csv(self, path_or_buf: Any = None, **options: Any) -> str | None:
        """Write the values as a CSV file of one column; `options` as of a frame's `to_csv`.

        Examples
        --------
        >>> print(lb.from_dict({"x": [1, 2]}).x.to_csv())
        x
        1
        2
        """
        return self.to_frame().to_csv(path_or_buf, **options)

    def to_json(self, path_or_buf: Any = None, **options: Any) -> str | None:
        r"""Write the values as JSON objects of one name; `options` as of a frame's `to_json`.

        Examples
        --------
        >>> lb.from_dict({"x": [1]}).x.to_json(lines=True)
        '{"x":1}\n'
        """
        return self.to_frame().to_json(path_or_buf, **options)

    def to_string(self, buf: Any = None, **options: Any) -> str | None:
        """The values as text, one a line, under their name; `options` as of a frame's `to_string`.

        Examples
        --------
        >>> print(lb.from_dict({"x": [1, 2]}).x.to_string())
         x
         1
         2
        """
        return self.to_frame().to_string(buf, **options)

    def to_markdown(self, buf: Any = None, *, index: bool = False) -> str | None:
        """The values as a table of Markdown of one column.

        Examples
        --------
        >>> print(lb.from_dict({"x": [1, 20]}).x.to_markdown())
        |  x |
        | -: |
        |  1 |
        | 20 |
        """
        return self.to_frame().to_markdown(buf, index=index)

    def to_reader(self) -> pa.RecordBatchReader:
        """The values as a stream of Arrow batches of one column, as the engine makes them.

        Examples
        --------
        >>> sum(batch.num_rows for batch in airports.iata.to_reader()) == len(airports)
        True
        """
        return self.to_frame().to_reader()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

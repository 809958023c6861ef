"""`series.list` and `series.struct`: elements of lists and fields of structs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.accessor import Accessor
from luma_bench.frame.expr import literal
from luma_bench.frame.text_parts import ends
from luma_bench.plan.expressions import Call
from luma_bench.plan.nodes import Project

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame
    from luma_bench.frame.series import Series


class Lists(Accessor):
    """Elements of lists; a list that is NULL gives NULL."""

    __slots__ = ()
    _word = "list"
    _holds = "lists"

    def len(self) -> Series:
        """The number of elements.

        Examples
        --------
        >>> flights.origin.str.split("F").list.len().max()
        2
        """
        return self._call("list_length")

    def get(self, i: int) -> Series:
        """The element at a place, counted from 0 or, when negative, from the end; NULL beyond it. Also `list[i]`.

        Examples
        --------
        >>> flights.origin.str.split("F").list.get(0).nunique()
        3
        """
        return self._call("list_element", i + 1 if i >= 0 else i)

    def __getitem__(self, key: Any) -> Series:
        if isinstance(key, slice):
            if key.step not in (None, 1):
                raise UnsupportedError("A slice of a list takes every element.", hint="Leave the step out.")
            first, last = ends(key.start, key.stop)
            return self._call("list_slice", first, last)
        return self.get(key)

    def contains(self, value: object) -> Series:
        """Whether a value is among the elements.

        Examples
        --------
        >>> flights.origin.str.split("F").list.contains("K").any()
        True
        """
        return self._new(Call("list_contains", (self._own, literal(value))))

    def join(self, sep: str) -> Series:
        """The elements as one text.

        Examples
        --------
        >>> flights.origin.str.split("F").list.join("-").max()
        'LGA'
        """
        return self._call("join_list", sep)

    def sort(self) -> Series:
        """The elements in ascending order.

        Examples
        --------
        >>> flights.origin.str.split("F").list.sort().name
        'origin'
        """
        return self._call("list_sort")

    def unique(self) -> Series:
        """The distinct elements.

        Examples
        --------
        >>> flights.origin.str.split("F").list.unique().name
        'origin'
        """
        return self._call("list_distinct")

    def reverse(self) -> Series:
        """The elements from the last to the first.

        Examples
        --------
        >>> flights.origin.str.split("F").list.reverse().name
        'origin'
        """
        return self._call("list_reverse")

    def sum(self) -> Series:
        """The sum of the elements.

        Examples
        --------
        >>> flights.origin.str.findall("x").list.len().sum()
        0
        """
        return self._call("list_aggregate", "sum")

    def mean(self) -> Series:
        """The mean of the elements.

        Examples
        --------
        >>> flights.origin.str.split("F").list.len().mean() > 1
        True
        """
        return self._call("list_aggregate", "avg")

    def min(self) -> Series:
        """The least element.

        Examples
        --------
        >>> flights.origin.str.split("F").list.min().nunique()
        3
        """
        return self._call("list_aggregate", "min")

    def max(self) -> Series:
        """The greatest element.

        Examples
        --------
        >>> flights.origin.str.split("F").list.max().nunique()
        3
        """
        return self._call("list_aggregate", "max")

    def flatten(self) -> Series:
        """A list of lists as one list; pandas makes rows of the elements: that is `frame.explode`.

        Examples
        --------
        >>> flights.origin.str.split("F").name
        'origin'
        """
        return self._call("flatten")


class Structs(Accessor):
    """Fields of structs; a struct that is NULL gives NULL."""

    __slots__ = ()
    _word = "struct"
    _holds = "structs"

    @property
    def dtypes(self) -> dict[str, pa.DataType]:
        """The Arrow type of each field.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"s": [{"a": 1}]})).s.struct.dtypes
        {'a': DataType(int64)}
        """
        kind = self._series.dtype
        if not pa.types.is_struct(kind):
            raise SchemaError(
                f".struct is for structs, and {self._series.name!r} holds {kind}.",
                hint="Use its own methods.",
            )
        return {field.name: field.type for field in kind}

    def field(self, name_or_index: str | int) -> Series:
        """A field by its name or its place; the Series is named after it.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"s": [{"a": 1}]})).s.struct.field("a").to_list()
        [1]
        """
        known = list(self.dtypes)
        if isinstance(name_or_index, int):
            if not -len(known) <= name_or_index < len(known):
                raise SchemaError(
                    f"There is no field at {name_or_index}; the struct has {len(known)}.",
                    hint="They are counted from 0.",
                )
            name = known[name_or_index]
        else:
            name = name_or_index
        if name not in known:
            raise SchemaError.unknown_column(name, known, "the struct")
        return self._call("field", name).rename(name)

    def explode(self) -> DataFrame:
        """A frame of a column for each field.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"s": [{"a": 1, "b": 2}]})).s.struct.explode().columns
        ['a', 'b']
        """
        columns = tuple((name, self.field(name).expression) for name in self.dtypes)
        return self._series.frame.with_plan(Project(self._series.frame.plan, columns))

"""One column of a frame, or an expression over its columns: lazy, with pandas' operators and SQL's NULL rules."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError, nearest
from luma_bench.frame.accessors import Dates, Strings
from luma_bench.frame.expr import (
    MissingAttributeError,
    constants,
    literal,
    sql_type,
)
from luma_bench.frame.operators import Operand
from luma_bench.frame.reductions import Reductions
from luma_bench.plan.expressions import Between, Call, Case, Cast, ColumnRef, IsIn, IsNull
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.nodes import Project, SortKey

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame


class Series(Operand, Reductions):
    """A lazy column: `frame["x"]`, or what operators and methods make of such columns.

    Nothing runs until values are asked for (`to_arrow`, `to_pandas`, `to_list`, iteration) or reduced (`sum()`, …).
    NULL follows SQL: an operator on NULL gives NULL, `&` and `|` are three-valued, and a filter keeps TRUE rows only.
    NaN is a value above every number and equal to itself, not a missing one.
    """

    __slots__ = ()

    # What it is

    @property
    def dtype(self) -> pa.DataType:
        """The exact Arrow type; asked of the catalog for a stored column, else of the engine's binder."""
        if isinstance(self.expression, ColumnRef):
            return self._frame.schema.field(self.expression.name).type
        return self.to_frame().schema.field(0).type

    def rename(self, name: builtins.str) -> Series:
        """The same values under another name."""
        return Series(self._frame, self.expression, name)

    def to_frame(self, name: builtins.str | None = None) -> DataFrame:
        """A frame of this one column."""
        columns = ((name or self.name, self.expression),)
        return self._frame.with_plan(Project(self._frame.plan, columns))

    # Values to values

    def isin(self, values: Iterable[object]) -> Series:
        """Whether the value is one of a list; None in the list matches NULL.

        Without None in the list a NULL gives NULL, as in SQL: `~s.isin(…)` leaves NULLs out, where pandas keeps them.
        """
        if isinstance(values, Series):
            raise UnsupportedError(
                "isin() takes a list of values, not a Series.",
                hint="Use merge(other, on=…, how='semi') or how='anti'.",
            )
        known, null = constants(values)
        return self._new(IsIn(self.expression, known, null))

    def between(
        self, left: object, right: object, inclusive: Literal["both", "neither", "left", "right"] = "both"
    ) -> Series:
        """Whether `left <= value <= right`; `inclusive` says which ends count."""
        if inclusive not in ("both", "neither", "left", "right"):
            raise UnsupportedError(
                f"inclusive={inclusive!r} is not known.", hint="It is 'both', 'neither', 'left' or 'right'."
            )
        if inclusive == "both" and not isinstance(left, Series) and not isinstance(right, Series):
            return self._new(Between(self.expression, literal(left), literal(right)))
        low = self >= left if inclusive in ("both", "left") else self > left
        high = self <= right if inclusive in ("both", "right") else self < right
        return low & high

    def isna(self) -> Series:
        """Whether the value is NULL. NaN is not NULL: see `isnan`."""
        return self._new(IsNull(self.expression))

    def notna(self) -> Series:
        """Whether the value is not NULL."""
        return self._new(IsNull(self.expression, negated=True))

    isnull = isna
    notnull = notna

    def isnan(self) -> Series:
        """Whether the value is the float NaN; NULL gives NULL."""
        return self._call("isnan")

    def fillna(self, value: object) -> Series:
        """The value, or where it is NULL, `value`: a constant or another Series. NaN stays."""
        frame, own, other = self._pair(value)
        return self._new(Call("coalesce", (own, other)), frame)

    def where(self, condition: Series, other: object = None) -> Series:
        """The value where `condition` is TRUE, else `other` (NULL by default)."""
        frame, own, test = self._pair(condition)
        otherwise = other.over(frame) if isinstance(other, Series) else literal(other)
        return self._new(Case(((test, own),), otherwise), frame)

    def mask(self, condition: Series, other: object = None) -> Series:
        """`other` (NULL by default) where `condition` is TRUE, else the value."""
        frame, own, test = self._pair(condition)
        instead = other.over(frame) if isinstance(other, Series) else literal(other)
        return self._new(Case(((test, instead),), own), frame)

    def map(self, mapping: Mapping[object, object]) -> Series:
        """What a dictionary gives for each value; NULL for a value that it does not hold.

        Raises
        ------
        UnsupportedError
            It is a function: values stay in the engine.
        """
        if callable(mapping):
            raise UnsupportedError(
                "map() takes a dictionary; Python functions do not run in an engine.",
                hint="Use operators and methods, or .to_pandas().map(…).",
            )
        branches = tuple(
            (Call("eq", (self.expression, literal(key))), literal(value)) for key, value in mapping.items()
        )
        if not branches:
            raise UnsupportedError("map() got an empty dictionary.", hint="Give at least one pair.")
        return self._new(Case(branches, Constant(None)))

    def astype(self, dtype: Any) -> Series:
        """The value as another type: a pandas, NumPy, Arrow or Python type, or its name.

        A float to an integer type drops the fraction, as in pandas. A value that does not convert is an error when it
        runs. Text of a truth value is 'true' or 'false'.
        """
        type_ = sql_type(dtype)
        whole = type_.endswith("INT") or type_ == "INTEGER"
        own = self.expression
        if whole and self.kind in ("real", "decimal"):
            own = Call("trunc", (own,))
        return self._new(Cast(own, type_))

    def abs(self) -> Series:
        """The magnitude."""
        return self._call("abs")

    def round(self, decimals: int = 0) -> Series:
        """The value rounded to `decimals` places, halves to the even neighbour, as in pandas."""
        if self.kind in ("int", "bool") and decimals >= 0:
            return self
        return self._call("round", decimals)

    def clip(self, lower: object = None, upper: object = None) -> Series:
        """The value, or the bound it is beyond. NULL and NaN stay."""
        result = self
        if lower is not None:
            frame, own, bound = result._pair(lower)
            result = self._new(Call("at_least", (own, bound)), frame)
        if upper is not None:
            frame, own, bound = result._pair(upper)
            function = "at_most_real" if result.kind == "real" else "at_most"
            result = self._new(Call(function, (own, bound)), frame)
        return result

    @property
    def str(self) -> Strings:
        """Methods on text."""
        return Strings(self)

    @property
    def dt(self) -> Dates:
        """Parts of dates and times."""
        return Dates(self)

    # Values out

    def value_counts(self, *, dropna: bool = True, ascending: bool = False) -> DataFrame:
        """A frame of each value and its `count`, most frequent first; values that tie, in their own order."""
        name = "value" if self.name == "count" else self.name
        frame = self.to_frame(name)
        counted = frame.groupby(name, dropna=dropna, sort=False).size("count")
        return counted.order_by(SortKey("count", descending=not ascending), SortKey(name))

    def unique(self) -> pa.Array:
        """The distinct values in ascending order, NULL last, as an Arrow array (pandas: in order of appearance)."""
        frame = self.to_frame("value").drop_duplicates()
        column = frame.order_by(SortKey("value")).to_arrow().column(0)
        return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)

    def head(self, n: int = 5) -> Series:
        """The first `n` values in the frame's order."""
        return self.to_frame().head(n)[self.name]

    def to_arrow(self) -> pa.ChunkedArray:
        """The values as an Arrow column; runs the query."""
        return self.to_frame().to_arrow().column(0)

    def to_pandas(self) -> Any:
        """The values as a pandas Series; runs the query."""
        return self.to_frame().to_pandas()[self.name]

    def to_polars(self) -> Any:
        """The values as a Polars Series; runs the query."""
        return self.to_frame().to_polars()[self.name]

    def to_list(self) -> list[Any]:
        """The values as Python objects, whole numbers of any width as int; runs the query."""
        column = self.to_arrow()
        values = column.to_pylist()
        if pa.types.is_decimal(column.type) and column.type.scale == 0:
            return [None if value is None else int(value) for value in values]
        return values

    tolist = to_list

    def to_numpy(self) -> Any:
        """The values as a NumPy array; runs the query."""
        return self.to_pandas().to_numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy as np

        return np.asarray(self.to_numpy(), dtype=dtype)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.to_list())

    def __len__(self) -> int:
        return len(self._frame)

    def __repr__(self) -> builtins.str:
        return repr(self.to_frame())

    def _repr_html_(self) -> builtins.str:
        return self.to_frame()._repr_html_()

    def __getattr__(self, name: builtins.str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        known = [item for item in dir(type(self)) if not item.startswith("_")]
        near = nearest(name, known)
        raise MissingAttributeError(
            f"A Series has no attribute {name!r}.",
            hint=(f"Did you mean {' or '.join(near)}? " if near else "")
            + "All of pandas is behind .to_pandas().",
        )

    def __getitem__(self, key: object) -> Series:
        if isinstance(key, Series):
            return self.to_frame().filter(key)[self.name]
        raise SchemaError(
            f"A Series has no index, so [{key!r}] means nothing.",
            hint="Filter with a condition (s[s > 0]), take s.head(n), or s.to_list()[i].",
        )

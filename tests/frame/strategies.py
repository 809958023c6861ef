"""Frames for oracles: Hypothesis makes one as an Arrow table and a pandas frame at once; `same` compares answers.

A kind names a column's Arrow type and the values it may hold. Columns draw from a pool of few values, so that duplicates,
ties and groups are common; NULL is drawn beside them, and frames of no rows and of one row come up often::

    @given(twin=twins(k="text", x="float"))          # these columns
    def test_something(twin): same(twin.frame.sort_values("k", …), twin.pandas.sort_values("k", …))

    @given(twin=any_twins(kinds=NUMBERS))            # some columns of these kinds, under odd names
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from duck_executor import DuckExecutor
from hypothesis import strategies as st

from luma_bench.frame import DataFrame, Series

ODD_NAMES = (
    "select",
    "a b",
    "ü",
    '"',
    "'",
    "count",
    "index",
    "size",
    "mean",
    "level_0",
    "1",
    "A",
    "a",
    "größe/€",
    "_",
)
"""Column names that meet keywords, methods, quotes, spaces, capitals and what pandas calls its own columns."""

TEXT = st.sampled_from(
    ["", " ", "a", "b", "B", "ab", "it's", 'q"', "é", "e\u0301", "日本", "a b", "NaN", "null", "%_", "\\"]
)
FLOATS = st.sampled_from([0.0, -0.0, 0.5, -1.5, 2.0, 3.25, 1e15, -1e-9, math.nan, math.inf, -math.inf])
FINITE = st.integers(-4000, 4000).map(lambda n: n / 8)
MOMENTS = st.datetimes(dt.datetime(1969, 12, 30), dt.datetime(2030, 1, 1))
NANOSECONDS = st.integers(-(10**15), 17 * 10**17) | st.sampled_from(
    [0, -1, 1, 999_999_999, 1_711_846_799_999_999_999]
)

KINDS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "int": (pa.int64(), st.integers(-20, 20)),
    "big": (pa.int64(), st.sampled_from([-(2**62), -(2**53) - 1, 0, 2**53 + 1, 2**62])),
    "small": (pa.int8(), st.integers(-128, 127)),
    "unsigned": (pa.uint32(), st.integers(0, 2**32 - 1)),
    "float": (pa.float64(), FLOATS),
    "finite": (pa.float64(), FINITE),
    "single": (pa.float32(), FINITE),
    "decimal": (
        pa.decimal128(12, 2),
        st.integers(-99_999, 99_999).map(lambda n: decimal.Decimal(n).scaleb(-2)),
    ),
    "bool": (pa.bool_(), st.booleans()),
    "text": (pa.string(), TEXT),
    "category": (pa.dictionary(pa.int32(), pa.string()), TEXT),
    "date": (pa.date32(), st.dates(dt.date(1969, 12, 30), dt.date(2030, 1, 1))),
    "timestamp": (pa.timestamp("us"), MOMENTS),
    "nanoseconds": (pa.timestamp("ns"), NANOSECONDS),
    "zoned": (pa.timestamp("us", "Europe/Berlin"), MOMENTS.map(lambda moment: moment.replace(tzinfo=dt.UTC))),
    "duration": (
        pa.duration("us"),
        st.integers(-(10**12), 10**12).map(lambda us: dt.timedelta(microseconds=us)),
    ),
    "list": (pa.list_(pa.int64()), st.lists(st.none() | st.integers(-3, 3), max_size=3)),
    "texts": (pa.list_(pa.string()), st.lists(st.none() | TEXT, max_size=2)),
    "struct": (
        pa.struct([("a", pa.int64()), ("b", pa.string())]),
        st.fixed_dictionaries({"a": st.none() | st.integers(-3, 3), "b": st.none() | TEXT}),
    ),
}
NUMBERS = ("int", "small", "unsigned", "float", "finite", "single", "decimal")
KEYS = ("int", "text", "category", "bool", "date", "timestamp", "zoned", "decimal")
TIMES = ("date", "timestamp", "nanoseconds", "zoned")
FLAT = tuple(kind for kind in KINDS if kind not in ("list", "texts", "struct"))


@dataclass(frozen=True)
class Twin:
    """The same rows three times: an Arrow table, a pandas frame, and a lazy frame over the table."""

    arrow: pa.Table

    @cached_property
    def pandas(self) -> pd.DataFrame:
        """With Arrow-backed columns: NA and NaN stay apart, whole numbers stay whole."""
        return self.arrow.to_pandas(types_mapper=pd.ArrowDtype)

    @cached_property
    def plain(self) -> pd.DataFrame:
        """With pandas' usual columns: a missing number is NaN, a missing text None or NaN."""
        return self.arrow.to_pandas()

    @cached_property
    def executor(self) -> DuckExecutor:
        """What runs `frame`; its table is called `t`."""
        return DuckExecutor({"t": self.arrow})

    @cached_property
    def frame(self) -> DataFrame:
        """Ours."""
        return DataFrame.scan(self.executor, "t")

    def __repr__(self) -> str:
        return f"Twin({self.arrow.schema.to_string()!r}, {self.arrow.to_pydict()!r})"


@st.composite
def columns(draw: st.DrawFn, kind: str, rows: int, *, nulls: bool = True, distinct: int = 5) -> pa.Array:
    """A column of a kind: `rows` values out of at most `distinct` ones and, with `nulls`, NULL."""
    of, values = KINDS[kind]
    pool = draw(st.lists(values, min_size=1, max_size=distinct)) if rows else []
    picked = st.sampled_from([*([None] if nulls else []), *range(len(pool))]) if rows else st.nothing()
    places = draw(st.lists(picked, min_size=rows, max_size=rows)) if rows else []
    made = [None if place is None else pool[place] for place in places]
    return (
        pa.array(made, of.value_type).dictionary_encode()
        if pa.types.is_dictionary(of)
        else pa.array(made, of)
    )


@st.composite
def twins(
    draw: st.DrawFn,
    kinds: Mapping[str, str] | None = None,
    /,
    *,
    min_rows: int = 0,
    max_rows: int = 12,
    no_nulls: Sequence[str] = (),
    distinct: int = 5,
    unique: Sequence[str] = (),
    **named: str,
) -> Twin:
    """A frame of these columns, by name and kind: `twins(k="text", x="float")` or `twins({"a b": "int"})`.

    `no_nulls` names columns without NULL; `unique` names one or more columns whose combination does not repeat.
    """
    wanted = {**(kinds or {}), **named}
    rows = (
        draw(st.sampled_from([0, 1]) | st.integers(0, max_rows))
        if min_rows == 0
        else draw(st.integers(min_rows, max_rows))
    )
    table = pa.table(
        {
            name: draw(columns(kind, rows, nulls=name not in no_nulls, distinct=distinct))
            for name, kind in wanted.items()
        }
    )
    return Twin(_without_repeats(table, unique) if unique else table)


@st.composite
def any_twins(
    draw: st.DrawFn,
    kinds: Sequence[str] = FLAT,
    *,
    min_columns: int = 1,
    max_columns: int = 4,
    names: Sequence[str] = ODD_NAMES,
    **rows: Any,
) -> Twin:
    """A frame of some columns of some kinds, under odd names; `rows` are the options of `twins`."""
    chosen = draw(
        st.lists(st.sampled_from(names), min_size=min_columns, max_size=max_columns, unique_by=str.lower)
    )
    return draw(twins({name: draw(st.sampled_from(kinds)) for name in chosen}, **rows))


def _without_repeats(table: pa.Table, unique: Sequence[str]) -> pa.Table:
    seen: set[str] = set()
    keep: list[int] = []
    for place, row in enumerate(table.select(list(unique)).to_pylist()):
        if repr(row) not in seen:
            seen.add(repr(row))
            keep.append(place)
    return table.take(pa.array(keep, pa.int64()))


def same(
    ours: Any,
    theirs: Any,
    *,
    ordered: bool = True,
    index: bool = False,
    missing: Literal["any", "exact"] = "any",
    tolerance: float = 1e-9,
    names: bool = True,
) -> bool:
    """Assert that an answer of ours is pandas' answer, up to what the manual says is different; gives True.

    Parameters
    ----------
    ours
        A frame or Series of ours, an Arrow table, or one value.
    theirs
        A pandas DataFrame or Series, or one value.
    ordered
        Compare rows in order; else as bags.
    index
        pandas' index comes out as columns in front with us (group keys, values that are counted); else it is left out.
    missing
        'any': NULL, NA, NaT and NaN are one, since pandas' usual columns cannot tell them apart. 'exact': NaN is a value.
    tolerance
        Relative and absolute, for floats; 0 for exactly the same.
    names
        Whether the columns' names must agree; their number must in any case.

    Notes
    -----
    Whole numbers equal floats of the same value, decimals are compared as numbers, a date equals its midnight, and a
    zoned time equals the same moment in another zone, but never a time without a zone. Zero has no sign.
    """
    if not isinstance(theirs, pd.DataFrame | pd.Series):
        assert _equal(plain(ours, missing), plain(theirs, missing), tolerance), f"{ours!r} is not {theirs!r}"
        return True
    if isinstance(theirs, pd.Series):
        theirs = theirs.rename("value") if theirs.name is None else theirs
        theirs = theirs.reset_index() if index else theirs.to_frame()
    elif index:
        theirs = theirs.reset_index()
    mine = _arrow(ours)
    if names:
        assert mine.column_names == [str(name) for name in theirs.columns], (
            f"columns {mine.column_names} and {list(theirs.columns)}"
        )
    else:
        assert mine.num_columns == theirs.shape[1], f"columns {mine.column_names} and {list(theirs.columns)}"
    assert mine.num_rows == len(theirs), (
        f"{mine.num_rows} rows, and pandas has {len(theirs)}\n{_both(mine, theirs)}"
    )
    left = _rows([column.to_pylist() for column in mine.columns], missing, mine.num_rows)
    right = _rows([theirs.iloc[:, place].tolist() for place in range(theirs.shape[1])], missing, len(theirs))
    if not ordered:
        left, right = sorted(left, key=_row_key), sorted(right, key=_row_key)
    for place, (a, b) in enumerate(zip(left, right, strict=True)):
        for name, x, y in zip(mine.column_names, a, b, strict=True):
            assert _equal(x, y, tolerance), (
                f"row {place}, column {name!r}: {x!r} is not {y!r}\n{_both(mine, theirs)}"
            )
    return True


def plain(value: Any, missing: Literal["any", "exact"] = "any") -> Any:
    """A value as both sides can have it: None, bool, int, float, text, bytes, list, dict, or a tagged time or span."""
    if isinstance(value, np.ndarray | list | tuple) and not isinstance(value, pa.MonthDayNano):
        return [plain(item, missing) for item in value]
    if isinstance(value, Mapping):
        return {key: plain(item, missing) for key, item in value.items()}
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.datetime64 | np.timedelta64):
        value = pd.Timestamp(value) if isinstance(value, np.datetime64) else pd.Timedelta(value)
        if value is pd.NaT:
            return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, decimal.Decimal):
        value = int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        if math.isnan(value):
            return None if missing == "any" else ("nan",)
        return value + 0.0
    if isinstance(value, dt.date):
        moment = pd.Timestamp(value)
        return ("zoned" if moment.tzinfo else "moment", moment.as_unit("ns").value)
    if isinstance(value, dt.timedelta):
        return ("span", 0, 0, pd.Timedelta(value).as_unit("ns").value)
    if isinstance(value, pa.MonthDayNano):
        months, days, nanoseconds = value
        return (
            ("span", 0, 0, days * 86_400 * 10**9 + nanoseconds)
            if not months
            else ("span", months, days, nanoseconds)
        )
    if isinstance(value, pd.Interval):
        return plain(str(value))
    return value


def _arrow(ours: Any) -> pa.Table:
    if isinstance(ours, Series):
        return ours.to_frame().to_arrow()
    if isinstance(ours, pa.Table):
        return ours
    if isinstance(ours, pa.Array | pa.ChunkedArray):
        return pa.table({"value": ours})
    return ours.to_arrow()


def _rows(values: list[list[Any]], missing: Literal["any", "exact"], count: int) -> list[tuple[Any, ...]]:
    made = [[plain(value, missing) for value in column] for column in values]
    return list(zip(*made, strict=True)) if made else [()] * count


def _equal(a: Any, b: Any, tolerance: float) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_equal(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[key], b[key], tolerance) for key in a)
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a == b or math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)
    return a == b


def _row_key(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(_key(value) for value in row)


def _key(value: Any) -> tuple[int, Any]:
    """A place in an order of all values; floats are rounded, so that a tolerated difference keeps the place."""
    if value is None:
        return (9, "")
    if isinstance(value, bool):
        return (0, value)
    if isinstance(value, int | float):
        return (1, value if isinstance(value, int) and abs(value) > 2**53 else float(f"{value:.6g}"))
    return (2, repr(value))


def _both(mine: pa.Table, theirs: pd.DataFrame) -> str:
    return f"ours:   {mine.to_pydict()!r}\npandas: {theirs.to_dict('list')!r}"

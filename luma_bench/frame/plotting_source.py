"""Columns of a frame as places on axes: what the engine is asked for, and how many rows have no place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from luma_bench.frame.base import Frame
from luma_bench.plan.expressions import (
    AggregateCall,
    Between,
    Call,
    Case,
    Cast,
    ColumnRef,
    Expression,
    Literal,
)
from luma_bench.plan.functions import NUMBERS
from luma_bench.plan.kinds import kind_of_type
from luma_bench.plan.nodes import Aggregate, Limit, Node, Project, Relation, Sort, SortKey, Table
from luma_bench.plot.picture import LARGEST, Axis, PlotError
from luma_bench.plot.rows import text_of
from luma_bench.plot.theme import PALETTE

_FIRST, _LAST = dt.datetime(2, 1, 1), dt.datetime(9998, 12, 31)
"""The days that an axis can show in any time zone."""


@dataclass(frozen=True, slots=True)
class Place:
    """A column as places on an axis: DOUBLE, NULL where there is none; a category is the value itself."""

    axis: Axis
    at: Expression


@dataclass(frozen=True, slots=True)
class Source:
    """A frame, and what its columns that a picture may show are."""

    frame: Frame
    types: Mapping[str, pa.DataType]

    @classmethod
    def of(cls, frame: Frame, names: Sequence[str] | None = None) -> Source:
        """The frame's columns of these names, all of them by default; types are bound for no others.

        Raises
        ------
        SchemaError
            There is no such column.
        """
        for name in names or ():
            frame.check_column(name)
        picked = frame
        if names is not None and isinstance(frame.plan, Project | Aggregate):
            columns = tuple((name, ColumnRef(name)) for name in dict.fromkeys(names))
            picked = frame.with_plan(Project(frame.plan, columns))
        return cls(frame, {field.name: field.type for field in picked.schema})

    @property
    def numbers(self) -> list[str]:
        """The numeric columns."""
        return [name for name, type_ in self.types.items() if kind_of_type(type_) in NUMBERS]

    def place(self, name: str) -> Place:
        """A column on an axis of its own scale.

        Raises
        ------
        PlotError
            Its type has no place on an axis.
        """
        type_ = self.types[name]
        ref, kind = ColumnRef(name), kind_of_type(type_)
        match kind:
            case "text" | "bool":
                return Place(Axis(name, "category"), ref)
            case "date" | "timestamp":
                return _instant(name, type_, ref)
            case "bytes" | "other":
                raise PlotError(
                    f"{name!r} is {type_}, which has no place on an axis.",
                    hint="Take a part of it first, with assign(…).",
                )
            case "time":
                hours = Call("div", (Call("total_seconds", (ref,)), Literal(3600.0)))
                return Place(Axis(f"{name} (hours)", "number"), hours)
            case _:
                return self.number(name)

    def number(self, name: str) -> Place:
        """A numeric column as DOUBLE: infinities and NaN have no place, a truth value is 0 or 1, a duration its seconds.

        Raises
        ------
        PlotError
            It is no number.
        """
        type_ = self.types[name]
        ref, kind = ColumnRef(name), kind_of_type(type_)
        match kind:
            case "int" | "decimal":
                return Place(Axis(name, "number", whole=kind == "int"), Cast(ref, "DOUBLE"))
            case "real":
                inside = Between(ref, Literal(-LARGEST), Literal(LARGEST))
                return Place(Axis(name, "number"), _only(inside, Cast(ref, "DOUBLE")))
            case "bool":
                return Place(Axis(name, "number", whole=True), Cast(Cast(ref, "INTEGER"), "DOUBLE"))
            case "interval":
                return Place(Axis(f"{name} (seconds)", "number"), Call("total_seconds", (ref,)))
            case _:
                raise PlotError(
                    f"{name!r} is {type_}, not a number.",
                    hint="Convert it with astype(…), or count it: groupby(…).size().",
                )

    def rows(self) -> int | None:
        """The number of rows where it costs nothing: of a stored table or of data in memory, whatever its columns."""
        node = self.frame.plan
        while isinstance(node, Project):
            node = node.child
        if isinstance(node, Table):
            return self.frame.executor.rows(node.name)
        return node.data.num_rows if isinstance(node, Relation) else None

    def columns(self, columns: Mapping[str, Expression]) -> Project:
        """A plan of these columns over the frame's rows."""
        return Project(self.frame.plan, tuple(columns.items()))

    def run(self, plan: Node) -> pa.Table:
        """The rows of a plan."""
        return self.frame.with_plan(plan).to_arrow()


def _instant(name: str, type_: pa.DataType, ref: Expression) -> Place:
    """A date or timestamp as microseconds since 1970, in UTC or on its own clock."""
    zone: str | None = getattr(type_, "tz", None)
    first, last = (moment.replace(tzinfo=dt.UTC if zone else None) for moment in (_FIRST, _LAST))
    if pa.types.is_date(type_):
        inside = Between(ref, Literal(first.date()), Literal(last.date()))
        at = Call("epoch_us", (Cast(ref, "TIMESTAMP"),))
    else:
        moment = ref if zone else Cast(ref, "TIMESTAMP")
        inside = Between(moment, Literal(first), Literal(last))
        at = Call("epoch_us", (moment,))
    return Place(Axis(name, "time", zone=zone), _only(inside, Cast(at, "DOUBLE")))


def _only(condition: Expression, value: Expression) -> Expression:
    return Case(((condition, value),), Literal(None))


@dataclass(frozen=True, slots=True)
class Reach:
    """How many rows have a place, and the least and the greatest; 0 to 0 where none has."""

    known: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Profile:
    """What one pass over the rows tells before they are drawn: their number, their colours, where they are."""

    rows: int
    colours: tuple[tuple[object, int], ...]
    reach: Mapping[str, Reach]


def profile(source: Source, shaped: Node, places: Sequence[str], color: str | None) -> Profile:
    """Count rows and find the ends of places, in one statement; `shaped` has a column `g` where there is a color.

    Raises
    ------
    PlotError
        The color has more values than can be told apart.
    """
    measures: list[tuple[str, AggregateCall]] = [("n", AggregateCall("size"))]
    for name in places:
        ref = ColumnRef(name)
        measures += [(f"{part}_{name}", AggregateCall(call, ref)) for part, call in _REACH]
    plan: Node = Aggregate(shaped, ("g",) if color else (), tuple(measures))
    if color:
        plan = Limit(Sort(plan, (SortKey("g"),)), len(PALETTE) + 1)
    found = source.run(plan).to_pylist()
    if color:
        check_colours(color, len(found))
    reach: dict[str, Reach] = {}
    for name in places:
        known = [row for row in found if row[f"known_{name}"]]
        low = min((row[f"low_{name}"] for row in known), default=0.0)
        high = max((row[f"high_{name}"] for row in known), default=0.0)
        reach[name] = Reach(sum(row[f"known_{name}"] for row in known), low, high)
    colours = tuple((row.get("g"), row["n"]) for row in found)
    return Profile(sum(row["n"] for row in found), colours, reach)


_REACH = (("known", "count"), ("low", "min"), ("high", "max"))


def check_colours(color: str, count: int) -> None:
    """Refuse more colours than can be told apart.

    Raises
    ------
    PlotError
        With what to do instead.
    """
    if count > len(PALETTE):
        more = f"{count:,}" if count > len(PALETTE) + 1 else f"more than {len(PALETTE)}"
        raise PlotError(
            f"{color!r} has {more} values, and {len(PALETTE)} colours can be told apart.",
            hint="Filter to the ones that matter (isin), or draw a heatmap with it as y.",
        )


def check_series(count: int) -> None:
    """Refuse more columns, or columns by colours, than can be told apart.

    Raises
    ------
    PlotError
        With what to do instead.
    """
    if count > len(PALETTE):
        raise PlotError(
            f"{count:,} series are asked for, and {len(PALETTE)} colours can be told apart.",
            hint="Name the columns that matter as y, or draw them in several pictures.",
        )


def numbers_of(table: pa.Table, name: str) -> np.ndarray:
    """A column of a small answer as float64, NaN for NULL."""
    column = table.column(name).cast(pa.float64())
    return column.to_numpy(zero_copy_only=False).astype(float)


def colours_of(table: pa.Table) -> tuple[np.ndarray, tuple[str, ...]]:
    """The number of each row's colour (its column `g`), and the colours' names, sorted, NULL last."""
    if "g" not in table.column_names:
        return np.zeros(table.num_rows, int), ("",)
    column = table.column("g").combine_chunks()
    plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    encoded = plain.dictionary_encode(null_encoding="encode")
    values = encoded.dictionary.to_pylist()
    order = sorted(range(len(values)), key=lambda place: _sort_key(values[place]))
    ranks = np.empty(len(values), int)
    ranks[order] = np.arange(len(values))
    return ranks[encoded.indices.to_numpy()], tuple(name_of(values[place]) for place in order)


def name_of(value: object) -> str:
    """A category as it is shown; NULL is one of its own."""
    return "NULL" if value is None else text_of(value)


def _sort_key(value: object) -> tuple[int, object]:
    if value is None:
        return (3, "")
    if isinstance(value, bool | int | float):
        return (2, "") if value != value else (0, value)
    return (1, value)

"""The call of a series function, resolved: its columns, and its options as values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.constants import length, value
from luma_bench.bench.series.queried import decoded
from luma_bench.bench.series.rows import InputRows
from luma_bench.errors import KadeQLBindError, choices
from luma_bench.language.series.pattern import Applied, Name, Span
from luma_bench.models.series.functions import FUNCTIONS, FunctionSpec


@dataclass(frozen=True, slots=True)
class Call:
    """A series function over columns that there are.

    Attributes
    ----------
    values
        The columns behind DESCRIPTOR: the first is what the function reads, the others stay with their rows.
    options
        All of them, with the defaults of those that are not given.
    shown
        The options that are given, as they are written.
    fields
        The columns of the relation.
    """

    spec: FunctionSpec
    input: InputRows
    keys: tuple[str, ...]
    time: str
    values: tuple[str, ...]
    options: Mapping[str, Any]
    shown: str
    fields: tuple[pa.Field, ...]

    @classmethod
    def of(cls, island: Applied, whole: str, asked: Asked) -> Call:
        """Resolve a call.

        Raises
        ------
        KadeQLBindError
            A column or option is unknown, missing, of another type or out of its range; it points at it.
        """
        spec = FUNCTIONS[island.function.upper()]
        rows = InputRows(island.input, whole, asked)
        keys = tuple(dict.fromkeys(rows.column(name) for name in island.keys))
        time = rows.time_name(island.time)
        values = _values(spec, island, whole, rows)
        options = _options(spec, island, whole, asked)
        fields = _fields(spec, island, whole, rows, (keys, time, values))
        shown = ", ".join(f"{name} => {constant.text}" for name, constant in island.options.items())
        return cls(spec, rows, keys, time, values, options, shown, fields)

    @property
    def said(self) -> str:
        """What it does, for EXPLAIN."""
        by = f" by {', '.join(self.keys)}" if self.keys else ""
        return f"{self.spec.name} of {self.values[0]} over {self.time}{by}{f' ({self.shown})' if self.shown else ''}"


def _values(spec: FunctionSpec, island: Applied, whole: str, rows: InputRows) -> tuple[str, ...]:
    named = list(island.values)
    if not named:
        raise KadeQLBindError(
            f"{spec.name} needs a column of numbers behind DESCRIPTOR.",
            text=whole,
            span=island.span,
            hint=f"Write {spec.written()}.",
        )
    if len(named) > 1 and not spec.further:
        raise KadeQLBindError(
            f"{spec.name} takes one column of numbers.",
            text=whole,
            span=named[1].span,
            hint=f"Call it once a column, and join by key and time; options have names: {spec.written()}.",
        )
    first = rows.column(named[0])
    kind = rows.schema.field(first).type
    if not is_number(kind):
        numbers = [field.name for field in rows.schema if is_number(field.type)]
        raise KadeQLBindError(
            f"{spec.name} reads numbers, and {first!r} is of the type {kind}.",
            text=whole,
            span=named[0].span,
            hint=choices(first, numbers, "columns of numbers") if numbers else "Cast it in a subquery.",
        )
    return tuple(rows.column(name) for name in named)


def is_number(kind: pa.DataType) -> bool:
    """Whether values of a type are numbers, or truth as 1 and 0."""
    types = pa.types
    return (
        types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind)
    )


def _options(spec: FunctionSpec, island: Applied, whole: str, asked: Asked) -> Mapping[str, Any]:
    given: dict[str, Any] = {}
    spans: dict[str, Span] = {}
    for name, constant in island.options.items():
        option = spec.option(name)
        spans[name] = constant.span if option is not None else _named(name, constant.span, whole)
        # The value of an unknown option is not looked at: its name is what is wrong.
        if option is None:
            given[name] = None
        elif option.kind == "length":
            given[name] = length(constant, asked, f"{spec.name}: {name} is a length of time")
        else:
            given[name] = value(constant, asked).as_py()
    wrong = spec.problem(given)
    if wrong is not None:
        name, message, hint = wrong
        span = island.span if name is None else spans[name]
        raise KadeQLBindError(message, text=whole, span=span, hint=hint)
    return spec.settled(given)


def _named(name: str, span: Span, whole: str) -> Span:
    """Where an option's name stands, before its value."""
    found = re.search(rf'"?{re.escape(name)}"?(?=\s*(?:=>|:=)\s*$)', whole[: span[0]], re.IGNORECASE)
    return span if found is None else found.span()


def _fields(
    spec: FunctionSpec,
    island: Applied,
    whole: str,
    rows: InputRows,
    names: tuple[tuple[str, ...], str, tuple[str, ...]],
) -> tuple[pa.Field, ...]:
    keys, time, values = names
    streamed = rows.streamed
    kind = decoded(streamed.field(time).type)
    plain: list[tuple[str, Name]] = [(name, at) for name, at in zip(keys, island.keys, strict=False)]
    if spec.timed:
        plain.append((time, island.time))
    if spec.keeps_rows:
        plain += zip(values, island.values, strict=True)
    taken = {column.name.casefold() for column in spec.columns}
    for name, at in plain:
        if name.casefold() in taken:
            raise KadeQLBindError(
                f"The answer would have two columns {name!r}.",
                text=whole,
                span=at.span,
                hint="Name another column, or rename it in a subquery: TABLE (SELECT …, x AS y FROM t).",
            )
        taken.add(name.casefold())
    made = [pa.field(name, decoded(streamed.field(name).type)) for name in keys]
    if spec.timed:
        made.append(pa.field(time, kind, False, streamed.field(time).metadata))
    if spec.keeps_rows:
        made += [pa.field(name, decoded(streamed.field(name).type)) for name in values]
    made += [pa.field(column.name, column.type or kind) for column in spec.columns]
    return tuple(made)

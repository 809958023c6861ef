"""The columns of a grouped construct: exactly those of its SQL, but for what a FILL makes of their types."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyarrow as pa

from luma_bench.bench.locating import located
from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.constants import value
from luma_bench.errors import KadeQLBindError, KadeQLError
from luma_bench.language import Query
from luma_bench.language.series.pattern import Fill, Grouped
from luma_bench.models.series.fill import interpolates, linear_type
from luma_bench.types.schema import ROW_ID, SQL_TYPE
from luma_bench.types.sql_text import quoted

_WIDE = (b"HUGEINT", b"UHUGEINT")
_BYTES = 4_096
"""What the types of a construct take in memory, about."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a grouped construct.

    Attributes
    ----------
    keys, aggregates
        As its SQL gives them, in order.
    filled
        The aggregates behind FILL.
    """

    keys: tuple[pa.Field, ...]
    aggregates: tuple[pa.Field, ...]
    filled: tuple[pa.Field, ...]

    @property
    def schema(self) -> pa.Schema:
        """`_rowid`, the keys and the aggregates, as the relation has them."""
        keys = (as_dictionary(item) for item in self.keys)
        return pa.schema([pa.field(ROW_ID, pa.int64(), False), *keys, *self.filled])


def as_dictionary(field: pa.Field) -> pa.Field:
    """The field of a key in the relation: texts repeat, so that they come as dictionaries."""
    if field.type != pa.string() or field.metadata:
        return field
    return pa.field(field.name, pa.dictionary(pa.int32(), pa.string()), field.nullable)


def shape_of(island: Grouped, rows: pa.Schema, whole: str, asked: Asked) -> Shape:
    """The columns of a construct over rows of a schema, those of its windows; nothing runs but for parameters' types.

    Raises
    ------
    KadeQLError
        Its SQL does not bind, or a fill does not go with the type of its column; it points into the user's text.
    """
    query = _unnamed(island)
    known = tuple(
        (name, str(field.type), _sql_type(field)) for name, field in zip(rows.names, rows, strict=True)
    )
    params = tuple((name, repr(asked.ask.params.get(name))) for name in sorted(query.params))
    kinds = tuple(fill.kind for fill in island.fills)
    key = ("grouped types", query.sql, known, params, kinds)
    if query.reads or query.views or query.sequences:
        return _shape(island, query, rows, whole, asked)
    return asked.kept.answers.get(key, lambda: _shape(island, query, rows, whole, asked), lambda _: _BYTES)


def _unnamed(island: Grouped) -> Query:
    """The SQL over a relation whose name says nothing: types do not hang on the constants that the name is made of."""
    own, other = quoted(island.windows.alias), quoted(_name(island))
    return replace(island.sql, sql=island.sql.sql.replace(own, other), islands=())


def _name(island: Grouped) -> str:
    return "@" * len(island.windows.alias)


def _shape(island: Grouped, query: Query, rows: pa.Schema, whole: str, asked: Asked) -> Shape:
    schema = _described(island, query, rows, asked)
    count = len(island.keys)
    fields = [schema.field(at) for at in range(len(schema))]
    named = [
        item.with_name(column.column)
        for item, column in zip(fields, (*island.keys, *island.aggregates), strict=True)
    ]
    keys, aggregates = named[:count], named[count:]
    fills = island.fills or (Fill("none"),) * len(aggregates)
    kinds = {fill.kind for fill in fills}
    if "none" in kinds and len(kinds) > 1:
        none = next(fill for fill in fills if fill.kind == "none")
        raise KadeQLBindError(
            "FILL(NONE) leaves empty buckets out, for all columns at once; it does not stand beside other fills.",
            text=whole,
            span=none.span,
            hint="Write NULL for a column that is to stay empty.",
        )
    filled = [_filled(item, fill, whole) for item, fill in zip(aggregates, fills, strict=True)]
    return Shape(tuple(keys), tuple(aggregates), tuple(filled))


def _described(island: Grouped, query: Query, rows: pa.Schema, asked: Asked) -> pa.Schema:
    name = _name(island)
    try:
        if not query.params:
            return asked.binder.inspector.describe(query.sql, {name: rows})
        # The type of a column may hang on the value of a parameter: SQL says it over no rows.
        ask = replace(
            asked.ask,
            tables={**asked.ask.tables, name: rows.empty_table()},
            caps=None,
            notes={},
        )
        ended = replace(query, sql=f"{query.sql}\nLIMIT 0")
        return asked.binder.bind(ended, ask, asked.view).run().schema
    except KadeQLError as error:
        if error.text is not query.sql and error.text != query.sql:
            raise
        raise located(error, query) from error


def _filled(field: pa.Field, fill: Fill, whole: str) -> pa.Field:
    """The field behind its fill."""
    if fill.kind != "linear":
        return field
    kind = _sql_type(field)
    if not interpolates(field.type) or (kind is not None and kind not in _WIDE):
        shown = field.type if kind is None else kind.decode()
        raise KadeQLBindError(
            f"FILL(LINEAR) draws a line between numbers or moments, and this column is of type {shown}.",
            text=whole,
            span=fill.span,
            hint="PREV and NULL fill columns of every type.",
        )
    made = linear_type(field.type)
    return field if made == field.type else pa.field(field.name, made)


def fill_constant(fill: Fill, field: pa.Field, whole: str, asked: Asked) -> pa.Scalar:
    """The constant of a fill in the type of its column.

    Raises
    ------
    KadeQLBindError
        It is none of that type; it points at the constant.
    """
    assert fill.constant is not None
    found = value(fill.constant, asked)
    kind = _sql_type(field)
    shown = str(field.type) if kind is None else kind.decode()
    told = kind is None or kind in _WIDE or not found.is_valid
    try:
        return _cast(found, field.type if told else pa.null())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise KadeQLBindError(
            f"FILL({fill.constant.text}) does not fit its column, which is of type {shown}.",
            text=whole,
            span=fill.constant.span,
            hint="Give a constant of that type, or cast the aggregate: sum(x)::DOUBLE.",
        ) from error


def _cast(found: pa.Scalar, kind: pa.DataType) -> pa.Scalar:
    if not found.is_valid:
        return pa.scalar(None, kind)
    if pa.types.is_decimal(found.type) and not pa.types.is_decimal(kind):
        # 0.5 is a decimal in SQL.
        as_float = found.cast(pa.float64())
        return as_float if kind == pa.float64() else as_float.cast(kind)
    if pa.types.is_string(kind) != pa.types.is_string(found.type) and not pa.types.is_temporal(kind):
        raise pa.ArrowInvalid("a text is no number, nor a number a text")
    return found.cast(kind)


def _sql_type(field: pa.Field) -> bytes | None:
    return (field.metadata or {}).get(SQL_TYPE)

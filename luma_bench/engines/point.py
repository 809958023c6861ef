"""The point engine: a row by its primary key, read from the storage's key index without SQL.

It answers a text only when it is sure to give what the embedded engine would give, types and names included: it asks
that engine's binder for the schema, once for a text and a table.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from luma_bench.engines.at_once import AtOnce
from luma_bench.engines.duck_params import plain_value
from luma_bench.engines.point_text import Parameter, PointText, recognised
from luma_bench.errors import KadeQLError, UnsupportedError
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.types.scan import SupportsLookup
from luma_bench.types.schema import Column, TableSchema

Describe = Callable[[str, Mapping[str, pa.Schema]], pa.Schema]
"""The schema a text yields over tables of these schemas (`types.inspector.SqlInspector.describe`)."""

OTHER_TEXT = "it serves SELECT columns FROM table WHERE primary key = value, and this is another query"
_ENTRIES = 512
_EXPLAIN = re.compile(r"EXPLAIN (?:\((?P<options>[^)]*)\) )?(?P<query>.*)", re.DOTALL)
_LARGEST = 2**64


@dataclass(frozen=True, slots=True)
class _Plan:
    """A text over one table: its key's values in the key's order, and each result column with its delivered type."""

    text: PointText
    source: str
    table: TableSchema
    key: tuple[tuple[Column, object], ...]
    columns: tuple[tuple[Column, pa.DataType], ...]
    schema: pa.Schema


class PointEngine(AtOnce):
    """Answers an equality on a table's whole primary key.

    Parameters
    ----------
    describe
        The embedded engine's binder.
    """

    def __init__(self, describe: Describe) -> None:
        self._describe = describe
        self._lock = threading.Lock()
        self._texts: OrderedDict[str, PointText | None] = OrderedDict()
        self._plans: OrderedDict[str, _Plan | tuple[TableSchema, str]] = OrderedDict()

    @property
    def name(self) -> str:
        """`point`."""
        return "point"

    @property
    def reason(self) -> str:
        """What the run record says of a query that it takes."""
        return "equality on the primary key"

    def supports(self, fragment: SqlFragment, inputs: Inputs | None = None) -> str | None:
        """None for an equality on the primary key of one of the inputs, else the reason why not."""
        planned = self._planned(fragment.text, inputs)
        if planned is None or isinstance(planned, str):
            return planned
        return _value_problem(planned, fragment.params)

    def run(self, fragment: SqlFragment, inputs: Inputs) -> pa.Table:
        """The row, or none; of an EXPLAIN of such a text, the plan.

        Raises
        ------
        UnsupportedError
            The fragment is something else.
        CorruptionError
            Bytes on disk are not those that were written.
        """
        if fragment.text[:8] == "EXPLAIN " and (found := _EXPLAIN.fullmatch(fragment.text)):
            return self._explained(
                SqlFragment(found["query"], fragment.params), inputs, found["options"] or ""
            )
        planned = self._planned(fragment.text, inputs)
        problem = planned if isinstance(planned, str) else None
        if isinstance(planned, _Plan):
            problem = _value_problem(planned, fragment.params)
        if problem is not None or not isinstance(planned, _Plan):
            raise UnsupportedError(
                f"The point engine cannot run this: {problem or OTHER_TEXT}.", hint="Leave out engine."
            )
        return _answer(planned, fragment.params, inputs)

    def close(self) -> None:
        """Forget the texts."""
        with self._lock:
            self._texts.clear()
            self._plans.clear()

    def _planned(self, text: str, inputs: Inputs | None) -> _Plan | str | None:
        """The text over the inputs' table, or why it is not served; None for a text that fits, without inputs."""
        with self._lock:
            known = text in self._texts
            shape = self._texts.get(text)
        if not known:
            shape = recognised(text)
            self._keep(self._texts, text, shape)
        if shape is None:
            return OTHER_TEXT
        if inputs is None:
            return None
        folded = shape.table.casefold()
        if any(name.casefold() == folded for name in inputs.relations):
            return f"{shape.table!r} is no stored table"
        named = shape.table if shape.table in inputs.sources else None
        if named is None:
            named = next((name for name in inputs.sources if name.casefold() == folded), None)
        source = None if named is None else inputs.sources[named]
        if named is None or not isinstance(source, SupportsLookup) or source.table is None:
            return f"{shape.table!r} is no stored table"
        held = self._plans.get(text)
        if isinstance(held, _Plan) and held.table is source.table and held.source == named:
            return held
        if isinstance(held, tuple) and held[0] is source.table:
            return held[1]
        made = self._bound(shape, named, source.table, source.schema)
        self._keep(self._plans, text, made if isinstance(made, _Plan) else (source.table, made))
        return made

    def _keep[T](self, cache: OrderedDict[str, T], text: str, value: T) -> None:
        with self._lock:
            cache[text] = value
            while len(cache) > _ENTRIES:
                cache.popitem(last=False)

    def _bound(self, text: PointText, name: str, table: TableSchema, schema: pa.Schema) -> _Plan | str:
        """The text over a table, or why it is not served."""
        folded = {column.name.casefold(): column for column in table.columns}
        keys = tuple(item.casefold() for item in table.settings.primary_key)
        if not keys:
            return f"table {table.name!r} has no primary key"
        given = {column.casefold(): value for column, value in text.equal}
        if sorted(column.casefold() for column, _ in text.equal) != sorted(keys):
            return f"the conditions are not one for each column of the primary key ({', '.join(table.settings.primary_key)})"
        if any(alias.casefold() in folded for alias in text.aliases):
            return "an alias has the name of a column"
        chosen = [column.name for column in table.columns] if text.columns is None else list(text.columns)
        columns = [folded.get(column.casefold()) for column in chosen]
        if None in columns:
            return "it selects more than columns of the table"
        try:
            visible = pa.schema(list(schema)[1:])
            delivered = self._describe(text.listing, {name: visible})
        except KadeQLError as error:
            return error.plain
        if len(delivered) != len(columns):
            return "it selects more than columns of the table"
        pairs: list[tuple[Column, pa.DataType]] = []
        for column, field in zip(columns, delivered, strict=True):
            assert column is not None
            if not _deliverable(column.type, field.type):
                return f"column {column.name!r} of type {column.type} goes through SQL only"
            pairs.append((column, field.type))
        key = tuple((folded[item], given[item]) for item in keys)
        return _Plan(text, name, table, key, tuple(pairs), delivered)

    def _explained(self, fragment: SqlFragment, inputs: Inputs, options: str) -> pa.Table:
        """The plan as the embedded engine's EXPLAIN lays one out: a key and a text."""
        planned = self._planned(fragment.text, inputs)
        if not isinstance(planned, _Plan):
            raise UnsupportedError(f"The point engine cannot explain this: {planned or OTHER_TEXT}.")
        rows = _answer(planned, fragment.params, inputs).num_rows if "ANALYZE" in options else None
        condition = " AND ".join(f"{column.name} = {_shown(value)}" for column, value in planned.key)
        plan: dict[str, Any] = {
            "name": "KEY_LOOKUP",
            "extra_info": {"Table": planned.table.name, "Key": condition, "Estimated Cardinality": "1"},
            "children": [],
        }
        if rows is not None:
            plan |= {"intermediate_rows": rows}
        if "JSON" in options:
            text = json.dumps([plan])
        else:
            text = f"KEY_LOOKUP {planned.table.name}\n  {condition}" + (
                "" if rows is None else f"\n  rows: {rows}"
            )
        return pa.table({"explain_key": ["physical_plan"], "explain_value": [text]})


def _answer(plan: _Plan, params: Mapping[str, object], inputs: Inputs) -> pa.Table:
    source: Any = inputs.sources[plan.source]
    row = source.find([_given(value, params) for _, value in plan.key], inputs.counters)
    if row is None or plan.text.limit == 0:
        return plan.schema.empty_table()
    arrays: list[pa.Array] = []
    for column, kind in plan.columns:
        array = row.array(column)
        arrays.append(array if array.type == kind else array.cast(kind))
    return pa.Table.from_arrays(arrays, schema=plan.schema)


def _given(value: object, params: Mapping[str, object]) -> object:
    return plain_value(params[value.name]) if isinstance(value, Parameter) else value


def _shown(value: object) -> str:
    return f"${value.name}" if isinstance(value, Parameter) else repr(value)


def _value_problem(plan: _Plan, params: Mapping[str, object]) -> str | None:
    """Why a value cannot be compared here: SQL would convert it, or the column, first."""
    for column, value in plan.key:
        if isinstance(value, Parameter) and value.name not in params:
            return f"${value.name} has no value"
        given = _given(value, params)
        if column.sql_type is not None or not _comparable(column.type, given):
            return f"comparing {column.name!r} of type {column.sql_type or column.type} with a {type(given).__name__} takes SQL's conversions"
    return None


def _comparable(kind: Any, value: object) -> bool:
    """Whether SQL compares a column with this value as they are, exactly."""
    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    match value:
        case bool():
            return types.is_boolean(kind)
        case int():
            return types.is_integer(kind) and -_LARGEST < value < _LARGEST
        case float():
            return types.is_float32(kind) or types.is_float64(kind)
        case str():
            return (
                types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
            ) and _encodes(value)
        case bytes():
            return types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
        case uuid.UUID():
            return kind == pa.uuid()
        case dt.datetime():
            return (
                types.is_timestamp(kind)
                and kind.unit == "us"
                and (kind.tz is None) == (value.tzinfo is None)
                and type(value) is dt.datetime
            )
        case dt.date():
            return types.is_date32(kind)
        case _:
            return False


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _deliverable(kind: Any, delivered: pa.DataType) -> bool:
    """Whether a stored value becomes the delivered type by a plain cast that loses nothing."""
    types = pa.types
    if kind == delivered:
        return True
    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return types.is_string(delivered)
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind):
        return types.is_binary(delivered)
    if types.is_fixed_size_binary(kind):
        return types.is_binary(delivered)
    if types.is_time32(kind):
        return delivered == pa.time64("us")
    if types.is_decimal(kind) and types.is_decimal(delivered):
        other: Any = delivered
        return kind.precision == other.precision and kind.scale == other.scale
    return False

"""Conditions, costs and times of a pattern's elements as arrays by row: what SQL says of them, asked once a table's state."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.graph.held import ElementColumns, plain
from luma_bench.bench.graph.renamed import ElementScan
from luma_bench.errors import KadeQLBindError, KadeQLError, choices
from luma_bench.language import Query
from luma_bench.language.graph.pattern import ELEMENT, Comparison, Condition, Expression, Value
from luma_bench.storage.filter import evaluate
from luma_bench.storage.predicates import Untranslatable
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.arrays import numbers
from luma_bench.types.graph import ElementTable
from luma_bench.types.predicate import Comparison as Compared
from luma_bench.types.predicate import Operator
from luma_bench.types.scan import ScanCounters
from luma_bench.types.sql_types import engine_type

if TYPE_CHECKING:
    from luma_bench.bench.binding import Binder

Ints = np.ndarray[Any, np.dtype[np.int64]]

_OPERATORS: Final[Mapping[str, Operator]] = {
    "=": "=", "<>": "!=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip
_NUMBERS: Final[Mapping[Operator, Callable[[Any, Any], Any]]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_KEPT: Final = 256
Lacking = Sequence[pa.Field]
"""Properties that an element's table has not, as fields of the types that other tables have them in."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, about which snapshot, with which parameters; `binder` runs SQL."""

    binder: Binder
    columns: ElementColumns
    view: ResolvedSnapshot
    ask: Ask
    counters: ScanCounters


class Conditions:
    """Evaluates what patterns say of single elements; answers are kept while the tables stay as they are. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: OrderedDict[Hashable, Any] = OrderedDict()

    def rows(self, condition: Condition, element: ElementTable, asked: Asked, lacking: Lacking = ()) -> Ints:
        """The row ids of an element's table that fulfil a condition, ascending.

        Parameters
        ----------
        lacking
            Properties that other tables of the element have and this one has not: NULL in every row.

        Raises
        ------
        KadeQLError
            The condition does not bind or run; it points into the user's text.
        """
        if condition.simple is not None:
            found = self._compared(condition, condition.simple, element, asked)
            if found is not None:
                return found
        query = condition.query
        return self._kept(
            query, element, asked, lacking, lambda: _rows(_answer(query, element, asked, lacking))
        )

    def values(
        self, expression: Expression, element: ElementTable, asked: Asked, lacking: Lacking = ()
    ) -> tuple[Ints, pa.Array]:
        """Row ids, ascending, and the value of an expression for each row of an element's table."""

        def made() -> tuple[Ints, pa.Array]:
            answer = _answer(expression.query, element, asked, lacking)
            rows = answer.column(0).combine_chunks().to_numpy(zero_copy_only=False)
            values = answer.column(1).combine_chunks()
            order = np.argsort(rows, kind="stable")
            return rows[order], values.take(pa.array(order))

        return self._kept(expression.query, element, asked, lacking, made)

    def _compared(
        self, condition: Condition, simple: Comparison, element: ElementTable, asked: Asked
    ) -> Ints | None:
        """The rows by a comparison with a constant of exactly the column's type; None where SQL has to say."""
        source = asked.columns.source(asked.view, element.table, asked.ask.identity)
        column = element.column(source.schema.names[1:], simple.property)
        if column is None:
            return None
        value = simple.value
        if simple.parameter is not None:
            value = asked.ask.params[
                simple.parameter
            ]  # every parameter of an island has a value: see `Islands.source`
        field = source.schema.field(column)
        kind = _sql_type(field, value)
        if kind is None or value is None:
            return None
        held = asked.columns.column(asked.view, element.table, column, asked.ask.identity, asked.counters)
        if isinstance(value, int) and pa.types.is_integer(held.values.type) and not held.values.null_count:
            # Straight away: the first condition of a process would load pandas, for Arrow's constants.
            places = np.flatnonzero(_NUMBERS[_OPERATORS[simple.op]](numbers(held.values), value))
        else:
            test = Compared("v", _OPERATORS[simple.op], value, kind)
            try:
                mask = evaluate(test, pa.table({"v": held.values}))
            except Untranslatable:
                return None
            places = np.flatnonzero(mask.fill_null(False).to_numpy(zero_copy_only=False))
        return held.rows(places)

    def _kept[T](
        self, query: Query, element: ElementTable, asked: Asked, lacking: Lacking, make: Callable[[], T]
    ) -> T:
        key = _key(query, element, asked)
        if key is None:
            return make()
        key = key, tuple((item.name, item.type) for item in lacking)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        made = make()
        with self._lock:
            self._held[key] = made
            while len(self._held) > _KEPT:
                self._held.popitem(last=False)
        return made


def key_of(
    condition: Condition, element: ElementTable, asked: Asked, lacking: Lacking = ()
) -> Hashable | None:
    """What tells apart the rows that fulfil a condition; None where they depend on more than the element's table."""
    key = _key(condition.query, element, asked)
    return None if key is None else (key, tuple((item.name, item.type) for item in lacking))


def constant(value: Value, asked: Asked) -> pa.Scalar:
    """What a constant expression of the text gives.

    Raises
    ------
    KadeQLError
        It does not bind or run, or names a column.
    """
    bound = asked.binder.bind(value.query, asked.ask, asked.view)
    return bound.run().column(0)[0]


def _answer(query: Query, element: ElementTable, asked: Asked, lacking: Lacking) -> pa.Table:
    stored = asked.columns.source(asked.view, element.table, asked.ask.identity)
    source = ElementScan(stored, element, lacking)
    ask = replace(
        asked.ask,
        caps=None,
        limits=None if asked.ask.limits is None else replace(asked.ask.limits, rows=0, nbytes=0),
    )
    bound = asked.binder.bind(query, ask, asked.view, extra={ELEMENT: source})
    try:
        return asked.binder.reduced(bound).run()
    except KadeQLError as error:
        if error.span is not None:
            raise
        raise error.moved(query.whole, (query.start, query.end)) from error


def _rows(answer: pa.Table) -> Ints:
    rows = answer.column(0).combine_chunks().to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    if len(rows) and (np.diff(rows) < 0).any():
        rows = np.sort(rows)
    return rows


def _key(query: Query, element: ElementTable, asked: Asked) -> Hashable | None:
    """What an answer depends on; None where it depends on more than the element's table."""
    alone = all(read.name.casefold() == ELEMENT for read in query.reads) and not query.pins
    if query.volatile or not alone or query.islands or asked.ask.tables or query.sequences:
        return None
    state = asked.columns.key(asked.view, element.table, asked.ask.identity)
    if state is None:
        return None
    params = tuple(sorted((name, repr(asked.ask.params.get(name))) for name in query.params))
    zone = asked.binder.store.settings.timezone
    return state, element.properties, query.sql, params, zone


def _sql_type(field: pa.Field, value: object) -> str | None:
    """The SQL type of a column where the constant is of exactly that type in Python; None elsewhere."""
    if field.metadata:
        return None  # values in a form of their own, such as UUID
    kind = plain(field.type)
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    same = (
        pa.types.is_boolean(kind)
        if isinstance(value, bool)
        else (isinstance(value, int) and pa.types.is_integer(kind))
        or (isinstance(value, float) and pa.types.is_float64(kind))
        or (isinstance(value, str) and text)
    )
    if not same:
        return None
    return "VARCHAR" if text else engine_type(kind)


def unknown_property(
    text: str, span: tuple[int, int], variable: str, name: str, tables: list[ElementTable], known: list[str]
) -> KadeQLBindError:
    """The error of a property that none of an element's tables has."""
    shown = " and ".join(repr(item.name) for item in tables[:3]) or "no table"
    return KadeQLBindError(
        f"{variable}.{name}: {shown} {'has' if len(tables) == 1 else 'have'} no property {name!r}.",
        text=text,
        span=span,
        hint=choices(name, known, "properties"),
    )

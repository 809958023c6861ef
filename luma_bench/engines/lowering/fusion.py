"""DataFusion as a binder and optimizer of relations: SQL over opaque values in, an optimized plan as Substrait out.

Every column is text and every function opaque, so that nothing of a value is decided here. Relations and functions are known
by their shape alone (`r0_16`: sixteen columns), and serve all statements.
"""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.engines.lowering.refused import NotLowered

if TYPE_CHECKING:
    from datafusion import SessionContext
    from substrait.plan_pb2 import Plan

SYMBOL = "§"
"""What a text begins with that stands for a template over constants: of no rows, where a subquery found none."""

_CALL = re.compile(r"\b([sbna])(\d+)\('")
_TABLE = re.compile(r"\b([rvwg]\d+_(\d+)) AS ")
_HINT = "Install what it takes: pip install 'luma-bench[scale]'."
_DROPPED = (
    # They take the types of values for what they are, or undo what the planner wants to see whole.
    "single_distinct_aggregation_to_group_by",
    "propagate_empty_relation",
    "eliminate_group_by_constant",
    "eliminate_filter",
    "eliminate_limit",
)
_LONGEST = 200
_CORRELATED = re.compile(
    r"OuterReference|scalar_subquery|decorrelate|No field named|FieldNotFound|Schema error|SchemaError|Physical plan does not support"
)

CORRELATED = "a subquery that hangs on the row around it in a way that no join expresses"


class Fusion:
    """One DataFusion session. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._context: SessionContext | None = None
        self._known: set[str] = set()

    def plan(self, sql: str) -> Plan:
        """The optimized plan of a query.

        Raises
        ------
        NotLowered
            DataFusion is not installed, or does not plan the query.
        """
        with self._lock:
            try:
                from datafusion import substrait
                from substrait.plan_pb2 import Plan
            except ImportError as error:
                raise NotLowered("datafusion and substrait-protobuf are not installed", hint=_HINT) from error
            context = self._prepared(sql)
            try:
                plan = context.sql(sql).optimized_logical_plan()
                data = substrait.Producer.to_substrait_plan(plan, context).encode()
            except BaseException as error:
                # DataFusion's panics are no Exceptions.
                if not (isinstance(error, Exception) or type(error).__name__ == "PanicException"):
                    raise
                raise NotLowered(_told(error)) from error
        return Plan.FromString(data)

    def _prepared(self, sql: str) -> SessionContext:
        """The session with the functions and relations that a query names."""
        context = self._context or self._made()
        for kind, arity in set(_CALL.findall(sql)):
            if f"{kind}{arity}" not in self._known:
                _register(context, kind, int(arity))
                self._known.add(f"{kind}{arity}")
        for name, width in set(_TABLE.findall(sql)):
            if name not in self._known:
                schema = pa.schema([pa.field(f"c{place}", pa.string()) for place in range(int(width))])
                context.register_record_batches(name, [[_empty(schema)]])
                self._known.add(name)
        return context

    def _made(self) -> SessionContext:
        from datafusion import SessionConfig, SessionContext

        config = SessionConfig().set("datafusion.sql_parser.map_string_types_to_utf8view", "false")
        context = SessionContext(config)
        for rule in _DROPPED:
            context.remove_optimizer_rule(rule)
        self._context = context
        return context


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], kind) for kind in schema.types], schema=schema)


def _register(context: Any, kind: str, arity: int) -> None:
    from datafusion import Accumulator, udaf, udf

    text = pa.string()
    inputs = [text] * (arity + 1)
    if kind in ("s", "n"):
        computed = _symbolic if kind == "s" else _null_of_nulls
        context.register_udf(udf(computed, inputs, text, "immutable", f"{kind}{arity}"))
    elif kind == "b":
        context.register_udf(udf(_unknown, inputs, pa.bool_(), "immutable", f"b{arity}"))
    else:

        class Opaque(Accumulator):
            """An aggregate that is planned and never run."""

            def state(self) -> list[pa.Scalar]:
                return [_unknown()]

            def update(self, *values: pa.Array) -> None:
                _unknown(*values)

            def merge(self, states: list[pa.Array]) -> None:
                _unknown(*states)

            def evaluate(self) -> pa.Scalar:
                return _unknown()

        context.register_udaf(udaf(Opaque, inputs, text, [text], "immutable", f"a{arity}"))


def _unknown(*values: pa.Array) -> Any:
    raise NotLowered("the planner computed something")


def _symbolic(number: pa.Array, *values: pa.Array) -> pa.Array:
    """A template over constants as a text: what a subquery's value is where no row was found."""
    if not values:
        raise NotLowered("the planner computed a constant")
    rows = [
        SYMBOL + json.dumps([number[row].as_py(), *(value[row].as_py() for value in values)])
        for row in range(len(number))
    ]
    return pa.array(rows, pa.string())


def _null_of_nulls(number: pa.Array, *values: pa.Array) -> pa.Array:
    """`_symbolic` for a template that is NULL where one of its holes is."""
    rows = _symbolic(number, *values).to_pylist()
    return pa.array(
        [
            None if any(not value[row].is_valid for value in values) else shown
            for row, shown in enumerate(rows)
        ],
        pa.string(),
    )


def _told(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if _CORRELATED.search(text):
        return CORRELATED
    text = re.sub(
        r"^(DataFusion error: |Schema error: |Error during planning: |This feature is not implemented: )+",
        "",
        text,
    )
    return f"its planner says: {text[:_LONGEST].rstrip('.')}"

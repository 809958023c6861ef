"""Which functions other engines are given, and under which of their names."""

from __future__ import annotations

import datetime as dt
from typing import Final

from luma_bench.engines.duck_macros import MACROS
from luma_bench.engines.duck_tree import Tree
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.lowering.statement import Statement

CANONICAL: Final = {
    "arbitrary": "first",
    "argmax": "arg_max",
    "argmin": "arg_min",
    "array_agg": "list",
    "count_star": "count",
    "countif": "count_if",
    "group_concat": "string_agg",
    "listagg": "string_agg",
    "max_by": "arg_max",
    "mean": "avg",
    "min_by": "arg_min",
    "stddev": "stddev_samp",
    "variance": "var_samp",
}
"""Aggregates' other names."""

AS_ROWS_COME: Final = frozenset({"first", "last", "list", "string_agg", "json_group_array", "json_group_object", "json_group_structure", "variant_group_array", "variant_group_object"})  # fmt: skip
"""Aggregates whose answer hangs on the order of rows unless one is given."""

_BY_CHANCE: Final = frozenset({"approx_quantile", "approx_top_k", "reservoir_quantile"})
_MACRO_AGGREGATES: Final = frozenset({"geomean", "geometric_mean", "json_group_array", "json_group_object", "json_group_structure", "variant_group_array", "wavg", "weighted_avg"})  # fmt: skip
_MACROS: Final = frozenset({"days_in_month", "date_add", "fdiv", "fmod", "if", "json", "map_contains_entry", "map_contains_value", "md5_number_lower", "md5_number_upper", "nullif", "split_part"})  # fmt: skip
_ROWS: Final = frozenset({"unnest", "unpack", "generate_subscripts", "regexp_split_to_table"})
_MOMENTS: Final = {
    "now": "TIMESTAMP WITH TIME ZONE",
    "get_current_timestamp": "TIMESTAMP WITH TIME ZONE",
    "transaction_timestamp": "TIMESTAMP WITH TIME ZONE",
    "current_timestamp": "TIMESTAMP WITH TIME ZONE",
    "current_date": "DATE",
    "today": "DATE",
    "localtimestamp": "TIMESTAMP",
    "current_localtimestamp": "TIMESTAMP",
}
_WORDS: Final = frozenset({"current_time", "localtime", "user", "current_user", "session_user", "current_role", "current_catalog", "current_schema"})  # fmt: skip

EMPTY_IS_NULL_NOT: Final = frozenset({"count_if", "approx_count_distinct", "regr_count"})
"""Aggregates besides `count` that give something else than NULL for no rows."""


def is_aggregate(statement: Statement, name: str) -> bool:
    """Whether a function of this name takes the rows of a group."""
    return name in statement.functions.aggregates or name in _MACRO_AGGREGATES or name in MACROS


def require_known(statement: Statement, name: str) -> None:
    """Refuse a scalar function that gives rows, or whose answer hangs on more than its arguments.

    Raises
    ------
    NotLowered
        It is one of these.
    """
    if name in _ROWS:
        raise NotLowered(f"{name}() makes rows of a value")
    if name in statement.functions.changing:
        raise NotLowered(f"{name}() does not hang on its arguments alone")
    macro = name in statement.functions.macros and name not in _MACROS
    if macro and not name.startswith(("list_", "array_")):
        raise NotLowered(f"{name}() is a macro")


def require_steady(name: str, *, ordered: bool) -> None:
    """Refuse an aggregate whose answer hangs on the order in which rows come.

    Raises
    ------
    NotLowered
        It does.
    """
    if name in _BY_CHANCE:
        raise NotLowered(f"{name}() hangs on the order in which rows come")
    if name in AS_ROWS_COME and not ordered:
        raise NotLowered(f"{name}() without ORDER BY takes rows as they come")


def moment(statement: Statement, name: str) -> Tree | None:
    """The constant that a function (or word) of the present moment stands for; None for another name.

    Raises
    ------
    NotLowered
        It hangs on the session.
    """
    kind = _MOMENTS.get(name)
    if kind is None:
        if name in _WORDS:
            raise NotLowered(f"{name} hangs on the session")
        return None
    if statement.now is None:
        statement.now = dt.datetime.now(dt.UTC)
    exact = statement.now.isoformat(sep=" ", timespec="microseconds")
    return statement.trees.expression(f"CAST(TIMESTAMPTZ '{exact}' AS {kind})")

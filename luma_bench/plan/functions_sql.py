"""Functions under their own SQL names, with SQL's own rules, for what speaks of frames in SQL's terms."""

from __future__ import annotations

from luma_bench.plan.registry import (
    PRODUCT,
    Aggregate,
    Function,
    Yields,
    call,
    infix,
    repeating,
)

_CALLS: tuple[tuple[str, Yields, int, int], ...] = (
    ("greatest", "first", 1, 1 << 30),
    ("least", "first", 1, 1 << 30),
    ("substr", "text", 2, 3),
    ("lpad", "text", 3, 3),
    ("rpad", "text", 3, 3),
    ("str_split", "other", 2, 2),
    ("concat_ws", "text", 2, 1 << 30),
    ("strptime", "timestamp", 2, 2),
    ("epoch_ms", "int", 1, 1),
    ("epoch_ns", "int", 1, 1),
    ("time_bucket", "timestamp", 3, 3),
    ("list_distinct", "other", 1, 1),
    ("list_append", "other", 2, 2),
    ("list_contains", "bool", 2, 2),
    ("list_count", "int", 1, 1),
    ("list_extract", "other", 2, 2),
    ("list_min", "other", 1, 1),
    ("list_max", "other", 1, 1),
    ("list_avg", "real", 1, 1),
    ("list_median", "real", 1, 1),
    ("list_sort", "other", 3, 3),
    ("row", "other", 1, 1 << 30),
    ("struct_extract", "other", 2, 2),
    ("to_years", "interval", 1, 1),
    ("to_months", "interval", 1, 1),
    ("to_days", "interval", 1, 1),
    ("to_hours", "interval", 1, 1),
    ("to_minutes", "interval", 1, 1),
    ("to_seconds", "interval", 1, 1),
    ("to_microseconds", "interval", 1, 1),
)

_TITLE = (
    "list_reduce(list_transform(regexp_extract_all(lower({0}), '\\p{{L}}*\\P{{L}}*'), "
    "lambda part: upper(part[1]) || part[2:]), lambda a, b: a || b)"
)

SQL: dict[str, Function] = {
    f"sql.{name}": call(name, yields, least, most) for name, yields, least, most in _CALLS
} | {
    # Whole numbers, towards zero.
    "sql.quotient": infix("//", "int", PRODUCT),
    # DuckDB counts the seconds in.
    "sql.millisecond": Function("millisecond({0}) % 1000", "int", precedence=PRODUCT),
    "sql.nanosecond": Function("nanosecond({0}) % 1000000000", "int", precedence=PRODUCT),
    "sql.list_sum": repeating(
        "CASE WHEN {0} IS NOT NULL THEN coalesce(list_sum(list_filter({0}, lambda x: x IS NOT NULL)), 0) END",
        "other",
        1,
    ),
    "sql.title": repeating(f"CASE WHEN {{0}} = '' THEN '' ELSE {_TITLE} END", "text", 1),
}
"""Scalar functions: `sql.` and the name."""

SQL_AGGREGATES: dict[str, Aggregate] = {
    "covar_pop": Aggregate("covar_pop({0}, {2})", "real", pair=True),
    "kurt_pop": Aggregate("kurtosis_pop({0})", "real"),
}
"""Aggregates."""

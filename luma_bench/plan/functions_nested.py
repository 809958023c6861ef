"""Functions on lists and structs that plans know."""

from __future__ import annotations

from luma_bench.plan.registry import ATOM, Function, call

NESTED: dict[str, Function] = {
    "list": call("list_value", "other", 0, 1 << 30),
    "list_length": call("len", "int"),
    "hash": call("hash", "int", 1, 1 << 30),
    # What UNNEST gives a row for: a list without elements, or none at all, has one row of NULL.
    "unnest_outer": Function(
        "unnest(CASE WHEN len({0}) > 0 THEN {0} ELSE [NULL] END)",
        "other",
        precedence=ATOM,
        inside=(ATOM,),
        repeats=True,
    ),
    "list_element": Function("{0}[{1}]", "other", 2, 2, inside=(ATOM, 0)),
    "list_slice": call("list_slice", "other", 3),
    "list_contains": call("list_contains", "bool", 2),
    "list_sort": call("list_sort", "other"),
    "list_distinct": call("list_distinct", "other"),
    "list_reverse": call("list_reverse", "other"),
    "list_aggregate": call("list_aggregate", "other", 2),
    "list_concat": call("list_concat", "other", 2, 1 << 30),
    "flatten": call("flatten", "other"),
    "field": call("struct_extract", "other", 2),
    "named_value": Function("{{'name': {0}, 'value': {1}}}", "other", 2, 2),
}

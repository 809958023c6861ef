"""Lists, structs, maps, lambdas and JSON."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
from conformance_cases import LIBM, Expression, Expressions, Failure, of, strict

BOOL, TEXT, I32, I64, U64, F64 = pa.bool_(), pa.string(), pa.int32(), pa.int64(), pa.uint64(), pa.float64()
HUGE = pa.decimal128(38, 0)
INTS, WORDS, LONGS = pa.list_(I32), pa.list_(TEXT), pa.list_(I64)
Ints = list[int | None]


def there(items: Sequence[Any]) -> list[Any]:
    """Those that are not NULL."""
    return [item for item in items if item is not None]


def at(items: Sequence[Any], index: int) -> Any:
    """A list's item: from 1, from the end when negative; NULL where there is none."""
    if index == 0 or abs(index) > len(items):
        return None
    return items[index - 1 if index > 0 else index]


def distinct(items: Sequence[Any]) -> list[Any]:
    """Each value once, in order."""
    return sorted(dict.fromkeys(there(items)))


def placed(items: Sequence[Any], value: Any) -> int | None:
    """Where a value first stands, from 1; NULL when nowhere."""
    return items.index(value) + 1 if value in items else None


def order(items: Sequence[int | None]) -> list[tuple[int, int]]:
    """SQL's order of lists: item by item, NULLs last, a beginning before what goes on."""
    return [(1, 0) if item is None else (0, item) for item in items]


def picked(mapping: list[tuple[str, Any]], key: str) -> Any:
    """A map's value for a key."""
    return dict(mapping).get(key)


LISTS = Expressions(
    "lists",
    "nested",
    [
        Expression("l", INTS, of(lambda a: a, "l")),
        Expression("len(l)", I64, strict(len, "l")),
        Expression("l[1]", I32, strict(lambda a: at(a, 1), "l")),
        Expression("l[-1]", I32, strict(lambda a: at(a, -1), "l")),
        Expression("l[i]", I32, strict(at, "l", "i")),
        Expression("l[2:3]", INTS, strict(lambda a: a[1:3], "l")),
        Expression("l[:-2]", INTS, strict(lambda a: a[: len(a) - 1], "l")),
        Expression("w[1]", TEXT, strict(lambda a: at(a, 1), "w")),
        Expression("ll[1]", LONGS, strict(lambda a: at(a, 1), "ll")),
        Expression("flatten(ll)", LONGS, strict(lambda a: [x for item in a if item is not None for x in item], "ll")),
        Expression("list_contains(l, 1)", BOOL, strict(lambda a: 1 in a, "l")),
        Expression("list_position(l, 2)", I32, strict(lambda a: placed(a, 2), "l")),
        Expression("list_concat(l, m)", INTS, of(lambda a, b: None if a is None and b is None else (a or []) + (b or []), "l", "m")),
        Expression("l || [7]", INTS, strict(lambda a: [*a, 7], "l")),
        Expression("list_append(l, i)", INTS, of(lambda a, b: [*(a or []), b], "l", "i")),
        Expression("list_prepend(i, l)", INTS, of(lambda a, b: [b, *(a or [])], "l", "i")),
        Expression("list_reverse(l)", INTS, strict(lambda a: a[::-1], "l")),
        Expression("list_sort(l)", INTS, strict(lambda a: sorted(there(a)) + [None] * a.count(None), "l")),
        Expression("list_sort(l, 'DESC', 'NULLS FIRST')", INTS, strict(lambda a: [None] * a.count(None) + sorted(there(a), reverse=True), "l")),
        Expression("list_sort(list_distinct(l))", INTS, strict(distinct, "l")),
        Expression("list_unique(l)", U64, strict(lambda a: len(set(there(a))), "l")),
        Expression("list_sum(l)", HUGE, strict(lambda a: Decimal(sum(there(a))) if there(a) else None, "l")),
        Expression("list_avg(l)", F64, strict(lambda a: statistics.fmean(there(a)) if there(a) else None, "l")),
        Expression("list_min(l)", I32, strict(lambda a: min(there(a), default=None), "l")),
        Expression("list_max(w)", TEXT, strict(lambda a: max(there(a), default=None), "w")),
        Expression("list_count(l)", I64, strict(lambda a: len(there(a)), "l")),
        Expression("list_product(l)", F64, strict(lambda a: math.prod(map(float, there(a)), start=1.0) if there(a) else None, "l")),
        Expression("list_has_any(l, [1, 5])", BOOL, strict(lambda a: 1 in a or 5 in a, "l")),
        Expression("list_has_all(l, [1, 2])", BOOL, strict(lambda a: 1 in a and 2 in a, "l")),
        Expression("array_to_string(w, '-')", TEXT, strict(lambda a: "-".join(there(a)) if there(a) else None if a else "", "w")),
        Expression("list_aggregate(w, 'string_agg', '|')", TEXT, strict(lambda a: "|".join(there(a)) if there(a) else None, "w")),
        Expression("[i, i + 1, NULL]", INTS, of(lambda a: [a, None if a is None else a + 1, None], "i")),
        Expression("range(i)", LONGS, strict(lambda a: list(range(a)), "i")),
        Expression("list_resize(l, 3, 0)", INTS, strict(lambda a: ([*a, 0, 0, 0])[:3], "l")),
        Expression("l = m", BOOL, strict(lambda a, b: a == b, "l", "m")),
        Expression("l < m", BOOL, strict(lambda a, b: order(a) < order(b), "l", "m")),
        Expression("l IS DISTINCT FROM m", BOOL, of(lambda a, b: a != b, "l", "m")),
        Expression("l IN ([1, 2], [])", BOOL, strict(lambda a: a in ([1, 2], []), "l")),
        Expression("l::VARCHAR", TEXT, strict(lambda a: "[" + ", ".join("NULL" if v is None else str(v) for v in a) + "]", "l")),
        Expression("l::BIGINT[]", LONGS, strict(lambda a: a, "l")),
        Expression("list_inner_product([coalesce(i, 0), 2], [3, 1])", F64, of(lambda a: 3.0 * (a or 0) + 2, "i")),
        Expression("list_distance([coalesce(i, 0)::DOUBLE, 0], [0, 4])", F64, of(lambda a: math.hypot(a or 0, 4), "i"), LIBM),
    ],
    [Failure("list_inner_product([1.0::DOUBLE], l::DOUBLE[])", 4, "dimension"), Failure("l::TINYINT[] || [(i * 100)::TINYINT]", 5, "cast")],
)  # fmt: skip

LAMBDAS = Expressions(
    "lambdas",
    "nested",
    [
        Expression("list_transform(l, lambda v: v * 2)", INTS, strict(lambda a: [None if v is None else v * 2 for v in a], "l")),
        Expression("list_transform(l, lambda v: coalesce(v, 0) + i)", INTS, of(lambda a, b: None if a is None else [None if b is None else (v or 0) + b for v in a], "l", "i")),
        Expression("list_transform(l, lambda v, n: n)", LONGS, strict(lambda a: list(range(1, len(a) + 1)), "l")),
        Expression("list_filter(l, lambda v: v > 1)", INTS, strict(lambda a: [v for v in a if v is not None and v > 1], "l")),
        Expression("list_filter(l, lambda v: v IS NULL)", INTS, strict(lambda a: [v for v in a if v is None], "l")),
        Expression("[v + 1 for v in l if v < 5]", INTS, strict(lambda a: [v + 1 for v in a if v is not None and v < 5], "l")),
        Expression("list_reduce(list_append(l, 1), lambda a, b: coalesce(a, 0) + coalesce(b, 0))", I32, of(lambda a: sum(there(a or [])) + 1, "l")),
        Expression("list_transform(w, lambda v: upper(v))", WORDS, strict(lambda a: [None if v is None else v.upper() for v in a], "w")),
        Expression("list_transform(ll, lambda v: len(v))", LONGS, strict(lambda a: [None if v is None else len(v) for v in a], "ll")),
        Expression("list_transform(ll, lambda v: list_transform(v, lambda u: u + 1))", pa.list_(LONGS), strict(lambda a: [None if v is None else [None if u is None else u + 1 for u in v] for v in a], "ll")),
        Expression("len(list_filter(w, lambda v: v LIKE '%a%'))", I64, strict(lambda a: sum("a" in v for v in there(a)), "w")),
    ],
)  # fmt: skip

_PAIR = pa.struct({"a": I32, "w": TEXT})
STRUCTS = Expressions(
    "structs and maps",
    "nested",
    [
        Expression("st", _PAIR, of(lambda a: a, "st")),
        Expression("st.a", I32, strict(lambda a: a["a"], "st")),
        Expression("st['w']", TEXT, strict(lambda a: a["w"], "st")),
        Expression("struct_extract(st, 'a') + 1", I32, strict(lambda a: None if a["a"] is None else a["a"] + 1, "st")),
        Expression("st IS NULL", BOOL, of(lambda a: a is None, "st")),
        Expression("{'x': i, 'y': st.w}", pa.struct({"x": I32, "y": TEXT}), of(lambda a, b: {"x": a, "y": None if b is None else b["w"]}, "i", "st")),
        Expression("struct_pack(k := len(l))", pa.struct({"k": I64}), of(lambda a: {"k": None if a is None else len(a)}, "l")),
        Expression("struct_insert(st, i := i)", pa.struct({"a": I32, "w": TEXT, "i": I32}), of(lambda a, b: {"a": a and a["a"], "w": a and a["w"], "i": b}, "st", "i")),
        Expression("st = {'a': 1, 'w': 'éééé'}", BOOL, strict(lambda a: a == {"a": 1, "w": "éééé"}, "st")),
        Expression("st.a > 0 AND st.w LIKE 'é%'", BOOL, strict(lambda a: False if a["a"] is not None and a["a"] <= 0 else None if a["a"] is None or a["w"] is None else a["w"].startswith("é"), "st")),
        Expression("mp['k']", I64, strict(lambda a: picked(a, "k"), "mp")),
        Expression("mp['none']", I64, of(lambda a: None, "mp")),
        Expression("map_keys(mp)", WORDS, strict(lambda a: [k for k, _ in a], "mp")),
        Expression("map_values(mp)", LONGS, strict(lambda a: [v for _, v in a], "mp")),
        Expression("cardinality(mp)", U64, strict(len, "mp")),
        Expression("map_contains(mp, 'k')", BOOL, strict(lambda a: "k" in dict(a), "mp")),
        Expression("map_extract(mp, 'k')", LONGS, strict(lambda a: [dict(a)["k"]] if "k" in dict(a) else [], "mp")),
        Expression("map(['i'], [i])", pa.map_(TEXT, I32), of(lambda a: [("i", a)], "i")),
        Expression("mp", pa.map_(TEXT, I64), of(lambda a: a, "mp")),
        Expression("[st, NULL]", pa.list_(_PAIR), of(lambda a: [a, None], "st")),
        Expression("row(i, 'x')", pa.struct({"element1": I32, "element2": TEXT}), of(lambda a: {"element1": a, "element2": "x"}, "i")),
    ],
)  # fmt: skip


def compact(value: Any) -> str:
    """JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


JSON = Expressions(
    "JSON",
    "nested",
    [
        Expression("to_json(l)", TEXT, strict(compact, "l")),
        Expression("to_json(st)", TEXT, strict(compact, "st")),
        Expression("to_json(st)->>'w'", TEXT, strict(lambda a: a["w"], "st")),
        Expression("to_json(st)->'a'", TEXT, strict(lambda a: compact(a["a"]), "st")),
        Expression("json_extract_string(to_json(st), '$.w')", TEXT, strict(lambda a: a["w"], "st")),
        Expression("json_array_length(to_json(w))", U64, strict(len, "w")),
        Expression("(to_json(l)->>0)::INTEGER", I32, strict(lambda a: at(a, 1), "l")),
        Expression("json_object('i', i, 'w', w)", TEXT, of(lambda a, b: compact({"i": a, "w": b}), "i", "w")),
        Expression("json_valid('[' || i || ']')", BOOL, strict(lambda a: True, "i")),
        Expression("json_type(to_json(l))", TEXT, strict(lambda a: "ARRAY", "l")),
        Expression("json_keys(to_json(st))", WORDS, strict(lambda a: ["a", "w"], "st")),
        Expression("TRY_CAST(array_to_string(w, ',') AS JSON)", TEXT, strict(lambda a: None, "w")),
        Expression("from_json(to_json(l), '[\"BIGINT\"]')", LONGS, strict(lambda a: a, "l")),
    ],
    [Failure("array_to_string(w, ',')::JSON", 0, "JSON")],
)  # fmt: skip

FAMILIES: tuple[Any, ...] = (LISTS, LAMBDAS, STRUCTS, JSON)

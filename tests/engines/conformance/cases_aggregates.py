"""Aggregates, by exact arithmetic: of everything, of groups, of nothing, of NULLs, with FILTER, and of distinct values."""

from __future__ import annotations

import datetime as dt
import math
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa
from cases_values import rank
from conformance_cases import SUMS, Aggregate, Aggregates, Row

BOOL, TEXT, I32, I64, U32, U64, F64 = (
    pa.bool_(),
    pa.string(),
    pa.int32(),
    pa.int64(),
    pa.uint32(),
    pa.uint64(),
    pa.float64(),
)
I16, DAY, US, HUGE = pa.int16(), pa.date32(), pa.timestamp("us"), pa.decimal128(38, 0)
TZ = pa.timestamp("us", "America/New_York")
Rows = Sequence[Row]


def over(column: str, function: Callable[[list[Any]], Any], none: Any = None) -> Callable[[Rows], Any]:
    """A function of a column's values that are not NULL; `none` where there are none."""

    def value(rows: Rows) -> Any:
        items = [row[column] for row in rows if row[column] is not None]
        return function(items) if items else none

    return value


def once(column: str, function: Callable[[list[Any]], Any], none: Any = None) -> Callable[[Rows], Any]:
    """The same of each value once."""
    return over(column, lambda items: function(list(dict.fromkeys(items))), none)


def pairs(
    function: Callable[[list[tuple[Any, Any]]], Any], a: str = "x", b: str = "y", none: Any = None
) -> Callable[[Rows], Any]:
    """A function of pairs of values of which neither is NULL."""

    def value(rows: Rows) -> Any:
        items = [(row[a], row[b]) for row in rows if row[a] is not None and row[b] is not None]
        return function(items) if items else none

    return value  # fmt: skip


def total(items: Sequence[float]) -> float:
    """The exact sum of finite floats, rounded once; infinities and NaN by their own rules."""
    if all(map(math.isfinite, items)):
        return float(sum(map(Fraction, items), Fraction(0)))
    if any(map(math.isnan, items)) or len({item for item in items if math.isinf(item)}) > 1:
        return math.nan
    return next(item for item in items if math.isinf(item))


def average(items: Sequence[Any]) -> float:
    """The exact mean, rounded once."""
    if all(isinstance(item, int | Decimal) or math.isfinite(item) for item in items):
        return float(sum(map(Fraction, items), Fraction(0)) / len(items))
    return total(items)


def variance(items: Sequence[Any], less: int) -> Fraction | None:
    """The exact variance of a sample (`less` 1) or a population (0); NULL of too few."""
    if len(items) <= less:
        return None
    exact = [Fraction(item) for item in items]
    mean = sum(exact, Fraction(0)) / len(exact)
    return sum(((item - mean) ** 2 for item in exact), Fraction(0)) / (len(exact) - less)


def rooted(value: Fraction | None) -> float | None:
    """A square root."""
    return None if value is None else math.sqrt(value)


def real(value: Fraction | None) -> float | None:
    """As a float."""
    return None if value is None else float(value)


def covariance(items: Sequence[tuple[Any, Any]], less: int) -> Fraction | None:
    """The exact covariance."""
    if len(items) <= less:
        return None
    a = [Fraction(item[0]) for item in items]
    b = [Fraction(item[1]) for item in items]
    mean_a, mean_b = sum(a, Fraction(0)) / len(a), sum(b, Fraction(0)) / len(b)
    return sum(((p - mean_a) * (q - mean_b) for p, q in zip(a, b, strict=True)), Fraction(0)) / (
        len(items) - less
    )


def correlation(items: Sequence[tuple[Any, Any]]) -> float | None:
    """Pearson's; NaN where one side does not vary."""
    spread = (variance([a for a, _ in items], 0) or 0) * (variance([b for _, b in items], 0) or 0)
    if not spread:
        return math.nan
    return float(covariance(items, 0) or 0) / math.sqrt(spread)


def slope(items: Sequence[tuple[Any, Any]]) -> float | None:
    """Of the line of least squares of the first over the second."""
    spread = variance([b for _, b in items], 0)
    return math.nan if not spread else float((covariance(items, 0) or Fraction(0)) / spread)


def quantile(items: Sequence[Any], share: Fraction) -> Any:
    """Between the two nearest values, on the line."""
    ordered = sorted(items, key=lambda item: rank(item) if isinstance(item, float) else item)
    place = (len(ordered) - 1) * share
    low, rest = divmod(place, 1)
    below, above = ordered[int(low)], ordered[min(int(low) + 1, len(ordered) - 1)]
    if not rest or below == above:
        return below if not isinstance(below, int) else float(below)
    if isinstance(below, dt.date):
        start = below if isinstance(below, dt.datetime) else dt.datetime.combine(below, dt.time())
        end = above if isinstance(above, dt.datetime) else dt.datetime.combine(above, dt.time())
        return start + (end - start) // dt.timedelta(microseconds=1) * rest.numerator // rest.denominator * dt.timedelta(microseconds=1)  # fmt: skip
    if isinstance(below, Decimal):
        return Fraction(below) + (Fraction(above) - Fraction(below)) * rest
    return float(Fraction(below) + (Fraction(above) - Fraction(below)) * rest)


def discrete(items: Sequence[Any], share: Fraction) -> Any:
    """The first value that at least this share of all does not exceed."""
    ordered = sorted(items)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def cents(value: Any) -> Decimal:
    """A number to two digits, halves away from zero."""
    exact = Fraction(value) * 100
    whole = math.floor(abs(exact) + Fraction(1, 2))
    return Decimal(whole if exact >= 0 else -whole).scaleb(-2)


def commonest(items: Sequence[Any]) -> Any:
    """The value that comes most often; the first of several."""
    return Counter(items).most_common(1)[0][0]


def deviation(items: Sequence[float]) -> float:
    """The median of the distances from the median."""
    middle = quantile(items, Fraction(1, 2))
    return float(quantile([abs(item - middle) for item in items], Fraction(1, 2)))


def entropy(items: Sequence[Any]) -> float:
    """Shannon's, in bits."""
    return -sum(n / len(items) * math.log2(n / len(items)) for n in Counter(items).values()) + 0.0


def skewness(items: Sequence[float]) -> float | None:
    """The adjusted third moment; NULL of fewer than three."""
    n = len(items)
    if n < 3:
        return None
    exact = [Fraction(item) for item in items]
    mean = sum(exact, Fraction(0)) / n
    second = sum(((item - mean) ** 2 for item in exact), Fraction(0)) / n
    third = sum(((item - mean) ** 3 for item in exact), Fraction(0)) / n
    return math.sqrt(n * (n - 1)) / (n - 2) * float(third) / float(second) ** 1.5 if second else math.nan


def best(rows: Rows, value: str, by: str, *, largest: bool) -> Any:
    """The value of the row with the largest or smallest key; NULL keys and NULL values do not count."""
    there = [row for row in rows if row[by] is not None and row[value] is not None]
    if not there:
        return None
    return (max if largest else min)(there, key=lambda row: (row[by], 0))[value]


def listed(column: str, *, descending: bool = False) -> Callable[[Rows], Any]:
    """Every value, NULLs too, in the order of `id`; NULL of no rows."""
    return lambda rows: [row[column] for row in (reversed(rows) if descending else rows)] or None


def reduced(column: str, function: Callable[[int, int], int]) -> Callable[[Rows], Any]:
    """Values put together two by two."""

    def value(items: list[int]) -> int:
        made = items[0]
        for item in items[1:]:
            made = function(made, item)
        return made

    return over(column, value)


def _sum(column: str) -> Callable[[Rows], Any]:
    return over(column, lambda items: Decimal(sum(items)))


HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)

COMMON = Aggregates(
    "counts, sums and extremes",
    "facts",
    [
        Aggregate("count(*)", I64, len),
        Aggregate("count(x)", I64, over("x", len, 0)),
        Aggregate("count(none)", I64, over("none", len, 0)),
        Aggregate("sum(i)", HUGE, _sum("i")),
        Aggregate("sum(j)", HUGE, _sum("j")),
        Aggregate("sum(u)", HUGE, _sum("u")),
        Aggregate("sum(d)", pa.decimal128(38, 2), _sum("d")),
        Aggregate("sum(x)", F64, over("x", total), SUMS),
        Aggregate("sum(f)", F64, over("f", total)),
        Aggregate("sum(none)", HUGE, over("none", len)),
        Aggregate("sum(i + j::HUGEINT)", HUGE, pairs(lambda items: Decimal(sum(a + b for a, b in items)), "i", "j")),
        Aggregate("avg(i)", F64, over("i", average), SUMS),
        Aggregate("avg(j)", F64, over("j", average), SUMS),
        Aggregate("avg(d)", F64, over("d", average), SUMS),
        Aggregate("avg(x)", F64, over("x", average), SUMS),
        Aggregate("avg(f)", F64, over("f", average)),
        Aggregate("min(i)", I32, over("i", min)),
        Aggregate("max(j)", I64, over("j", max)),
        Aggregate("min(x)", F64, over("x", min)),
        Aggregate("max(f) + 1", F64, over("f", lambda items: max(items, key=rank) + 1), filtered=False),
        Aggregate("min(f) + 1", F64, over("f", lambda items: min(items, key=rank) + 1), filtered=False),
        Aggregate("min(d)", pa.decimal128(12, 2), over("d", min)),
        Aggregate("max(s)", TEXT, over("s", lambda items: max(items, key=str.encode))),
        Aggregate("min(s)", TEXT, over("s", lambda items: min(items, key=str.encode))),
        Aggregate("max(day)", DAY, over("day", max)),
        Aggregate("min(ts)", US, over("ts", min)),
        Aggregate("max(tz)", TZ, over("tz", max)),
        Aggregate("min(b)", BOOL, over("b", min)),
        Aggregate("max(none)", I32, over("none", max)),
        Aggregate("max(l)", pa.list_(I32), over("l", max)),
        Aggregate("max(x, 3)", pa.list_(F64), over("x", lambda items: sorted(items, reverse=True)[:3])),
        Aggregate("bool_and(b)", BOOL, over("b", all)),
        Aggregate("bool_or(b)", BOOL, over("b", any)),
        Aggregate("count_if(b)", HUGE, over("b", lambda items: Decimal(sum(items)))),
        Aggregate("count_if(none > 0)", HUGE, lambda rows: None),
        Aggregate("bit_and(j)", I64, reduced("j", lambda a, b: a & b)),
        Aggregate("bit_or(k)", I32, reduced("k", lambda a, b: a | b)),
        Aggregate("bit_xor(i)", I32, reduced("i", lambda a, b: a ^ b)),
        Aggregate("product(y)", F64, over("y", math.prod), SUMS),
        Aggregate("sum(k) + count(*) * 2", HUGE, lambda rows: (lambda made: None if made is None else made + 2 * len(rows))(_sum("k")(rows)), filtered=False),
        Aggregate("max(k) - min(k)", I32, over("k", lambda items: max(items) - min(items)), filtered=False),
        Aggregate("sum(CASE WHEN k = 2 THEN 1 ELSE 0 END)", HUGE, lambda rows: Decimal(sum(row["k"] == 2 for row in rows)) if rows else None),
    ],
    [
        Aggregate("count(DISTINCT k)", I64, once("k", len, 0)),
        Aggregate("count(DISTINCT s)", I64, once("s", len, 0)),
        Aggregate("count(DISTINCT f)", I64, over("f", lambda items: len({rank(item) for item in items}), 0)),
        Aggregate("count(DISTINCT none)", I64, over("none", len, 0)),
        Aggregate("sum(DISTINCT k)", HUGE, once("k", lambda items: Decimal(sum(items)))),
        Aggregate("sum(DISTINCT d)", pa.decimal128(38, 2), once("d", lambda items: Decimal(sum(items)))),
        Aggregate("avg(DISTINCT k)", F64, once("k", average), SUMS),
        Aggregate("max(DISTINCT k)", I32, once("k", max)),
        Aggregate("count(DISTINCT (k, b))", I64, lambda rows: len({(row["k"], row["b"]) for row in rows})),
        Aggregate("list(DISTINCT k ORDER BY k)", pa.list_(I32), lambda rows: sorted({row["k"] for row in rows if row["k"] is not None}) + [None] * any(row["k"] is None for row in rows)),
        Aggregate("string_agg(DISTINCT s, '|' ORDER BY s)", TEXT, once("s", lambda items: "|".join(sorted(items, key=str.encode)))),
    ],
)  # fmt: skip

STATISTICS = Aggregates(
    "statistical aggregates",
    "facts",
    [
        Aggregate("stddev_samp(x)", F64, over("x", lambda items: rooted(variance(items, 1))), SUMS),
        Aggregate("stddev_pop(x)", F64, over("x", lambda items: rooted(variance(items, 0))), SUMS),
        Aggregate("var_samp(k)", F64, over("k", lambda items: real(variance(items, 1))), SUMS),
        Aggregate("var_pop(d)", F64, over("d", lambda items: real(variance(items, 0))), SUMS),
        Aggregate("covar_samp(x, y)", F64, pairs(lambda items: real(covariance(items, 1))), SUMS),
        Aggregate("covar_pop(x, y)", F64, pairs(lambda items: real(covariance(items, 0))), SUMS),
        Aggregate("corr(x, y)", F64, pairs(correlation), SUMS),
        Aggregate("regr_slope(x, y)", F64, pairs(slope), SUMS),
        Aggregate("regr_count(x, y)", U32, pairs(len, none=0)),
        Aggregate("regr_avgx(x, y)", F64, pairs(lambda items: average([b for _, b in items])), SUMS),
        Aggregate("median(x)", F64, over("x", lambda items: quantile(items, HALF)), SUMS),
        Aggregate("median(k)", F64, over("k", lambda items: quantile(items, HALF)), SUMS),
        Aggregate("median(u)", F64, over("u", lambda items: quantile(items, HALF)), SUMS),
        Aggregate("quantile_cont(x, 0.25)", F64, over("x", lambda items: quantile(items, QUARTER)), SUMS),
        Aggregate("quantile_cont(x, [0.25, 0.5])", pa.list_(F64), over("x", lambda items: [quantile(items, QUARTER), quantile(items, HALF)]), SUMS),
        Aggregate("quantile_disc(i, 0.5)", I32, over("i", lambda items: discrete(items, HALF))),
        Aggregate("quantile_disc(s, 0.25)", TEXT, over("s", lambda items: discrete(items, QUARTER))),
        Aggregate("quantile_disc(day, 0.5)", DAY, over("day", lambda items: discrete(items, HALF))),
        Aggregate("median(ts)", US, over("ts", lambda items: quantile(items, HALF))),
        Aggregate("var_pop(f)", F64, over("f", lambda items: real(variance(items, 0)) if all(map(math.isfinite, items)) else math.nan), SUMS),
        Aggregate("quantile_disc(f, 0.75) + 1", F64, over("f", lambda items: sorted(items, key=rank)[math.ceil(len(items) * 3 / 4) - 1] + 1), filtered=False),
        Aggregate("mad(x)", F64, over("x", deviation), SUMS),
        Aggregate("entropy(k)", F64, over("k", entropy, 0.0), SUMS),
        Aggregate("skewness(x)", F64, over("x", skewness), SUMS),
        Aggregate("geomean(y)", F64, over("y", lambda items: math.exp(statistics.fmean(map(math.log, items)))), SUMS, filtered=False),
        Aggregate("kahan_sum(x)", F64, over("x", total), SUMS),
        Aggregate("histogram(k)", pa.map_(I32, U64), over("k", lambda items: sorted(Counter(items).items()))),
        Aggregate("sum(x * y) / sum(y)", F64, lambda rows: (lambda a, b: None if a is None or b is None else a / b)(pairs(lambda items: total([p * q for p, q in items]))(rows), over("y", total)(rows)), SUMS, filtered=False),
    ],
    [
        Aggregate("median(DISTINCT k)", F64, once("k", lambda items: quantile(items, HALF))),
        Aggregate("var_pop(DISTINCT k)", F64, once("k", lambda items: real(variance(items, 0))), SUMS),
    ],
)  # fmt: skip

ORDERED = Aggregates(
    "aggregates in an order",
    "facts",
    [
        Aggregate("list(k ORDER BY id)", pa.list_(I32), listed("k")),
        Aggregate("list(s ORDER BY id DESC)", pa.list_(TEXT), listed("s", descending=True)),
        Aggregate("array_agg(d ORDER BY id)", pa.list_(pa.decimal128(12, 2)), listed("d")),
        Aggregate("list({'k': k, 'b': b} ORDER BY id)", pa.list_(pa.struct({"k": I32, "b": BOOL})), lambda rows: [{"k": row["k"], "b": row["b"]} for row in rows] or None),
        Aggregate("string_agg(s, ', ' ORDER BY id)", TEXT, over("s", ", ".join)),
        Aggregate("string_agg(s, '|' ORDER BY s DESC, id)", TEXT, over("s", lambda items: "|".join(sorted(items, key=str.encode, reverse=True)))),
        Aggregate("first(k ORDER BY id)", I32, lambda rows: rows[0]["k"] if rows else None),
        Aggregate("last(s ORDER BY id)", TEXT, lambda rows: rows[-1]["s"] if rows else None),
        Aggregate("any_value(k ORDER BY id)", I32, over("k", lambda items: items[0])),
        Aggregate("arg_max(s, id)", TEXT, lambda rows: best(rows, "s", "id", largest=True)),
        Aggregate("arg_min(k, id)", I32, lambda rows: best(rows, "k", "id", largest=False)),
        Aggregate("max_by(id, (x, id))", I64, lambda rows: max(((row["x"] if row["x"] is not None else math.inf, row["id"]) for row in rows), default=(0, None))[1]),
        Aggregate("arg_max(id, id, 2)", pa.list_(I64), lambda rows: [row["id"] for row in rows[::-1][:2]] or None),
        Aggregate("sum(x ORDER BY id)", F64, over("x", total), SUMS),
        Aggregate("mode(b IS NULL ORDER BY id)", BOOL, lambda rows: commonest([row["b"] is None for row in rows]) if rows else None),
    ],
)  # fmt: skip

FAMILIES: tuple[Any, ...] = (COMMON, STATISTICS, ORDERED)

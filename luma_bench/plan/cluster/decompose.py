"""Which aggregates can be computed in halves: partial states where the rows are, merged where the groups meet."""

from __future__ import annotations

import re
from dataclasses import dataclass

from luma_bench.plan.relational.expressions import And, Column, Compare, Expression, Sql, moved
from luma_bench.plan.relational.nodes import Measure

_NUMBER = re.compile(r"(?:U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(\d+, ?\d+\))")
_SAME = frozenset(
    ("min", "max", "bool_and", "bool_or", "bit_and", "bit_or", "bit_xor", "any_value", "arbitrary", "product")
)
"""One argument, NULLs left out, and the states merge by the function itself."""
_FIRST = frozenset(("first", "last"))
_SUMS = frozenset(("sum", "fsum", "kahan_sum", "sumkahan"))
_COUNTED = frozenset(("count_if", "countif"))
"""A sum of ones and zeros: NULL where every condition is."""
_ARGUMENTS = {
    "arg_min": "min",
    "argmin": "min",
    "min_by": "min",
    "arg_max": "max",
    "argmax": "max",
    "max_by": "max",
}
_VARIANCES = {
    "var_pop": (False, False),
    "var_samp": (True, False),
    "variance": (True, False),
    "stddev_pop": (False, True),
    "stddev_samp": (True, True),
    "stddev": (True, True),
}
"""Whether it divides by one less than the rows, and whether the root is taken."""
_REPEATS = frozenset(("min", "max", "bool_and", "bool_or", "bit_and", "bit_or", "any_value", "arbitrary"))
"""What is the same with DISTINCT and without."""


@dataclass(frozen=True, slots=True)
class Halves:
    """An aggregate in two halves.

    Attributes
    ----------
    states
        Over the rows.
    merges
        Over the states, counted from 0.
    final
        What is made of the merged states, counted from 0.
    closed
        Whether merged states are states again, so that they can be merged once more.
    """

    states: tuple[Measure, ...]
    merges: tuple[Measure, ...]
    final: Expression
    closed: bool = True

    def again(self, first: int) -> Halves:
        """The halves over states that are columns from `first` on, as if these were rows."""
        places = {at: first + at for at in range(len(self.states))}
        states = tuple(_moved(merge, places) for merge in self.merges)
        return Halves(states, self.merges, self.final, self.closed)


def undistinct(measure: Measure) -> Measure:
    """The measure without a DISTINCT that changes nothing."""
    if measure.distinct and measure.function in _REPEATS:
        return Measure(measure.function, measure.args, False, measure.filter, measure.order)
    return measure


def halves(measure: Measure, kinds: tuple[str, ...], result: str) -> Halves | None:
    """How a measure is computed in halves; None where it takes all rows of a group at once.

    Parameters
    ----------
    kinds
        The SQL types of its arguments.
    result
        The SQL type that it gives.
    """
    if measure.distinct or measure.order:
        return None
    name, args, where = measure.function, measure.args, measure.filter
    if name == "count" and len(args) <= 1:
        return Halves((measure,), (Measure("sum", (Column(0),)),), _cast(_or_zero(0), result))
    if name in _COUNTED and len(args) == 1:
        return Halves((measure,), (Measure("sum", (Column(0),)),), _cast(Column(0), result))
    if len(args) == 1 and name in _SUMS and _NUMBER.fullmatch(kinds[0]):
        return Halves((measure,), (Measure(name, (Column(0),)),), _cast(Column(0), result))
    if len(args) == 1 and name in _SAME:
        return Halves((measure,), (Measure(name, (Column(0),)),), Column(0))
    if len(args) == 1 and name in _FIRST:
        seen = Measure("count", (), filter=where)
        some = Compare(">", Column(1), Sql(("0",)))
        merges = (Measure(name, (Column(0),), filter=some), Measure("sum", (Column(1),)))
        return Halves((measure, seen), merges, Column(0))
    if len(args) == 1 and name in ("avg", "mean") and _NUMBER.fullmatch(kinds[0]):
        states = (Measure("sum", args, filter=where), Measure("count", args, filter=where))
        merges = (Measure("sum", (Column(0),)), Measure("sum", (Column(1),)))
        quotient = Sql(("CAST(", " AS DOUBLE) / CAST(nullif(", ", 0) AS DOUBLE)"), (Column(0), Column(1)))
        return Halves(states, merges, _cast(quotient, result))
    if len(args) == 2 and name in _ARGUMENTS:
        return _argument(measure, _ARGUMENTS[name])
    if len(args) == 1 and name in _VARIANCES and _NUMBER.fullmatch(kinds[0]):
        return _variance(measure)
    if name in ("string_agg", "group_concat", "listagg") and len(args) == 2:
        return (
            Halves((measure,), (Measure(name, (Column(0), args[1])),), Column(0))
            if _constant(args[1])
            else None
        )
    return None


def _argument(measure: Measure, least: str) -> Halves:
    """The value beside the least (or greatest) one; rows with a NULL in either do not count."""
    there = Sql(("", " IS NOT NULL"), (measure.args[0],))
    where = there if measure.filter is None else And((measure.filter, there))
    states = (measure, Measure(least, (measure.args[1],), filter=where))
    merges = (Measure(measure.function, (Column(0), Column(1))), Measure(least, (Column(1),)))
    return Halves(states, merges, Column(0))


def _variance(measure: Measure) -> Halves:
    """Counts, means and variances of parts around their common mean (Chan, Golub and LeVeque 1979): nothing cancels."""
    sample, rooted = _VARIANCES[measure.function]
    states = tuple(Measure(name, measure.args, filter=measure.filter) for name in ("count", "avg", "var_pop"))
    some = Compare(">", Column(0), Sql(("0",)))
    merges = tuple(Measure("list", (Column(at),), filter=some) for at in range(3))
    total = Sql(("CAST(list_sum(", ") AS DOUBLE)"), (Column(0),))
    weighted = Sql(("CAST(", " AS DOUBLE[])"), (Column(0),))
    mean = Sql(("(list_dot_product(", ", ", ") / ", ")"), (weighted, Column(1), total))
    away = Sql(("list_transform(", ", lambda m: (m - ", ") ** 2)"), (Column(1), mean))
    squares = Sql(
        ("(list_dot_product(", ", ", ") + list_dot_product(", ", ", "))"),
        (weighted, Column(2), weighted, away),
    )
    below = Sql(("(", " - 1)"), (total,)) if sample else total
    value: Expression = Sql(("CASE WHEN ", " > 0 THEN ", " / ", " END"), (below, squares, below))
    if rooted:
        value = Sql(("sqrt(", ")"), (value,))
    return Halves(states, merges, value, closed=False)


def _moved(measure: Measure, places: dict[int, int]) -> Measure:
    return Measure(
        measure.function,
        tuple(moved(part, places) for part in measure.args),
        filter=None if measure.filter is None else moved(measure.filter, places),
    )


def _constant(expression: Expression) -> bool:
    return isinstance(expression, Sql) and not expression.args


def _or_zero(at: int) -> Expression:
    return Sql(("coalesce(", ", 0)"), (Column(at),))


def _cast(expression: Expression, kind: str) -> Expression:
    return Sql(("CAST(", f" AS {kind})"), (expression,))

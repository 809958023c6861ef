"""Quantiles of all rows in two phases: borders and counts first, then only the ranges that hold the asked ranks.

Values go to ranges by the borders of a sample. How many each range has is known when they are there, so that one task reads
the ranges in which the ranks lie; all values in one task would have to be held and sorted there.
"""

from __future__ import annotations

import decimal
import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from luma_bench.plan.cluster.decompose import Halves
from luma_bench.plan.cluster.exchange import bucket_count
from luma_bench.plan.cluster.pending import Pending
from luma_bench.plan.cluster.sorts import borders
from luma_bench.plan.cluster.stages import Ranged, StageFeed
from luma_bench.plan.cluster.work import Made, Work
from luma_bench.plan.relational.expressions import Column, Compare, Expression, Or, Sql, columns_of, moved
from luma_bench.plan.relational.nodes import Aggregate, Filter, Measure, SortKey, Window, WindowCall

_SHARE = re.compile(r"(?:0|1|0?\.\d+|0\.\d+|1\.0+)")
_BETWEEN = frozenset(("quantile_cont", "median"))
_AT_ONE = frozenset(("quantile_disc", "quantile"))
_NUMBER = re.compile(
    r"(?:U?(?:TINYINT|SMALLINT|INTEGER|BIGINT)|FLOAT|DOUBLE|DECIMAL\(\d+, ?\d+\)|DATE|TIMESTAMP)"
)
_RANGES = 16


@dataclass(frozen=True, slots=True)
class Ranks:
    """Where a quantile lies among `n` values in order: from `low` a part `away` of the way to `high`, all from 0."""

    low: int
    high: int
    away: float


def ranks(function: str, share: decimal.Decimal, n: int) -> Ranks:
    """The ranks by DuckDB's rules: between values by `(n - 1) * share`, at one of them the first with that share up to it."""
    if function in _BETWEEN:
        place = (n - 1) * float(share)
        low = math.floor(place)
        return Ranks(low, math.ceil(place), place - low)
    after = math.floor(n - n * share)
    at = max(1, n - after) - 1
    return Ranks(at, at, 0.0)


def quantiles(work: Work, child: Pending, node: Aggregate, parts: Sequence[Halves | None]) -> Pending | None:
    """The aggregate when it is nothing but quantiles of one expression over all rows; else None."""
    asked = [_asked(measure) for measure in node.measures]
    known = [one for one in asked if one is not None]
    if node.keys or not asked or len(known) < len(asked) or any(part is not None for part in parts):
        return None
    if len({value for _, value, _ in known}) != 1 or not known:
        return None
    value = known[0][1]
    read = sorted(columns_of(value))
    places = {at: place for place, at in enumerate(read)}
    slim = child.projected(Column(at) for at in read).projected((moved(value, places),))
    (kind,) = work.types(slim)
    if not _NUMBER.fullmatch(kind):
        return None
    values = replace(slim, body=Filter(slim.body, Sql(("", " IS NOT NULL"), (Column(0),))))
    made = work.submit(values.doing("values of a quantile"))
    if made.nbytes <= work.settings.sort_bytes or not made.rows:
        measures = tuple(replace(one, args=(Column(0), *one.args[1:])) for one in node.measures)
        whole = work.whole(made)
        return replace(whole, body=Aggregate(whole.body, (), measures), rows=1.0, rowwise=False)
    return _in_ranges(work, made, [(function, share) for function, _, share in known])


def _in_ranges(work: Work, made: Made, asked: Sequence[tuple[str, decimal.Decimal]]) -> Pending:
    """The quantiles from the ranges that hold their ranks, with one task."""
    edges = borders(work, made, (SortKey(Column(0)),), max(_RANGES, bucket_count(work, made.nbytes)))
    spread = work.submit(work.parts(made).doing("move by range"), Ranged(((0, False, False),), edges))
    counts = (
        [sum(report.rows[at] for report in spread.reports()) for at in range(spread.stage.output.buckets)]
        if isinstance(spread.stage.output, Ranged)
        else []
    )
    ends = list(accumulate(counts))
    wanted = [ranks(function, share, ends[-1]) for function, share in asked]
    ranges = sorted({bisect_right(ends, at) for one in wanted for at in (one.low, one.high)})
    before = dict(zip(ranges, accumulate((counts[at] for at in ranges), initial=0), strict=False))

    def here(rank: int) -> int:
        """The rank among the values of the ranges that are read, from 1 as rows are numbered."""
        at = bisect_right(ends, rank)
        return before[at] + rank - (ends[at] - counts[at]) + 1

    feed = StageFeed(
        work.name(f"s{spread.stage.number}"), spread.stage.number, "bucket", groups=(tuple(ranges),)
    )
    rows = work.read(spread, feed, 1)
    number = WindowCall("row_number", order=(SortKey(Column(0)),))
    measures = tuple(
        _picked(function, one, here(one.low), here(one.high))
        for (function, _), one in zip(asked, wanted, strict=True)
    )
    note = f"ranks lie in {len(ranges)} of {len(counts)} ranges, {sum(counts[at] for at in ranges):,} of {ends[-1]:,} values"
    return (
        replace(rows, body=Aggregate(Window(rows.body, (number,)), (), measures), rows=1.0, rowwise=False)
        .doing("quantile")
        .noted(note)
    )


def _picked(function: str, one: Ranks, low: int, high: int) -> Measure:
    """The quantile of the one or two values at its ranks: DuckDB goes between them as it would among all."""
    at_low = Compare("=", Column(1), Sql((str(low),)))
    if high == low:
        return Measure(_plain(function), (Column(0), Sql(("0.5",))), filter=at_low)
    either = Or((at_low, Compare("=", Column(1), Sql((str(high),)))))
    away = Sql((f"CAST('{one.away!r}' AS DOUBLE)",))
    return Measure(_plain(function), (Column(0), away), filter=either)


def _plain(function: str) -> str:
    return "quantile_cont" if function in _BETWEEN else "quantile_disc"


def _asked(measure: Measure) -> tuple[str, Expression, decimal.Decimal] | None:
    """The function, what it is of, and the share; None for anything but one plain share."""
    if measure.distinct or measure.filter is not None or measure.order:
        return None
    if measure.function == "median" and len(measure.args) == 1:
        return "median", measure.args[0], decimal.Decimal("0.5")
    if measure.function not in _BETWEEN | _AT_ONE or len(measure.args) != 2:
        return None
    share = measure.args[1]
    if not isinstance(share, Sql) or share.args or not _SHARE.fullmatch("".join(share.parts).strip()):
        return None
    return measure.function, measure.args[0], decimal.Decimal("".join(share.parts).strip())

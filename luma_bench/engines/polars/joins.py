"""Joins: by equal keys in Polars' hash joins; what else has to hold is a filter behind them, by the rows' numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Literal

import polars as pl

from luma_bench.engines.polars.casts import cast, compared
from luma_bench.engines.polars.constants import Duck
from luma_bench.engines.polars.frames import MOST_ROWS, Collect, Rows, column, titles
from luma_bench.engines.polars.kinds import Range, Refused, kind_of
from luma_bench.engines.polars.scalars import Scalars
from luma_bench.engines.polars.values import Value
from luma_bench.plan.relational.expressions import Column, Compare, Expression, columns_of, conjuncts, moved
from luma_bench.plan.relational.nodes import Join

_ROW = "row number"
_MARK = "mark"
_REDUCED = 8
"""How many times fewer rows a side has that is worth computing first."""
_PAIRS = 1 << 36
"""Pairs of rows that are compared one by one at most."""
How = Literal["inner", "left", "full", "semi", "anti"]
_NEEDED = {"<>": ("low", "high"), "<": ("high",), "<=": ("high",), ">": ("low",), ">=": ("low",)}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "<>": "<>"}


def joined(node: Join, left: Rows, right: Rows, duck: Duck, collect: Collect) -> Rows:
    """The rows of a join.

    Parameters
    ----------
    collect
        Computes a frame now: where its rows must be the same in two places.

    Raises
    ------
    Refused
        It is not proven to give DuckDB's rows, or compares too many pairs.
    """
    if not left.columns or not right.columns:
        raise Refused("a join of rows without columns")
    if node.kind == "right":
        return _right(node, left, right, duck, collect)
    made = _Joining(node, left, right, duck, collect).rows()
    if node.kind in ("left", "mark"):
        return replace(made, likely=left.expected)
    return replace(made, likely=likely(node, left, right, duck), sample=None)


def likely(node: Join, left: Rows, right: Rows, duck: Duck) -> float:
    """About how many rows a join gives, if keys meet as foreign keys do."""
    mine = Scalars(duck, left.columns).values([a for a, _ in node.on])
    theirs = Scalars(duck, right.columns).values([b for _, b in node.on])
    different = 1.0
    for a, b in zip(mine, theirs, strict=True):
        different *= max(left.distinct(a), right.distinct(b))
    if len(mine) > 1:
        different = min(different, max(1.0, min(left.unfiltered, right.unfiltered)))
    if node.kind in ("semi", "anti"):
        share = min(1.0, right.expected / different)
        return left.expected * (share if node.kind == "semi" else max(1.0 - share, 0.1))
    return left.expected * right.expected / different * (0.3 if node.condition is not None else 1.0)


def _right(node: Join, left: Rows, right: Rows, duck: Duck, collect: Collect) -> Rows:
    """A left join of the sides exchanged, with the columns put back."""
    mine, theirs = len(left.columns), len(right.columns)
    places = {at: at + theirs for at in range(mine)} | {mine + at: at for at in range(theirs)}
    condition = None if node.condition is None else moved(node.condition, places)
    on = tuple((b, a) for a, b in node.on)
    turned = replace(node, left=node.right, right=node.left, kind="left", on=on, condition=condition)
    made = _Joining(turned, right, left, duck, collect).rows()
    order = [*range(theirs, theirs + mine), *range(theirs)]
    names = titles(mine + theirs)
    frame = made.frame.select(pl.col(f"c{at}").alias(name) for at, name in zip(order, names, strict=True))
    columns = tuple(column(made.columns[at], name) for at, name in zip(order, names, strict=True))
    return Rows(frame, columns, made.most)


class _Joining:
    """One join: its sides, its keys in the forms that are compared, its condition."""

    def __init__(self, node: Join, left: Rows, right: Rows, duck: Duck, collect: Collect) -> None:
        self._node = node
        self._duck = duck
        self._collect = collect
        self._conditions = list(conjuncts(node.condition))
        self._width = len(left.columns)
        right = self._narrowed(right)
        self._left = left
        self._right = right
        names = titles(len(right.columns), self._width)
        self._theirs = right.frame.select(
            pl.col(old).alias(new) for old, new in zip(right.names, names, strict=True)
        )
        theirs = [column(value, name) for value, name in zip(right.columns, names, strict=True)]
        self._both = (*left.columns, *theirs)
        pairs = [
            compared(a, b, duck)
            for a, b in zip(
                Scalars(duck, left.columns).values([a for a, _ in node.on]),
                Scalars(duck, theirs).values([b for _, b in node.on]),
                strict=True,
            )
        ]
        self._mine = [a.expr for a, _ in pairs]
        self._other = [b.expr for _, b in pairs]

    def rows(self) -> Rows:
        """The answer."""
        match self._node.kind:
            case "inner" | "cross":
                return self._inner()
            case "left":
                return self._outer()
            case "full":
                if self._conditions or not self._mine:
                    raise Refused("a full join by more than equal keys")
                return self._plain("full", [replace(value, nullable=True) for value in self._both])
            case "semi" | "anti":
                return Rows(self._semi(self._node.kind), self._left.columns, self._left.most)
            case _:
                return self._mark()

    def _narrowed(self, right: Rows) -> Rows:
        """The right side filtered by what reads nothing else, where a row without a partner is none of the answer's."""
        if self._node.kind == "full":
            return right
        own = [part for part in self._conditions if columns_of(part) and min(columns_of(part)) >= self._width]
        if not own:
            return right
        self._conditions = [part for part in self._conditions if part not in own]
        places = {self._width + at: at for at in range(len(right.columns))}
        return filtered(right, [moved(part, places) for part in own], self._duck)

    def _equi(self, left: pl.LazyFrame, how: How) -> pl.LazyFrame:
        if not self._mine:
            if self._left.most * self._right.most > _PAIRS:
                raise Refused("a join without equal keys of so many rows")
            return left.join(self._theirs, how="cross")
        return left.join(
            self._theirs,
            left_on=self._mine,
            right_on=self._other,
            how=how,
            nulls_equal=self._node.null_safe,
            coalesce=None if how in ("semi", "anti") else False,
        )

    def _most(self) -> int:
        return min(max(self._left.most, 1) * max(self._right.most, 1) + self._right.most, MOST_ROWS)

    def _plain(self, how: How, columns: Sequence[Value]) -> Rows:
        frame = self._equi(self._left.frame, how).select(titles(len(self._both)))
        return Rows(frame, tuple(columns), self._most())

    def _inner(self) -> Rows:
        frame = self._equi(self._left.frame, "inner")
        made = Rows(frame.select(titles(len(self._both))), self._both, self._most())
        return filtered(made, self._conditions, self._duck)

    def _matched(self, left: pl.LazyFrame) -> pl.LazyFrame:
        """The pairs for which everything holds, with the number of the left row."""
        frame = self._equi(left, "inner")
        condition = _all(self._conditions, Scalars(self._duck, self._both))
        return frame.filter(condition) if condition is not None else frame

    def _outer(self) -> Rows:
        nulled = [replace(value, nullable=True) for value in self._both[self._width :]]
        columns = (*self._left.columns, *nulled)
        if not self._conditions and self._mine:
            return self._plain("left", columns)
        if not self._conditions and self._right.most == 1:
            return Rows(self._beside_one(nulled), columns, self._most())
        numbered = self._collect(self._left.frame.with_row_index(_ROW)).lazy()
        matched = self._matched(numbered)
        alone = numbered.join(matched.select(_ROW).unique(), on=_ROW, how="anti")
        missing = [
            pl.lit(None, dtype=value.dtype).alias(f"c{self._width + at}") for at, value in enumerate(nulled)
        ]
        names = titles(len(self._both))
        frame = pl.concat([matched.select(names), alone.with_columns(missing).select(names)])
        return Rows(frame, columns, self._most())

    def _beside_one(self, columns: Sequence[Value]) -> pl.LazyFrame:
        """The left rows, and beside each the right side's one row, which is computed now."""
        one = self._collect(self._theirs)
        made: list[pl.Expr] = []
        for at, value in enumerate(columns):
            name = f"c{self._width + at}"
            if one.height and isinstance(value.dtype, pl.Struct):
                return self._left.frame.join(one.lazy(), how="cross").select(titles(len(self._both)))
            made.append(pl.lit(one[name][0] if one.height else None, dtype=value.dtype).alias(name))
        return self._left.frame.with_columns(made)

    def _semi(self, how: Literal["semi", "anti"]) -> pl.LazyFrame:
        names = self._left.names
        if not self._conditions and self._mine:
            return self._equi(self._left.frame, how)
        if not self._conditions:
            some = self._theirs.select((pl.len() > 0).alias(_MARK))
            wanted = pl.col(_MARK) if how == "semi" else ~pl.col(_MARK)
            return self._left.frame.join(some, how="cross").filter(wanted).select(names)
        bounds = self._by_bounds()
        if bounds is not None:
            frame, found = bounds
            return frame.filter(found if how == "semi" else ~found).select(names)
        numbered = self._collect(self._left.frame.with_row_index(_ROW)).lazy()
        partners = self._matched(numbered).select(_ROW).unique()
        return numbered.join(partners, on=_ROW, how=how).select(names)

    def _by_bounds(self) -> tuple[pl.LazyFrame, pl.Expr] | None:
        """One more comparison with a right column: of each key, the least and the greatest value of it decide."""
        if len(self._conditions) != 1 or not self._mine or self._node.null_safe:
            return None
        found = self._compared_columns(self._conditions[0])
        if found is None:
            return None
        mine, operator, theirs = found
        keys = [key.alias(f"k{at}") for at, key in enumerate(self._other)]
        names = [f"k{at}" for at in range(len(keys))]
        seen = theirs.expr
        needed = _NEEDED[operator]
        ends = {"low": pl.col("v").min().alias("low"), "high": pl.col("v").max().alias("high")}
        left, right = self._left.frame, self._theirs
        if self._left.expected * _REDUCED < self._right.expected:
            # Few rows ask: the bounds of no other keys are needed.
            left = self._collect(left).lazy()
            asked = left.select(key.alias(name) for key, name in zip(self._mine, names, strict=True)).unique()
            right = right.join(asked, left_on=self._other, right_on=names, how="semi")
        bounds = right.select(*keys, seen.alias("v")).group_by(names).agg([ends[end] for end in needed])
        frame = left.join(bounds, left_on=self._mine, right_on=names, how="left", coalesce=False)
        low, high = pl.col("low"), pl.col("high")
        value = mine.expr
        tests = {
            "<>": lambda: (low != value) | (high != value),
            "<": lambda: value < high,
            "<=": lambda: value <= high,
            ">": lambda: value > low,
            ">=": lambda: value >= low,
        }
        return frame, tests[operator]().fill_null(value=False)

    def _compared_columns(self, condition: Expression) -> tuple[Value, str, Value] | None:
        if not isinstance(condition, Compare) or condition.operator not in _TURNED:
            return None
        a, b, operator = condition.left, condition.right, condition.operator
        if not isinstance(a, Column) or not isinstance(b, Column):
            return None
        if a.index >= self._width > b.index:
            a, b, operator = b, a, _TURNED[operator]
        if not a.index < self._width <= b.index:
            return None
        mine, theirs = compared(self._both[a.index], self._both[b.index], self._duck)
        if mine.kind.family not in ("integer", "decimal", "date", "timestamp"):
            return None
        return mine, operator, theirs

    def _mark(self) -> Rows:
        kind = kind_of("BOOLEAN")
        name = f"c{self._width}"
        columns = (*self._left.columns, Value(pl.col(name), kind, kind.dtype, Range(0, 1), False))
        names = self._left.names
        if not self._conditions and not self._mine:
            some = self._theirs.select((pl.len() > 0).alias(_MARK))
            frame = self._left.frame.join(some, how="cross")
        elif not self._conditions:
            keys = [f"k{at}" for at in range(len(self._other))]
            right = (
                self._theirs.select(key.alias(title) for key, title in zip(self._other, keys, strict=True))
                .unique()
                .with_columns(pl.lit(value=True).alias(_MARK))
            )
            frame = self._left.frame.join(
                right,
                left_on=self._mine,
                right_on=keys,
                how="left",
                nulls_equal=self._node.null_safe,
                coalesce=False,
            )
        elif (bounds := self._by_bounds()) is not None:
            frame = bounds[0].with_columns(bounds[1].alias(_MARK))
        else:
            numbered = self._collect(self._left.frame.with_row_index(_ROW)).lazy()
            partners = (
                self._matched(numbered).select(_ROW).unique().with_columns(pl.lit(value=True).alias(_MARK))
            )
            frame = numbered.join(partners, on=_ROW, how="left")
        made = frame.select(*names, pl.col(_MARK).fill_null(value=False).alias(name))
        return Rows(made, columns, self._left.most)


def _all(conditions: Sequence[Expression], scalars: Scalars) -> pl.Expr | None:
    if not conditions:
        return None
    values = scalars.values(conditions)
    boolean = kind_of("BOOLEAN")
    return reduce(lambda a, b: a & b, [cast(value, boolean, scalars.duck).expr for value in values])


def filtered(rows: Rows, conditions: Sequence[Expression], duck: Duck) -> Rows:
    """The rows for which every condition is TRUE."""
    condition = _all(conditions, Scalars(duck, rows.columns))
    return rows if condition is None else rows.filtered(condition)

"""The SQL by which two tables are held against one another; columns are `c0`, `c1`, …, rows have their number in `n`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BEFORE, AFTER = "diff_before", "diff_after"
GONE, CAME = "diff_gone", "diff_came"
NUMBER = "n"


@dataclass(frozen=True, slots=True)
class Pair:
    """A column that both tables have.

    Attributes
    ----------
    name
        Its name.
    before, after
        Its index in each table.
    floating
        Whether its values are numbers that may be apart by `tolerance`, relative to the larger one.
    nested
        Whether its values hold such numbers: what is not equal here is then looked at again.
    as_text
        Whether its types are different kinds, so that only what they look like can be compared, or hold intervals, of which
        the engine takes 30 days for a month.
    """

    name: str
    before: int
    after: int
    floating: bool
    nested: bool
    tolerance: float
    as_text: bool

    @property
    def loose(self) -> bool:
        """Whether its values may be apart at all."""
        return self.floating or self.nested

    def of(self, side: str, alias: str = "") -> str:
        """The column of one side."""
        index = self.before if side in (BEFORE, GONE) else self.after
        column = f"{alias}.c{index}" if alias else f"c{index}"
        return f"CAST({column} AS VARCHAR)" if self.as_text else column

    @property
    def equal(self) -> str:
        """The condition that its values in `b` and `a` are the same."""
        before, after = self.of(BEFORE, "b"), self.of(AFTER, "a")
        same = f"{before} IS NOT DISTINCT FROM {after}"
        if not self.floating:
            return f"({same})"
        one, two = f"CAST({before} AS DOUBLE)", f"CAST({after} AS DOUBLE)"
        room = f"{self.tolerance!r} * greatest(abs({one}), abs({two}))"
        close = f"isfinite({one}) AND isfinite({two}) AND abs({one} - {two}) <= {room}"
        return f"({same} OR coalesce({close}, false))"


def duplicates_sql(keys: Sequence[Pair], side: str) -> str:
    """A key that several rows of one side have."""
    listed = ", ".join(key.of(side) for key in keys)
    return f"SELECT {listed} FROM {side} GROUP BY {listed} HAVING count(*) > 1 LIMIT 1"


def missing_sql(keys: Sequence[Pair], side: str) -> str:
    """The rows of one side whose key the other lacks, in their order."""
    other = AFTER if side == BEFORE else BEFORE
    on = " AND ".join(f"{key.of(side, 'x')} IS NOT DISTINCT FROM {key.of(other, 'y')}" for key in keys)
    return f"SELECT x.{NUMBER} FROM {side} x ANTI JOIN {other} y ON {on} ORDER BY 1"


def changed_sql(keys: Sequence[Pair], rest: Sequence[Pair]) -> str:
    """The rows that both have by key and that differ: their numbers, and for each column whether it does."""
    on = " AND ".join(f"{key.of(BEFORE, 'b')} IS NOT DISTINCT FROM {key.of(AFTER, 'a')}" for key in keys)
    flags = ", ".join(f"NOT {pair.equal} AS d{index}" for index, pair in enumerate(rest))
    some = " OR ".join(f"d{index}" for index in range(len(rest)))
    joined = f"SELECT b.{NUMBER} AS n_before, a.{NUMBER} AS n_after, {flags} FROM {BEFORE} b JOIN {AFTER} a ON {on}"
    return f"SELECT * FROM ({joined}) WHERE {some} ORDER BY n_before"


def surplus_sql(pairs: Sequence[Pair], side: str) -> str:
    """The rows that one side has more often than the other, the later ones of equal rows, in their order."""
    other = AFTER if side == BEFORE else BEFORE
    if not pairs:
        # Nothing is in both, so every row is only here.
        return f"SELECT {NUMBER} FROM {side} ORDER BY 1"
    mine = ", ".join(pair.of(side) for pair in pairs)
    names = [f"v{index}" for index in range(len(pairs))]
    ranked = f"SELECT {NUMBER}, {_as(pairs, side)}, row_number() OVER (PARTITION BY {mine} ORDER BY {NUMBER}) AS k FROM {side}"
    theirs = ", ".join(pair.of(other) for pair in pairs)
    counted = f"SELECT {_as(pairs, other)}, count(*) AS often FROM {other} GROUP BY {theirs}"
    on = " AND ".join(f"x.{name} IS NOT DISTINCT FROM y.{name}" for name in names)
    return (
        f"SELECT x.{NUMBER} FROM ({ranked}) x LEFT JOIN ({counted}) y ON {on} "
        f"WHERE x.k > coalesce(y.often, 0) ORDER BY 1"
    )


def groups_sql(pairs: Sequence[Pair]) -> str:
    """A number for the rows that are left, the same for those that agree in these columns: of GONE first, then of CAME."""
    sides = [
        f"SELECT {place} AS side, {NUMBER}, {_as(pairs, side)} FROM {side}"
        for place, side in enumerate((GONE, CAME))
    ]
    names = ", ".join(f"v{index}" for index in range(len(pairs)))
    ranked = (
        f"SELECT side, {NUMBER}, dense_rank() OVER (ORDER BY {names}) AS g FROM ({' UNION ALL '.join(sides)})"
    )
    return f"SELECT g FROM ({ranked}) ORDER BY side, {NUMBER}"


def _as(pairs: Sequence[Pair], side: str) -> str:
    return ", ".join(f"{pair.of(side)} AS v{index}" for index, pair in enumerate(pairs))

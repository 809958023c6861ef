"""Joins of two fragments: which side goes to every task, and when both move by their keys."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from luma_bench.plan.cluster.exchange import bucket_count, bucketed, key_sql, moved_by, shared_out
from luma_bench.plan.cluster.pending import Pending, Together
from luma_bench.plan.cluster.stages import Hashed
from luma_bench.plan.cluster.work import Made, Work
from luma_bench.plan.relational.expressions import Column, Expression, columns_of, moved
from luma_bench.plan.relational.nodes import Aggregate, Join, JoinKind
from luma_bench.plan.relational.to_duck import expression_sql

_WHOLE_NUMBERS = frozenset(
    ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
)


_SELECTIVE = 0.5
"""A side that keeps less of its largest table reduces what it is joined with."""


@dataclass(frozen=True, slots=True)
class On:
    """How two sides are joined: see `nodes.Join`."""

    kind: JoinKind
    on: tuple[tuple[Expression, Expression], ...] = ()
    condition: Expression | None = None
    null_safe: bool = False

    @property
    def left(self) -> tuple[Expression, ...]:
        """The keys of the left side."""
        return tuple(mine for mine, _ in self.on)

    @property
    def right(self) -> tuple[Expression, ...]:
        """The keys of the right side."""
        return tuple(theirs for _, theirs in self.on)


def joined(work: Work, left: Pending, right: Pending, how: On) -> Pending:
    """Two sides joined, neither inner nor right: `left`, `semi`, `anti`, `mark` or `full`.

    Inner joins are ordered as a set (`join_order`), and right joins are left joins of the other side.
    """
    if left.tasks == 1 and right.tasks == 1:
        return attached(left, right, how)
    if how.kind == "full":
        return _full(work, left, right, how)
    if work.worth_repeating(right):
        return attached(left, work.repeated(right), how)
    kinds = key_kinds(work, left, right, how)
    if kinds is None:
        return attached(left, work.whole(work.submit(right)).noted("no keys to move by"), how)
    left, right, how = _reduced(work, left, right, how)
    return matched(work, left, right, how, kinds)


def matched(work: Work, left: Pending, right: Pending, how: On, kinds: Sequence[str]) -> Pending:
    """The right side whole with every task of the left one when it is small enough, else both moved by keys."""
    settings = work.settings
    left_bytes, right_bytes = work.expected_bytes(left), work.expected_bytes(right)
    buckets = bucket_count(work, left_bytes + right_bytes)
    # One task would join all of the right side alone: it is only spared the move when that is little.
    most = settings.broadcast_bytes if left.tasks > 1 or work.slots == 1 else settings.inline_bytes
    if right_bytes <= most:
        made = work.submit(right)
    else:
        made = moved_by(work, right, key_sql(how.right, right.width, kinds), buckets)
    if made.nbytes <= most or (left.tasks > 1 and fits_everywhere(work, made, left, left_bytes)):
        return attached(left, work.whole(made), how).noted(
            f"{_what(right)} goes to every task: {work.sizes(made)}"
        )
    if not isinstance(made.stage.output, Hashed):
        made = moved_by(work, work.parts(made), key_sql(how.right, right.width, kinds), buckets)
    mine = moved_by(work, left, key_sql(how.left, left.width, kinds), buckets)
    return met_by_keys(work, mine, made, how)


def fits_everywhere(work: Work, made: Made, other: Pending, other_bytes: float) -> bool:
    """Whether a stage's rows go to every task of the other side rather than both sides moving by keys; by actual size."""
    nbytes = made.nbytes
    settings = work.settings
    copies = min(work.slots, other.tasks)
    cheaper = nbytes * copies <= nbytes + other_bytes
    return nbytes <= settings.broadcast_bytes or (nbytes <= settings.broadcast_most and cheaper)


def attached(left: Pending, right: Pending, how: On) -> Pending:
    """The join inside of the left side's fragment; every task has all of the right side."""
    body = Join(left.body, right.body, how.kind, how.on, how.condition, how.null_safe)
    rows = _rows(left, right, how)
    kept = left.kept
    if how.kind in ("inner", "semi"):
        kept *= min(1.0, right.kept, rows / left.rows if left.rows else 1.0)
    return Pending(
        body=body,
        feeds=(*left.feeds, *right.feeds),
        tasks=left.tasks,
        scans={**left.scans, **right.scans},
        rows=rows,
        kept=kept,
        rowwise=left.rowwise and how.kind != "full",
        together=left.together,
        purpose=_purposes(left, right, how.kind),
        notes=(*left.notes, *right.notes),
    )


def key_kinds(work: Work, left: Pending, right: Pending, how: On) -> list[str] | None:
    """For each pair of keys the type that both are cast to before they are hashed, "" where they are of one type.

    None where keys are compared in a way that their hashes do not follow: both sides cannot be moved by them.
    """
    if not how.on:
        return None
    mine, theirs = _kinds(work, left, how.left), _kinds(work, right, how.right)
    found: list[str] = []
    for one, other in zip(mine, theirs, strict=True):
        if one == other:
            found.append("")
        elif one in _WHOLE_NUMBERS and other in _WHOLE_NUMBERS:
            found.append("HUGEINT")
        else:
            return None
    return found


def _kinds(work: Work, side: Pending, keys: Sequence[Expression]) -> list[str]:
    types = work.types(side)
    names = [f"c{at}" for at in range(side.width)]
    return work.typer.types(
        [expression_sql(key, names) for key in keys], list(zip(names, types, strict=True))
    )


def _reduced(work: Work, left: Pending, right: Pending, how: On) -> tuple[Pending, Pending, On]:
    """The right side with only the rows that a small left side can match, when it is too large to go everywhere.

    Where only the presence of a partner counts, it is left with its distinct keys.
    """
    settings = work.settings
    left_bytes, right_bytes = work.expected_bytes(left), work.expected_bytes(right)
    if right_bytes <= settings.broadcast_bytes and right_bytes <= left_bytes:
        return left, right, how
    if left_bytes > settings.broadcast_bytes or left_bytes * 4 > work.read_bytes(right):
        return left, right, how
    if left.kept > _SELECTIVE:
        return left, right, how
    if work.worth_repeating(left):
        partners, size = work.repeated(left), f"about {round(left.rows):,} rows"
    else:
        made = work.submit(left)
        left = replace(work.rest(made), purpose=left.purpose)
        if made.nbytes > settings.broadcast_bytes:
            return left, right, how
        partners, size = work.whole(made), work.sizes(made)
    places = {at: place for place, at in enumerate(_read(how.left))}
    partners = partners.projected(Column(at) for at in places)
    on = tuple((theirs, moved(mine, places)) for mine, theirs in how.on)
    less = attached(right, partners, On("semi", on, None, how.null_safe))
    less = replace(less, rows=min(less.rows, max(left.rows, 1.0) * 4), kept=min(less.kept, 0.5))
    if how.kind != "left" and how.condition is None:
        keys = tuple(Column(at) for at in range(len(how.on)))
        body = Aggregate(less.projected(how.right).body, keys, ())
        less = replace(less, body=body, rowwise=False, together=frozenset())
        how = replace(how, on=tuple((mine, key) for mine, key in zip(how.left, keys, strict=True)))
    return left, less.noted(f"reduced by the keys of {_what(left)}: {size}"), how


def met_by_keys(work: Work, mine: Made, theirs: Made, how: On) -> Pending:
    """Two stages that were moved alike, bucket by bucket."""
    left_sizes, right_sizes = mine.bucket_sizes(), theirs.bucket_sizes()
    sizes = [one + other for one, other in zip(left_sizes, right_sizes, strict=True)]
    cut = None if how.kind == "full" else left_sizes
    turned = how.kind == "inner" and sum(right_sizes) > sum(left_sizes)
    shared = shared_out(work, sizes, right_sizes if turned else cut)
    uncut = replace(shared, slices=None)
    left = bucketed(work, mine, uncut if turned else shared, _columns(how.left))
    right = bucketed(work, theirs, shared if turned else uncut, _columns(how.right))
    found = attached(left, right, how)
    together: set[tuple[int, ...]] = set()
    if shared.slices is None and how.kind != "full":
        together |= _columns(how.left)
        if how.kind == "inner":
            together |= {tuple(left.width + at for at in columns) for columns in _columns(how.right)}
    return replace(found, rowwise=False, together=frozenset(together))


def _full(work: Work, left: Pending, right: Pending, how: On) -> Pending:
    """A full join: rows without partner of both sides come once, so neither may be whole with several tasks."""
    kinds = key_kinds(work, left, right, how)
    if kinds is None:
        why = "a full join without keys that can be moved by"
        return attached(work.gathered(left, why), work.gathered(right, why), how)
    buckets = bucket_count(work, work.expected_bytes(left) + work.expected_bytes(right))
    theirs = moved_by(work, right, key_sql(how.right, right.width, kinds), buckets)
    mine = moved_by(work, left, key_sql(how.left, left.width, kinds), buckets)
    return met_by_keys(work, mine, theirs, how)


def _columns(keys: Sequence[Expression]) -> Together:
    """The columns that rows were moved by, where the keys are columns."""
    columns = tuple(key.index for key in keys if isinstance(key, Column))
    return frozenset({columns}) if len(columns) == len(keys) else frozenset()


def _read(keys: Sequence[Expression]) -> tuple[int, ...]:
    """The columns that keys read."""
    return tuple(sorted(frozenset[int]().union(*(columns_of(key) for key in keys))))


def _rows(left: Pending, right: Pending, how: On) -> float:
    """Rows that a join is expected to make."""
    match how.kind:
        case "semi" if right.kept < 1:
            return left.rows * right.kept
        case "semi":
            # Nobody knows how many rows share a key: between one and all of them.
            return min(left.rows, right.rows * math.sqrt(left.rows))
        case "anti" | "mark":
            return left.rows
        case "left":
            return left.rows
        case "full":
            return left.rows + right.rows
        case _ if not how.on and how.condition is None:
            return left.rows * max(right.rows, 1.0)
        case _:
            return left.rows * min(1.0, right.kept)


def _purposes(left: Pending, right: Pending, kind: JoinKind) -> tuple[str, ...]:
    word = "join" if kind in ("inner", "cross") else f"{kind} join"
    return tuple(dict.fromkeys((*left.purpose, *right.purpose, word)))


def _what(side: Pending) -> str:
    return ", ".join(part for part in side.purpose if part.startswith(("scan ", "read "))) or "a side"

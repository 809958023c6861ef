"""Two fingerprints held against one another: what changed, in words.

Answers are equal when the digests of their rows say so, and only then: nothing is concluded from sums or other summaries, which
other rows may have too. What a fingerprint does not hold cannot be told, and is called that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from luma_bench.notebook.pinned.digest import COARSE, GRIDS
from luma_bench.notebook.pinned.fingerprint import MOST_COLUMNS, Content, Fingerprint

Kind = Literal["statement", "schema", "rows", "values", "order", "answers", "cannot tell"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was, or of which nothing is known."""

    kind: Kind
    text: str


def changes(before: Fingerprint, after: Fingerprint) -> tuple[Change, ...]:
    """What changed from one answer to another; nothing when they are equal within rounding."""
    found: list[Change] = []
    if before.statement != after.statement:
        found.append(Change("statement", "the statement or its parameters are not those of the saved output"))
    found += _schema(before, after)
    if before.rows != after.rows:
        found.append(Change("rows", f"{before.rows:,} rows before, {after.rows:,} now"))
    if before.schema == after.schema and before.rows == after.rows:
        found += _values(before, after)
    return tuple(found)


def _schema(before: Fingerprint, after: Fingerprint) -> list[Change]:
    if before.schema == after.schema:
        return []
    old, new = dict(before.columns), dict(after.columns)
    parts = [f"{name} {kind} is new" for name, kind in after.columns if name not in old]
    parts += [f"{name} {kind} is gone" for name, kind in before.columns if name not in new]
    parts += [
        f"{name} was {old[name]} and is {kind}"
        for name, kind in after.columns
        if name in old and old[name] != kind
    ]
    if not parts:
        same = sorted(before.columns) == sorted(after.columns)
        parts = ["the columns are in another order" if same else "columns beyond the first ones differ"]
    return [Change("schema", "; ".join(parts))]


def _values(before: Fingerprint, after: Fingerprint) -> list[Change]:
    old, new = before.content, after.content
    if old is None or new is None:
        why = "nothing was kept of the values of so large an answer: pin the notebook, run it and save it"
        return [Change("cannot tell", why)]
    if not _agree(old.rows, new.rows):
        return [Change("values", _differing(before, old, new))]
    # Another statement may order by other columns, of which its digest is.
    ordered = before.statement == after.statement and old.order is not None and new.order is not None
    if ordered and not _agree(old.order or (), new.order or ()):
        # An order by floating-point columns has no third resort: rounding that swaps rows is a change of order.
        return [Change("order", "the same rows in another order")]
    return []


def _differing(before: Fingerprint, old: Content, new: Content) -> str:
    """Which columns differ, and by how little where that is known."""
    pairs = list(zip(before.columns, old.columns, new.columns, strict=False))
    differing = [(name, kind) for (name, kind), one, two in pairs if not _agree(one, two)]
    floating = [column for column, one, _ in pairs if len(one) > 1]
    bound = _bound(old, new, differing or floating)
    if differing:
        shown = ", ".join(name for name, _ in differing[:8])
        return f"other values in {shown}{', …' if len(differing) > 8 else ''}{bound}"
    beyond = len(before.columns) == MOST_COLUMNS and old.columns != ()
    if _on_one_grid(old, new):
        # Every value is there: it is the rows that they stand in.
        rest = f", or other values beyond the first {MOST_COLUMNS} columns" if beyond else ""
        return f"the columns hold the same values, in other rows than before{rest}{bound}"
    return f"values that are in other rows than before, or that are apart by hardly more than rounding{bound}"


def _agree(one: Sequence[str], two: Sequence[str]) -> bool:
    """Whether digests agree on one of the grids."""
    return len(one) == len(two) and any(left == right for left, right in zip(one, two, strict=True))


def _on_one_grid(old: Content, new: Content) -> bool:
    """Whether all columns agree on one and the same grid."""
    pairs = list(zip(old.columns, new.columns, strict=False))
    return any(
        all(one[min(grid, len(one) - 1)] == two[min(grid, len(two) - 1)] for one, two in pairs)
        for grid in range(len(GRIDS))
    )


def _bound(old: Content, new: Content, columns: Sequence[tuple[str, str]]) -> str:
    """By how little values differ, where the rows agree on a coarser grid."""
    for grid, one, two in zip(COARSE, old.coarse, new.coarse, strict=False):
        if one == two:
            wide = all("double" in kind for _, kind in columns)
            bits = grid.float64_bits if wide else grid.float32_bits
            # A cell is at most this much of a value that is in it; rounded up, in percent.
            return f", by less than {105 * 2.0 ** (1 - bits):.2g} % of each"
    return ""

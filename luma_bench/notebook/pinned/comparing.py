"""Two fingerprints held against one another: what changed, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from luma_bench.notebook.pinned.fingerprint import Content, Fingerprint, Moments

Kind = Literal["statement", "schema", "rows", "values", "order"]

TOLERANCE = 1e-9
"""How far single values may be apart, relative to themselves."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was."""

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


def compared_values(before: Fingerprint, after: Fingerprint) -> bool:
    """Whether both hold digests of their values."""
    return before.content is not None and after.content is not None


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
        return []
    if not _agree(old.rows, new.rows) and not _within(old, new, after.rows):
        return [Change("values", _differing(before, old, new))]
    # Another statement may order by other columns, of which its digest is.
    ordered = before.statement == after.statement and old.order is not None and new.order is not None
    if ordered and not _agree(old.order or (), new.order or ()):
        # An order by floating-point columns has no third resort: rounding that swaps rows is a change of order.
        return [Change("order", "the same rows in another order")]
    return []


def _differing(before: Fingerprint, old: Content, new: Content) -> str:
    names = [
        name
        for index, ((name, _), one, two) in enumerate(
            zip(before.columns, old.columns, new.columns, strict=False)
        )
        if not _agree(one, two)
        and not (old.exact == new.exact and _close(old.floats.get(index), new.floats.get(index), before.rows))
    ]
    if not names:
        return "the columns hold the same values, in other rows than before"
    shown = ", ".join(names[:8])
    return f"other values in {shown}{', …' if len(names) > 8 else ''}"


def _agree(one: Sequence[str], two: Sequence[str]) -> bool:
    """Whether digests agree on one of the grids."""
    return len(one) == len(two) and any(left == right for left, right in zip(one, two, strict=True))


def _within(old: Content, new: Content, rows: int) -> bool:
    """Whether the exact columns agree and the moments of the others are close: of many values, some lie on an edge of either grid."""
    if old.exact != new.exact or old.floats.keys() != new.floats.keys():
        return False
    nested = sum(len(column) == 2 for column in old.columns) != len(old.floats)
    if nested or not old.floats:
        return False
    return all(_close(one, new.floats[index], rows) for index, one in old.floats.items())


def _close(one: Moments | None, two: Moments | None, rows: int) -> bool:
    """Whether moments, weighted by the same rows, are those of equal values."""
    if one is None or two is None or one.odd != two.odd:
        return False
    # Roundings of many values partly cancel.
    room = TOLERANCE * math.sqrt(rows)
    return (
        abs(one.total - two.total) <= room
        and math.isclose(one.least, two.least, rel_tol=TOLERANCE)
        and math.isclose(one.most, two.most, rel_tol=TOLERANCE)
    )

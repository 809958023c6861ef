"""`frame.merge`: pandas' names and columns over SQL's joins."""

from __future__ import annotations

from collections.abc import Sequence

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.plan.nodes import Join, JoinColumn, JoinHow, Node

HOWS: tuple[JoinHow, ...] = ("inner", "left", "right", "outer", "semi", "anti", "cross")


def as_names(value: str | Sequence[str]) -> tuple[str, ...]:
    """One name or several, as a tuple."""
    return (value,) if isinstance(value, str) else tuple(value)


def join_of(
    left: Node,
    right: Node,
    *,
    how: str,
    on: str | Sequence[str] | None,
    left_on: str | Sequence[str] | None,
    right_on: str | Sequence[str] | None,
    suffixes: tuple[str | None, str | None],
) -> Join:
    """The join that pandas' arguments mean.

    A key of the same name on both sides comes out once, first where the left frame has it; other names that both
    sides have get the suffixes.
    """
    if how not in HOWS:
        raise UnsupportedError(
            f"merge(how={how!r}) is not known.", hint=f"It is one of {', '.join(map(repr, HOWS))}."
        )
    kind: JoinHow = how
    pairs = _pairs(left, right, kind, on, left_on, right_on)
    if kind in ("semi", "anti"):
        return Join(left, right, kind, pairs, tuple(JoinColumn(name, name, None) for name in left.names))
    shared = {a: b for a, b in pairs if a == b}
    return Join(left, right, kind, pairs, _columns(left, right, kind, shared, suffixes))


def _pairs(
    left: Node,
    right: Node,
    how: JoinHow,
    on: str | Sequence[str] | None,
    left_on: str | Sequence[str] | None,
    right_on: str | Sequence[str] | None,
) -> tuple[tuple[str, str], ...]:
    if how == "cross":
        if on is not None or left_on is not None or right_on is not None:
            raise UnsupportedError(
                "A cross merge takes no keys.", hint="Leave on=, left_on= and right_on= out."
            )
        return ()
    if on is not None and (left_on is not None or right_on is not None):
        raise UnsupportedError(
            "merge() got on= beside left_on= or right_on=.", hint="Give on=, or both of the others."
        )
    if (left_on is None) != (right_on is None):
        raise UnsupportedError("merge() got one of left_on= and right_on=.", hint="Give both.")
    if left_on is not None and right_on is not None:
        lefts, rights = as_names(left_on), as_names(right_on)
        if len(lefts) != len(rights):
            raise UnsupportedError(
                f"left_on has {len(lefts)} keys and right_on {len(rights)}.",
                hint="Give as many on both sides.",
            )
        return tuple(zip(lefts, rights, strict=True))
    names = as_names(on) if on is not None else tuple(name for name in left.names if name in right.names)
    if not names:
        raise SchemaError(
            "The frames have no column name in common.", hint="Give left_on= and right_on=, or how='cross'."
        )
    return tuple((name, name) for name in names)


def _columns(
    left: Node, right: Node, how: JoinHow, shared: dict[str, str], suffixes: tuple[str | None, str | None]
) -> tuple[JoinColumn, ...]:
    both = {name.casefold() for name in left.names} & {name.casefold() for name in right.names}
    both -= {name.casefold() for name in shared}

    def named(name: str, suffix: str | None) -> str:
        return f"{name}{suffix or ''}" if name.casefold() in both else name

    def key(name: str) -> JoinColumn:
        if how == "right":
            return JoinColumn(name, None, name)
        return JoinColumn(name, name, name if how == "outer" else None)

    columns = [
        key(name) if name in shared else JoinColumn(named(name, suffixes[0]), name, None)
        for name in left.names
    ]
    columns += [
        JoinColumn(named(name, suffixes[1]), None, name) for name in right.names if name not in shared
    ]
    return tuple(columns)

"""`frame.merge`: pandas' names and columns over SQL's joins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.plan.functions import NUMBERS
from luma_bench.plan.nodes import Join, JoinColumn, JoinHow, Node
from luma_bench.plan.walk import kinds_of

HOWS: tuple[JoinHow, ...] = ("inner", "left", "right", "outer", "semi", "anti", "cross")


def as_names(value: str | Sequence[str]) -> tuple[str, ...]:
    """One name or several, as a tuple.

    Raises
    ------
    UnsupportedError
        It is neither.
    """
    if not isinstance(value, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UnsupportedError(f"{value!r} names no column.", hint="Give the name of a column, or a list.")
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
    kind = known_how(how)
    pairs = key_pairs(left, right, kind, on, left_on, right_on)
    check_kinds(left, right, pairs, "merge")
    if kind in ("semi", "anti"):
        return Join(left, right, kind, pairs, tuple(JoinColumn(name, name, None) for name in left.names))
    shared = {a: b for a, b in pairs if a == b}
    return Join(left, right, kind, pairs, side_columns(left, right, kind, shared, suffixes))


def known_how(how: str) -> JoinHow:
    """The way of joining of this name.

    Raises
    ------
    UnsupportedError
        There is none.
    """
    if how not in HOWS:
        instead = {
            "full": "outer",
            "left_anti": "anti",
            "left_semi": "semi",
            "leftanti": "anti",
            "leftsemi": "semi",
        }
        near = f" Did you mean {instead[how]!r}?" if how in instead else ""
        raise UnsupportedError(
            f"merge(how={how!r}) is not known.", hint=f"It is one of {', '.join(map(repr, HOWS))}.{near}"
        )
    return how


_DAYS = frozenset(("date", "timestamp"))


def check_kinds(left: Node, right: Node, pairs: Iterable[tuple[str, str]], what: str) -> None:
    """Refuse keys that are never equal: text beside numbers, truth beside numbers.

    Raises
    ------
    SchemaError
        Naming the first such pair. Whole numbers meet other numbers, and dates meet times.
    """
    lefts, rights = kinds_of(left), kinds_of(right)
    for a, b in pairs:
        if a not in lefts or b not in rights:
            continue  # the node says which names there are
        kinds = {lefts[a], rights[b]}
        if len(kinds) == 1 or "other" in kinds or kinds <= NUMBERS or kinds <= _DAYS:
            continue
        raise SchemaError(
            f"{what}: the key {a!r} is of kind {lefts[a]!r} on the left and {b!r} of kind {rights[b]!r} on the right.",
            hint=f"Make both one type first: frame.assign({a}=frame[{a!r}].astype(…)).",
        )


def key_pairs(
    left: Node,
    right: Node,
    how: JoinHow,
    on: str | Sequence[str] | None,
    left_on: str | Sequence[str] | None,
    right_on: str | Sequence[str] | None,
) -> tuple[tuple[str, str], ...]:
    """The keys of the left side, each with its own of the right side.

    Raises
    ------
    SchemaError
        No keys are given, and the sides have no name in common.
    UnsupportedError
        The arguments do not go together.
    """
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


def side_columns(
    left: Node, right: Node, how: JoinHow, shared: dict[str, str], suffixes: tuple[str | None, str | None]
) -> tuple[JoinColumn, ...]:
    """What comes out of a join: keys of one name once, and other columns that both sides have under their suffixes.

    Raises
    ------
    UnsupportedError
        Both sides have a column, and there is no suffix to tell them apart.
    """
    if len(suffixes) != 2:  # pyright: ignore[reportUnnecessaryComparison]
        raise UnsupportedError("suffixes are a pair.", hint="Give two: ('_x', '_y').")
    both = {name.casefold() for name in left.names} & {name.casefold() for name in right.names}
    both -= {name.casefold() for name in shared}

    if both and not any(suffixes):
        raise UnsupportedError(
            f"Both frames have the columns {sorted(both)}, and no suffix tells them apart.",
            hint="Give suffixes (lsuffix=, rsuffix= of join), or drop the columns of one side.",
        )

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

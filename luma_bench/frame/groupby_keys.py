"""What rows can be grouped by: names, Series, and spans of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from luma_bench.errors import UnsupportedError
from luma_bench.frame.groupby_plan import Column, Keys
from luma_bench.frame.resample_rules import Side, rule_of
from luma_bench.frame.series import Series
from luma_bench.plan.expressions import ColumnRef
from luma_bench.plan.window import Window

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame


def keys_of(frame: DataFrame, by: Any, *, level: object, observed: bool, dropna: bool, sort: bool) -> Keys:
    """The keys that `groupby(by)` means.

    Raises
    ------
    SchemaError
        A column does not exist.
    UnsupportedError
        There is no key, two have one name, or it is one that only an index has.
    """
    if level is not None:
        raise UnsupportedError(
            "groupby(level=…) goes by an index, and there is none.", hint="Group by columns."
        )
    if not observed:
        raise UnsupportedError(
            "groupby(observed=False) has groups without rows.",
            hint="Merge the groups with a frame of all keys: keys.merge(groups, how='left').",
        )
    if by is None:
        raise UnsupportedError(
            "groupby() got no keys.", hint="Name a column, or use frame.agg(…) without groups."
        )
    several = isinstance(by, list | tuple)
    given = cast("Sequence[object]", by) if several else (by,)
    columns = tuple(_key(frame, item) for item in given)
    if not columns:
        raise UnsupportedError(
            "groupby() got no keys.", hint="Name a column, or use frame.agg(…) without groups."
        )
    names = [name.casefold() for name, _ in columns]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise UnsupportedError(
                f"Two keys are named {columns[place][0]!r}.",
                hint="Give one a name of its own: series.rename('name').",
            )
    spans = frozenset(
        name for item, (name, _) in zip(given, columns, strict=True) if not isinstance(item, str | Series)
    )
    return Keys(columns, dropna, sort, single=not several, spans=spans)


def _key(frame: DataFrame, key: object) -> Column:
    if isinstance(key, str):
        frame.check_column(key)
        return key, ColumnRef(key)
    if isinstance(key, Series):
        return key.name, key.over(frame)
    if hasattr(key, "freq") and hasattr(key, "key"):
        return _span(frame, cast("Any", key))
    if isinstance(key, Mapping) or callable(key):
        raise UnsupportedError(
            f"groupby() by a {'dictionary' if isinstance(key, Mapping) else 'function'} goes by an index, and there is none.",
            hint="Group by a Series: groupby(frame.key.map({…})).",
        )
    raise UnsupportedError(
        f"groupby() cannot go by {key!r}.", hint="Give column names, Series of the frame, or a list of them."
    )


def _span(frame: DataFrame, grouper: Any) -> Column:
    """A `pandas.Grouper`: its column, cut into spans of time."""
    if grouper.key is None:
        raise UnsupportedError(
            "A Grouper without key= goes by an index, and there is none.", hint="Name the column: key='time'."
        )
    frame.check_column(grouper.key)
    if grouper.freq is None:
        return grouper.key, ColumnRef(grouper.key)
    rule = rule_of(
        frame,
        grouper.freq,
        _side(grouper.closed),
        _side(grouper.label),
        grouper.key,
        grouper.origin,
        grouper.offset,
    )
    place = rule.line.place
    low, high = Window("min", (place,)), Window("max", (place,))
    return grouper.key, rule.edge(rule.number(place, low, high), rule.label, low, high)


def _side(given: object) -> Side | None:
    return "right" if given == "right" else "left" if given == "left" else None

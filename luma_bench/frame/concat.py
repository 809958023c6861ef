"""`lb.concat`: rows of frames after one another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.base import Frame
from luma_bench.frame.dataframe import DataFrame
from luma_bench.frame.joining import frame_of
from luma_bench.frame.meeting import meeting
from luma_bench.frame.series import Series
from luma_bench.frame.unchanging import checking_keywords
from luma_bench.plan.expressions import ColumnRef, Expression, Literal
from luma_bench.plan.functions import NUMBERS
from luma_bench.plan.literals import constant
from luma_bench.plan.nodes import Node, Project, Union
from luma_bench.plan.registry import Kind
from luma_bench.plan.walk import kinds_of

_DAYS = frozenset(("date", "timestamp"))


@checking_keywords
def concat(
    objs: Iterable[Any] | Mapping[Any, Any],
    *,
    axis: int | str = 0,
    join: str = "outer",
    ignore_index: bool = False,
    keys: Iterable[Any] | None = None,
    names: Sequence[str] | str | None = None,
    sort: bool = False,
) -> Any:
    """The rows of several frames after one another: a frame, or a Series when all are Series.

    Columns come together by name, in the order in which they first stand. The rows are in the order of the parts as far as
    that is the order of stored rows, data and files; a `sort_values` of a part counts no more.

    Parameters
    ----------
    objs
        Frames and Series of one bench and snapshot, frames of data or of files, and data itself (Arrow, pandas, Polars,
        dicts of columns); or a dict of them, whose keys are `keys`.
    axis
        0: rows after one another. Frames come side by side with `merge`.
    join
        'outer': all columns, NULL where a part has none; 'inner': those that every part has.
    ignore_index
        Taken for pandas' sake: there is no index.
    keys
        A value for each part, in a column before the others that is called `key`, or what `names` says.
    names
        The name of the column of `keys`.
    sort
        Whether columns come in the order of their names, where the parts differ.

    Returns
    -------
    DataFrame or Series

    Raises
    ------
    SchemaError
        A column is of kinds that do not go together, such as text and numbers.
    UnsupportedError
        Nothing is given, the parts are of different benches or snapshots, or `axis=1`.

    Examples
    --------
    >>> lb.concat([{"x": [1, 2]}, {"x": [3], "y": ["a"]}]).to_dict("list")
    {'x': [1, 2, 3], 'y': [None, None, 'a']}
    """
    if axis not in (0, "index", "rows"):
        raise UnsupportedError(
            "Frames do not come side by side by position.",
            hint="Merge them by a key, or assign columns of one frame.",
        )
    if join not in ("outer", "inner"):
        raise UnsupportedError(f"concat(join={join!r}) is not known.", hint="It is 'outer' or 'inner'.")
    parts, labels = _parts(objs, keys)
    series = all(isinstance(part, Series) for part in parts)
    frames = _frames(parts, series=series)
    label = _label(labels, names)
    plans = [frame.plan for frame in frames]
    columns = _columns(plans, join, sort)
    _check_kinds(plans, columns)
    made = [
        Project(plan, _items(plan, columns, label, labels[place] if labels else None))
        for place, plan in enumerate(plans)
    ]
    combined = DataFrame(meeting(*frames), made[0] if len(made) == 1 else Union(tuple(made)))
    return combined[columns[0]] if series and label is None else combined


def _parts(objs: Any, keys: Iterable[Any] | None) -> tuple[list[Any], list[Any]]:
    if isinstance(objs, Mapping):
        listed = cast("Mapping[Any, Any]", objs)
        wanted = list(listed) if keys is None else list(keys)
        return [listed[key] for key in wanted], wanted
    if isinstance(objs, Frame | Series | str) or not isinstance(objs, Iterable):
        raise UnsupportedError(
            f"concat() takes a list of frames, not a {type(objs).__name__}.", hint="Write concat([a, b])."
        )
    parts = [part for part in cast("Iterable[Any]", objs) if part is not None]
    if not parts:
        raise UnsupportedError("concat() got no frames.", hint="Give at least one.")
    labels = [] if keys is None else list(keys)
    if keys is not None and len(labels) != len(parts):
        raise UnsupportedError(
            f"concat() got {len(parts)} frames and {len(labels)} keys.", hint="Give as many."
        )
    return parts, labels


def _frames(parts: list[Any], *, series: bool) -> list[Frame]:
    if not series:
        return [frame_of(part) for part in parts]
    names = {part.name for part in parts}
    name = names.pop() if len(names) == 1 else "value"
    return [part.to_frame(name) for part in parts]


def _label(labels: list[Any], names: Sequence[str] | str | None) -> str | None:
    for label in labels:
        if isinstance(label, tuple):
            raise UnsupportedError(
                "concat(keys=…) of several levels has no columns here.", hint="Give one value a part."
            )
        constant(label)
    if not labels:
        return None
    given = [names] if isinstance(names, str) else list(names or ["key"])
    if len(given) != 1:
        raise UnsupportedError("concat(names=…) is the name of one column.", hint="Give one name.")
    return given[0]


def _columns(plans: list[Node], join: str, sort: bool) -> list[str]:
    seen = list(dict.fromkeys(name for plan in plans for name in plan.names))
    if join == "inner":
        seen = [name for name in seen if all(name in plan.names for plan in plans)]
        if not seen:
            raise SchemaError("The frames have no column in common.", hint="Give join='outer'.")
    differ = any(list(plan.names) != seen for plan in plans)
    return sorted(seen) if sort and differ else seen


def _check_kinds(plans: list[Node], columns: list[str]) -> None:
    known = [kinds_of(plan) for plan in plans]
    for name in columns:
        kinds: dict[Kind, int] = {}
        for place, of in enumerate(known):
            kind = of.get(name, "other")
            if kind != "other":
                kinds.setdefault(kind, place)
        if len(kinds) > 1 and not kinds.keys() <= NUMBERS and not kinds.keys() <= _DAYS:
            shown = " and ".join(f"{kind!r} in part {place}" for kind, place in kinds.items())
            raise SchemaError(
                f"concat: the column {name!r} is of kind {shown}.",
                hint=f"Make it one type first: frame.astype({{{name!r}: …}}).",
            )


def _items(
    plan: Node, columns: list[str], label: str | None, value: Any
) -> tuple[tuple[str, Expression], ...]:
    items: list[tuple[str, Expression]] = [] if label is None else [(label, Literal(value))]
    items += [(name, ColumnRef(name) if name in plan.names else Literal(None)) for name in columns]
    return tuple(items)

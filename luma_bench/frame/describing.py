"""`frame.describe()`: pandas' table of statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.groupby_tables import percent
from luma_bench.frame.measuring import measures
from luma_bench.plan.expressions import ColumnRef, Expression
from luma_bench.plan.functions import NUMBERS, Kind
from luma_bench.plan.walk import kinds_of

if TYPE_CHECKING:
    import pandas as pd

    from luma_bench.frame.dataframe import DataFrame

_TIMES = frozenset[Kind](("timestamp", "date"))


def described(
    frame: DataFrame, percentiles: Sequence[float] | None, include: Any, exclude: Any
) -> pd.DataFrame:
    """The table of `frame.describe`."""
    import pandas as pd

    fractions = sorted({0.5, *((0.25, 0.5, 0.75) if percentiles is None else map(float, percentiles))})
    if any(not 0 <= q <= 1 for q in fractions):
        raise UnsupportedError(
            f"percentiles={percentiles!r} are not fractions.", hint="Give numbers from 0 to 1."
        )
    kinds = kinds_of(frame.plan)
    names = _chosen(frame, kinds, include, exclude)
    wanted: dict[Any, tuple[str, Expression, Mapping[str, Any]]] = {}
    for name in names:
        column, kind = ColumnRef(name), kinds[name]
        wanted[name, "count"] = ("count", column, {})
        if kind not in NUMBERS and kind not in _TIMES:
            wanted[name, "unique"] = ("nunique", column, {})
            continue
        for statistic in ("mean", "std", "min", "max"):
            if statistic != "std" or kind in NUMBERS:
                wanted[name, statistic] = (statistic, column, {})
        wanted.update({(name, percent(q)): ("quantile", column, {"q": q}) for q in fractions})
    found = measures(frame, wanted)
    rows = ["count"]
    if any(kinds[name] not in NUMBERS | _TIMES for name in names):
        rows += ["unique", "top", "freq"]
        for name in names:
            if kinds[name] not in NUMBERS | _TIMES:
                top = frame[name].value_counts().head(1).to_arrow().to_pylist()
                found[name, "top"], found[name, "freq"] = list(top[0].values()) if top else (None, None)
    if any(kinds[name] in NUMBERS | _TIMES for name in names):
        # pandas writes the statistics of times without std, and std of numbers last beside them.
        rows += ["mean", *(["std"] if any(kinds[name] in NUMBERS for name in names) else [])]
        rows += ["min", *(percent(q) for q in fractions), "max"]
    numbers = all(kinds[name] in NUMBERS for name in names)
    table = {name: [found.get((name, row)) for row in rows] for name in names}
    made = pd.DataFrame(table, index=pd.Index(rows))
    return made.astype(float) if numbers else made


def _chosen(frame: DataFrame, kinds: Mapping[str, Kind], include: Any, exclude: Any) -> list[str]:
    if isinstance(include, str) and include == "all":
        return frame.columns
    if include is not None or exclude is not None:
        return frame.select_dtypes(include, exclude).columns
    measured = [name for name in frame.columns if kinds[name] in NUMBERS | _TIMES]
    if not frame.columns:
        raise SchemaError("There is no column to describe.", hint="Keep at least one.")
    return measured or frame.columns

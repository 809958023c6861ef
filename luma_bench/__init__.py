"""Luma Bench: one question across tables, graphs, series, documents, vectors and text, at a snapshot.

`lb.open(path)` gives a `Bench`; a bench answers KadeQL, hands out lazy DataFrames and keeps every snapshot.
The public names are fixed here; heavy libraries load on first use.
"""

from __future__ import annotations

import typing

from luma_bench import errors

if typing.TYPE_CHECKING:
    from luma_bench.bench.bench import Bench, open  # noqa: A004
    from luma_bench.bench.formatting import format_kadeql
    from luma_bench.bench.graph.handle import Graph
    from luma_bench.bench.public import (
        DataFrame,
        GroupBy,
        Series,
        concat,
        crosstab,
        cut,
        date_range,
        from_arrow,
        from_dict,
        from_pandas,
        from_polars,
        get_dummies,
        melt,
        merge,
        merge_asof,
        pivot,
        pivot_table,
        qcut,
        read_csv,
        read_feather,
        read_json,
        read_parquet,
        read_sql,
        read_sql_query,
        read_table,
        to_datetime,
        to_numeric,
        to_timedelta,
    )
    from luma_bench.bench.result import Result
    from luma_bench.bench.series.handle import TimeSeries
    from luma_bench.bench.transaction import Transaction
    from luma_bench.types.identity import Identity
    from luma_bench.types.record import RunRecord, Snapshot

__version__ = "0.1.0"
__all__ = [
    "Bench",
    "DataFrame",
    "Graph",
    "GroupBy",
    "Identity",
    "Result",
    "RunRecord",
    "Series",
    "Snapshot",
    "TimeSeries",
    "Transaction",
    "__version__",
    "concat",
    "crosstab",
    "cut",
    "date_range",
    "errors",
    "format_kadeql",
    "from_arrow",
    "from_dict",
    "from_pandas",
    "from_polars",
    "get_dummies",
    "melt",
    "merge",
    "merge_asof",
    "open",
    "pivot",
    "pivot_table",
    "qcut",
    "read_csv",
    "read_feather",
    "read_json",
    "read_parquet",
    "read_sql",
    "read_sql_query",
    "read_table",
    "to_datetime",
    "to_numeric",
    "to_timedelta",
]

_HOMES = {
    "Bench": "luma_bench.bench.bench",
    "Graph": "luma_bench.bench.graph.handle",
    "TimeSeries": "luma_bench.bench.series.handle",
    "open": "luma_bench.bench.bench",
    "format_kadeql": "luma_bench.bench.formatting",
    "Result": "luma_bench.bench.result",
    "Identity": "luma_bench.types.identity",
    "RunRecord": "luma_bench.types.record",
    "Snapshot": "luma_bench.types.record",
    "Transaction": "luma_bench.bench.transaction",
}


def __getattr__(name: str) -> object:
    """Load a public name from its room on first use (PEP 562)."""
    # What has no home of its own is a name of frames.
    home = _HOMES.get(name, "luma_bench.bench.public" if name in __all__ else None)
    if home is None:
        raise AttributeError(f"module 'luma_bench' has no attribute {name!r}; it has {', '.join(__all__)}")
    import importlib

    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def load_ipython_extension(shell: object) -> None:
    """Answer `%load_ext luma_bench`: bring `%luma`, `%kadeql` and `%%kadeql` into the notebook."""
    from luma_bench.notebook.magic import load

    load(shell)


def unload_ipython_extension(shell: object) -> None:
    """Answer `%unload_ext luma_bench`: close the notebook's bench."""
    from luma_bench.notebook.magic import unload

    unload(shell)

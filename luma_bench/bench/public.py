"""The frames that `lb` hands out, with what runs those that belong to no bench."""

from __future__ import annotations

from luma_bench.bench.loose import loose_executor
from luma_bench.frame import DataFrame, GroupBy, Series
from luma_bench.frame.concat import concat
from luma_bench.frame.converting import to_datetime, to_numeric, to_timedelta
from luma_bench.frame.cutting import cut, qcut
from luma_bench.frame.date_range import date_range
from luma_bench.frame.loose import Loose
from luma_bench.frame.merge_asof import merge, merge_asof
from luma_bench.frame.pivot import crosstab, get_dummies, melt, pivot, pivot_table
from luma_bench.frame.read_csv import read_csv, read_table
from luma_bench.frame.read_sql import read_sql, read_sql_query
from luma_bench.frame.sources import (
    from_arrow,
    from_dict,
    from_pandas,
    from_polars,
    read_feather,
    read_json,
    read_parquet,
)

__all__ = [
    "DataFrame",
    "GroupBy",
    "Series",
    "concat",
    "crosstab",
    "cut",
    "date_range",
    "from_arrow",
    "from_dict",
    "from_pandas",
    "from_polars",
    "get_dummies",
    "melt",
    "merge",
    "merge_asof",
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

Loose.run_on(loose_executor)

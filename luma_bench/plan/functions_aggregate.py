"""Aggregates and window functions that plans know."""

from __future__ import annotations

from luma_bench.plan.functions_sql import SQL_AGGREGATES
from luma_bench.plan.registry import Aggregate, Function, call

AGGREGATES: dict[str, Aggregate] = {
    "size": Aggregate("count(*)", "int", operand=False),
    "count": Aggregate("count({0})", "int"),
    "nunique": Aggregate("count(DISTINCT {0})", "int"),
    "sum": Aggregate("sum({0})", "first"),
    "mean": Aggregate("avg({0})", "real"),
    "min": Aggregate("min({0})", "first"),
    "max": Aggregate("max({0})", "first"),
    "median": Aggregate("median({0})", "real"),
    "quantile": Aggregate("quantile_cont({0}, {1})", "real"),
    "std": Aggregate("stddev_samp({0})", "real"),
    "var": Aggregate("var_samp({0})", "real"),
    "prod": Aggregate("product({0})", "real"),
    "any": Aggregate("bool_or({0})", "bool"),
    "all": Aggregate("bool_and({0})", "bool"),
    "first": Aggregate("first({0})", "first"),
    "last": Aggregate("last({0})", "first"),
    "arg_min": Aggregate("arg_min({0}, {2})", "first", pair=True),
    "arg_max": Aggregate("arg_max({0}, {2})", "first", pair=True),
    "list": Aggregate("list({0})", "other"),
    "any_value": Aggregate("any_value({0})", "first"),
    "mode": Aggregate("mode({0})", "first"),
    "corr": Aggregate("corr({0}, {2})", "real", pair=True),
    "covar": Aggregate("covar_samp({0}, {2})", "real", pair=True),
    "covar_pop": Aggregate("covar_pop({0}, {2})", "real", pair=True),
    "unique": Aggregate("list(DISTINCT {0})", "other"),
    "var_pop": Aggregate("var_pop({0})", "real"),
    "std_pop": Aggregate("stddev_pop({0})", "real"),
    "skew": Aggregate("skewness({0})", "real"),
    "kurt": Aggregate("kurtosis({0})", "real"),
    "quantile_disc": Aggregate("quantile_disc({0}, {1})", "first"),
    "string_agg": Aggregate("string_agg({0}, {1})", "text"),
    **SQL_AGGREGATES,
}
"""Aggregates by their pandas name. `first`, `last`, `list` and `string_agg` want an order: a group has none."""

WINDOWS: dict[str, Function] = {
    "row_number": call("row_number", "int", 0),
    "rank": call("rank", "int", 0),
    "dense_rank": call("dense_rank", "int", 0),
    "percent_rank": call("percent_rank", "real", 0),
    "cume_dist": call("cume_dist", "real", 0),
    "ntile": call("ntile", "int", 1),
    "lag": call("lag", "first", 1, 3),
    "lead": call("lead", "first", 1, 3),
    "first_value": call("first_value", "first"),
    "last_value": call("last_value", "first"),
    "nth_value": call("nth_value", "first", 2),
}
"""Functions that only windows have; every aggregate is one too."""

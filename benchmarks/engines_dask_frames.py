"""TPC-H questions 1, 3, 5, 6, 9 and 18 in dask.dataframe, written by hand as its users write them.

Money is decimal in the files; it is cast to float64 on reading, since products of decimals outgrow 38 digits. Filters stand
before joins, only the columns that a question needs are read, and tables of one partition are joined without a shuffle.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

BLOCK = "32MiB"
"""What a partition holds of a file: of 16, 32, 64, 128 and 256 MiB the fastest over these questions."""

type Frame = Any
type Tables = Callable[..., Frame]
"""`tables("lineitem", "l_tax", …)`: these columns of a table, money as float64."""

_MONEY = frozenset({
    "l_quantity", "l_extendedprice", "l_discount", "l_tax", "o_totalprice", "ps_supplycost",
})  # fmt: skip


def tables(files: Mapping[str, Path]) -> Tables:
    """What reads columns of the Parquet files."""
    import dask.dataframe as dd

    def read(table: str, *columns: str) -> Frame:
        found = dd.read_parquet(str(files[table]), columns=list(columns), blocksize=BLOCK)
        money = {name: "float64" for name in columns if name in _MONEY}
        return found.astype(money) if money else found

    return read


def pricing_summary(read: Tables) -> Frame:
    """Question 1."""
    found = read(
        "lineitem", "l_returnflag", "l_linestatus", "l_quantity", "l_extendedprice", "l_discount", "l_tax", "l_shipdate"
    )  # fmt: skip
    found = found[found.l_shipdate <= dt.date(1998, 9, 2)]
    # Keys of a few letters: grouping by categories is a third faster than by strings.
    found = found.astype({"l_returnflag": "category", "l_linestatus": "category"})
    found["disc_price"] = found.l_extendedprice * (1 - found.l_discount)
    found["charge"] = found.disc_price * (1 + found.l_tax)
    grouped = found.groupby(["l_returnflag", "l_linestatus"], observed=True).agg(
        sum_qty=("l_quantity", "sum"),
        sum_base_price=("l_extendedprice", "sum"),
        sum_disc_price=("disc_price", "sum"),
        sum_charge=("charge", "sum"),
        avg_qty=("l_quantity", "mean"),
        avg_price=("l_extendedprice", "mean"),
        avg_disc=("l_discount", "mean"),
        count_order=("l_quantity", "size"),
    )
    found = grouped.reset_index().compute()
    return found.astype({"l_returnflag": "str", "l_linestatus": "str"}).sort_values(
        ["l_returnflag", "l_linestatus"]
    )


def shipping_priority(read: Tables) -> Frame:
    """Question 3."""
    day = dt.date(1995, 3, 15)
    customers = read("customer", "c_custkey", "c_mktsegment")
    customers = customers[customers.c_mktsegment == "BUILDING"][["c_custkey"]]
    orders = read("orders", "o_orderkey", "o_custkey", "o_orderdate", "o_shippriority")
    orders = orders[orders.o_orderdate < day]
    lines = read("lineitem", "l_orderkey", "l_extendedprice", "l_discount", "l_shipdate")
    lines = lines[lines.l_shipdate > day]
    lines["revenue"] = lines.l_extendedprice * (1 - lines.l_discount)
    wanted = orders.merge(customers, left_on="o_custkey", right_on="c_custkey")
    joined = lines[["l_orderkey", "revenue"]].merge(
        wanted[["o_orderkey", "o_orderdate", "o_shippriority"]], left_on="l_orderkey", right_on="o_orderkey"
    )
    # A tree, not one partition for the many groups: they are as many as orders.
    grouped = joined.groupby(["l_orderkey", "o_orderdate", "o_shippriority"]).revenue.sum(split_out=True)
    found = grouped.reset_index().compute().sort_values(["revenue", "o_orderdate"], ascending=[False, True])
    return found.head(10)[["l_orderkey", "revenue", "o_orderdate", "o_shippriority"]]


def local_volume(read: Tables) -> Frame:
    """Question 5."""
    regions = read("region", "r_regionkey", "r_name")
    nations = read("nation", "n_nationkey", "n_name", "n_regionkey")
    orders = read("orders", "o_orderkey", "o_custkey", "o_orderdate")
    orders = orders[(orders.o_orderdate >= dt.date(1994, 1, 1)) & (orders.o_orderdate < dt.date(1995, 1, 1))]
    lines = read("lineitem", "l_orderkey", "l_suppkey", "l_extendedprice", "l_discount")
    lines["revenue"] = lines.l_extendedprice * (1 - lines.l_discount)
    asian = nations.merge(
        regions[regions.r_name == "ASIA"], left_on="n_regionkey", right_on="r_regionkey"
    )[["n_nationkey", "n_name"]]  # fmt: skip
    suppliers = read("supplier", "s_suppkey", "s_nationkey").merge(
        asian, left_on="s_nationkey", right_on="n_nationkey"
    )[["s_suppkey", "s_nationkey", "n_name"]]
    customers = read("customer", "c_custkey", "c_nationkey")
    wanted = orders.merge(customers, left_on="o_custkey", right_on="c_custkey")[["o_orderkey", "c_nationkey"]]
    sold = lines[["l_orderkey", "l_suppkey", "revenue"]].merge(
        suppliers, left_on="l_suppkey", right_on="s_suppkey"
    )
    joined = sold.merge(wanted, left_on=["l_orderkey", "s_nationkey"], right_on=["o_orderkey", "c_nationkey"])
    grouped = joined.groupby("n_name").revenue.sum().reset_index()
    return grouped.compute().sort_values("revenue", ascending=False)


def forecast(read: Tables) -> Frame:
    """Question 6."""
    import pandas as pd

    found = read("lineitem", "l_quantity", "l_extendedprice", "l_discount", "l_shipdate")
    found = found[
        (found.l_shipdate >= dt.date(1994, 1, 1))
        & (found.l_shipdate < dt.date(1995, 1, 1))
        & found.l_discount.between(0.05, 0.07)
        & (found.l_quantity < 24)
    ]
    return pd.DataFrame({"revenue": [(found.l_extendedprice * found.l_discount).sum().compute()]})


def product_profit(read: Tables) -> Frame:
    """Question 9."""
    parts = read("part", "p_partkey", "p_name")
    parts = parts[parts.p_name.str.contains("green", regex=False)][["p_partkey"]]
    suppliers = read("supplier", "s_suppkey", "s_nationkey").merge(
        read("nation", "n_nationkey", "n_name"), left_on="s_nationkey", right_on="n_nationkey"
    )[["s_suppkey", "n_name"]]
    supplied = (
        read("partsupp", "ps_partkey", "ps_suppkey", "ps_supplycost")
        .merge(parts, left_on="ps_partkey", right_on="p_partkey")
        .merge(suppliers, left_on="ps_suppkey", right_on="s_suppkey")
    )[["ps_partkey", "ps_suppkey", "ps_supplycost", "n_name"]]
    lines = read(
        "lineitem", "l_orderkey", "l_partkey", "l_suppkey", "l_quantity", "l_extendedprice", "l_discount"
    )
    joined = lines.merge(supplied, left_on=["l_partkey", "l_suppkey"], right_on=["ps_partkey", "ps_suppkey"])
    joined["sum_profit"] = (
        joined.l_extendedprice * (1 - joined.l_discount) - joined.ps_supplycost * joined.l_quantity
    )
    orders = read("orders", "o_orderkey", "o_orderdate")
    orders["o_year"] = orders.o_orderdate.dt.year
    joined = joined[["l_orderkey", "n_name", "sum_profit"]].merge(
        orders[["o_orderkey", "o_year"]], left_on="l_orderkey", right_on="o_orderkey"
    )
    found = joined.groupby(["n_name", "o_year"]).sum_profit.sum().reset_index().compute()
    found = found.rename(columns={"n_name": "nation"})
    return found.sort_values(["nation", "o_year"], ascending=[True, False])


def large_orders(read: Tables) -> Frame:
    """Question 18."""
    lines = read("lineitem", "l_orderkey", "l_quantity")
    quantities = lines.groupby("l_orderkey").l_quantity.sum(split_out=True).reset_index()
    quantities = quantities[quantities.l_quantity > 300]
    orders = read("orders", "o_orderkey", "o_custkey", "o_orderdate", "o_totalprice")
    customers = read("customer", "c_custkey", "c_name")
    # The sum of an order's lines is the quantity that the question asks for: its orders are few, its lines are read once.
    found = (
        orders.merge(quantities, left_on="o_orderkey", right_on="l_orderkey")
        .merge(customers, left_on="o_custkey", right_on="c_custkey")
        .compute()
        .sort_values(["o_totalprice", "o_orderdate"], ascending=[False, True])
        .head(100)
    )
    return found[["c_name", "c_custkey", "o_orderkey", "o_orderdate", "o_totalprice", "l_quantity"]]


QUESTIONS: Mapping[str, Callable[[Tables], Frame]] = {
    "q01": pricing_summary,
    "q03": shipping_priority,
    "q05": local_volume,
    "q06": forecast,
    "q09": product_profit,
    "q18": large_orders,
}
"""The questions by the names of their texts; each gives a pandas frame in the order of the text's columns and rows."""


def arrow(frame: Frame, names: list[str]) -> pa.Table:
    """An answer as an Arrow table with the text's names."""
    return (
        pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None).rename_columns(names)
    )

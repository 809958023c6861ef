"""`lb.read_sql`: the answer to a KadeQL text as a frame."""

from __future__ import annotations

from collections.abc import Mapping

from luma_bench.frame.dataframe import DataFrame
from luma_bench.frame.loose import HasExecutor, bench_of
from luma_bench.frame.unchanging import checking_keywords
from luma_bench.plan.nodes import Relation


@checking_keywords
def read_sql(sql: str, con: HasExecutor, *, params: Mapping[str, object] | None = None) -> DataFrame:
    """A frame of the answer to one KadeQL query, which runs now; its rows are in the order of the answer.

    Parameters
    ----------
    sql
        The text, or the name of a table, which is not read before it is asked for.
    con
        The bench.
    params
        Values of `$name` parameters.

    Raises
    ------
    UnsupportedError
        `con` is no bench.
    KadeQLError
        The text is wrong.

    Examples
    --------
    >>> lb.read_sql("SELECT count(*) AS n FROM flights", bench).n.item() == len(flights)
    True
    """
    executor = bench_of(con, "read_sql").executor()
    if sql.isidentifier():
        return DataFrame.scan(executor, sql)
    return DataFrame(executor, Relation(executor.execute(sql, params=params).to_arrow()))


read_sql_query = read_sql

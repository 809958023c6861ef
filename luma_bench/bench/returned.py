"""RETURNING as it runs: its list over the rows that a statement wrote or took away."""

from __future__ import annotations

import pyarrow as pa

from luma_bench.bench.finding import Finder, typed
from luma_bench.errors import KadeQLBindError
from luma_bench.language import MARK, MARKS, MERGE_ACTION, RETURNED, Returning, aggregate_error
from luma_bench.types.schema import TableSchema


def returned(
    finder: Finder,
    returning: Returning,
    table: TableSchema,
    rows: pa.Table,
    actions: pa.Array | None = None,
) -> pa.Table:
    """The list of RETURNING, a row for each of `rows`.

    Parameters
    ----------
    actions
        What MERGE did with each row: INSERT, UPDATE or DELETE.

    Raises
    ------
    KadeQLError
        A name or value is wrong, or an aggregate stands in the list; it points into the user's text.
    ResourceError
        The rows are more than a result may hold.
    """
    marks = {MARK: pa.nulls(rows.num_rows, pa.bool_())}
    if actions is not None:
        marks = {MERGE_ACTION: actions, **marks}
    try:
        found = finder.over(returning.query, {RETURNED: typed(rows, table), MARKS: pa.table(marks)})
    except KadeQLBindError as error:
        if f'"{MARK}"' in error.message:
            raise aggregate_error(returning.query, returning.span) from error
        raise
    if found.num_columns == 1:
        raise KadeQLBindError(
            "RETURNING gives no column.",
            text=returning.query.whole,
            span=returning.span,
            hint="Leave RETURNING out, or name a column that it gives.",
        )
    shown = found.select(range(found.num_columns - 1))
    if finder.ask.caps is not None:
        finder.ask.caps.check_returned(shown.num_rows, shown.nbytes)
    return shown

"""The aggregates of a window join in SQL: their types, and their values over pairs of rows that the join has laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.asof_sides import Side
from luma_bench.errors import KadeQLBindError, KadeQLError
from luma_bench.language import Query, parse
from luma_bench.language.series.pattern import Aggregate, WindowJoin
from luma_bench.models.series.runs import Ints
from luma_bench.types.arrays import integers
from luma_bench.types.sql_text import quoted

_PAIRS, _NUMBER = "luma_pairs", "luma_left_row"


@dataclass
class WindowSql:
    """The aggregate calls of one window join as SQL over its right side.

    Parameters
    ----------
    whole
        The user's whole text, for messages.
    """

    island: WindowJoin
    whole: str
    right: Side
    asked: Asked

    def fields(self) -> list[pa.Field]:
        """The columns of the aggregates, as SQL has them.

        Raises
        ------
        KadeQLBindError
            An aggregate does not bind; it points at the call.
        """
        calls = self.island.aggregates
        try:
            schema = self._described(calls)
        except KadeQLError:
            for call in calls:
                self._check(call)
            raise
        return [item.with_name(call.column) for item, call in zip(schema, calls, strict=True)]

    @property
    def columns(self) -> list[str]:
        """The right columns that the calls may name."""
        text = "\0".join(call.sql for call in self.island.aggregates).casefold()
        return [name for name in self.right.rows.schema.names if name.casefold() in text]

    def answers(self, calls: Sequence[Aggregate], pairs: pa.Table, sizes: Ints) -> list[pa.Array]:
        """Each aggregate over pairs, one value a left row.

        Parameters
        ----------
        pairs
            Right columns.
        sizes
            How many of the rows are of each left row, one after the other; empty for one value over no rows.
        """
        if not len(sizes):
            found = self._run(self._query(calls, ""), pairs)
        else:
            numbers = integers(np.repeat(np.arange(len(sizes)), sizes))
            grouped = self._query(calls, f" GROUP BY {_NUMBER} ORDER BY {_NUMBER}")
            found = self._run(grouped, pairs.append_column(_NUMBER, numbers))
        return [column.combine_chunks() for column in found.columns]

    def _query(self, calls: Sequence[Aggregate], behind: str) -> Query:
        selected = ", ".join(f"{call.sql} AS {quoted(call.column)}" for call in calls)
        text = f"SELECT {selected} FROM {_PAIRS} AS {quoted(self.right.alias)}{behind}"
        (found,) = parse(text, self.asked.binder.inspector)
        assert isinstance(found, Query)
        return found

    def _run(self, query: Query, pairs: pa.Table) -> pa.Table:
        asked = self.asked
        limits = asked.ask.limits
        ask = replace(
            asked.ask,
            tables={_PAIRS: pairs},
            cache=False,
            engine="auto",
            strict=False,
            limits=None if limits is None else limits.uncapped(),
        )
        return asked.binder.bind(query, ask, asked.view).run()

    def _described(self, calls: Sequence[Aggregate]) -> pa.Schema:
        schema = self.right.rows.schema
        query = self._query(calls, "")
        if query.params:
            # The type of a column may hang on the value of a parameter: SQL says it over no rows.
            return self._run(query, schema.empty_table()).schema
        return self.asked.binder.inspector.describe(query.sql, {_PAIRS: schema})

    def _check(self, call: Aggregate) -> None:
        try:
            self._described([call])
        except KadeQLError as error:
            raise KadeQLBindError(error.plain, text=self.whole, span=call.span, hint=error.hint) from error

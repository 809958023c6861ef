"""An input that is no plain table, or whose condition only SQL can judge, as the engine streams it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from luma_bench.bench.exporting import exact
from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.zoned import Zoned, zoned
from luma_bench.language import Query
from luma_bench.language.series.pattern import Input
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from luma_bench.bench.binding import Bound

_BYTES = 4_000


class Queried:
    """The query of an input, asked for its columns and its rows."""

    def __init__(self, given: Input, asked: Asked) -> None:
        self._given = given
        self._asked = asked

    @property
    def columns(self) -> Zoned:
        """The columns of the query, found without running it; of two columns of one name the second gets another.

        Times have the zone of the column that they come from.

        Raises
        ------
        KadeQLError
            The query does not bind; it points into the user's text.
        """
        asked, query = self._asked, self._given.query
        if not asked.lasting or query.volatile:
            return self._found()
        params = tuple((name, repr(asked.ask.params.get(name))) for name in sorted(query.params))
        key = ("columns", query.sql, asked.view.id, params, asked.ask.identity)
        return asked.kept.answers.get(key, self._found, lambda _: _BYTES)

    def _found(self) -> Zoned:
        bound = self._bound(_around(self._given.query, "SELECT * FROM (\n", "\n) LIMIT 0"), types_only=True)
        return zoned(bound, bound.run().schema, self._asked)

    def batches(
        self, columns: Sequence[str], schema: pa.Schema, *, filtered: bool
    ) -> Iterator[pa.RecordBatch]:
        """The rows as the engine gives them, in the types of `schema`, which names the columns.

        Parameters
        ----------
        filtered
            Apply the condition of the input.
        """
        given = self._given
        query = given.where if filtered and given.where is not None else given.query
        names = list(columns) or [schema.names[0]]
        selected = ", ".join(map(quoted, names))
        told = pa.schema([schema.field(name) for name in names])
        binder = self._asked.binder
        bound = self._bound(_around(query, f"SELECT {selected} FROM (\n", "\n)"))
        for batch in binder.reduced(bound).stream():
            arrays = [exact(array, field.type) for array, field in zip(batch.columns, told, strict=True)]
            made = pa.RecordBatch.from_arrays(arrays, schema=told)
            yield made if columns else made.select([])

    def _bound(self, query: Query, *, types_only: bool = False) -> Bound:
        asked = self._asked
        limits = asked.ask.limits
        ask = replace(
            asked.ask,
            cache=False,
            engine="auto",
            strict=False,
            limits=None if limits is None else limits.uncapped(),
        )
        return asked.binder.bind(query, ask, asked.view, types_only=types_only)


def decoded(kind: pa.DataType) -> pa.DataType:
    """The type under a dictionary, or the type itself."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _around(query: Query, before: str, behind: str) -> Query:
    """A query over a query; places in it stay those of the user's text."""
    return replace(
        query,
        sql=f"{before}{query.sql}{behind}",
        offsets=query.offsets.shifted(len(before), query.start),
    )

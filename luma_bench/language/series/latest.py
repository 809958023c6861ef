"""LATEST ON: the newest row of each series, `FROM t WHERE c LATEST ON ts PARTITION BY k`; the condition picks rows before."""

from __future__ import annotations

from typing import Final

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.series.blocks import Block, Clause, block_at
from luma_bench.language.series.grouping import filtered, one_relation
from luma_bench.language.series.inputs import column_name, column_names
from luma_bench.language.series.naming import keep_series
from luma_bench.language.series.pattern import Latest
from luma_bench.language.series.windows import qualify
from luma_bench.types.sql_text import quoted

SHAPE: Final = "Write SELECT * FROM t [WHERE …] LATEST ON ts PARTITION BY key [ORDER BY …]."
_JOIN: Final = "Put the join into a subquery: FROM (SELECT a.ts, a.k, b.x FROM a JOIN b ON a.k = b.k) LATEST ON ts PARTITION BY k."


def parse_latest(draft: Draft, index: int, end: int) -> None:
    """The LATEST ON at a token, whose words end at `end`; the draft gets its island and edits.

    Raises
    ------
    KadeQLSyntaxError
        It has another shape, or a WHERE stands behind it.
    KadeQLUnsupportedError
        It reads a join.
    """
    tokens, block = draft.tokens, block_at(draft, index)
    clause = next((item for item in block.clauses if item.first == index), None)
    if clause is None:
        raise draft.wrong("LATEST ON stands behind the FROM and WHERE of a SELECT.", index, SHAPE)
    item = one_relation(draft, block, index, "LATEST ON", SHAPE, _JOIN)
    _refuse_order(draft, block, clause)
    cursor = Cursor(tokens, end, clause.last, draft.scope.last)
    time = column_name(cursor, "the time column", SHAPE)
    cursor.expect("PARTITION BY and what tells series apart", "PARTITION", "BY", hint=SHAPE)
    keys = column_names(cursor, "a column behind PARTITION BY", SHAPE)
    if not cursor.done:
        raise cursor.expected("a comma, ORDER BY, LIMIT or the end of the block", SHAPE)
    span = tokens.span(block.first, clause.last)
    island = keep_series(
        draft,
        Latest(
            text=tokens.slice(clause.first, clause.last),
            span=span,
            input=filtered(draft, block),
            keys=keys,
            time=time,
        ),
    )
    source, where = block.get("FROM"), block.get("WHERE")
    _cut(draft, source, f"{quoted(island.alias)} AS {quoted(item.name)}", body=True)
    _cut(draft, where, "")
    _cut(draft, clause, "")
    qualify(draft, item, written=False)


def _refuse_order(draft: Draft, block: Block, clause: Clause) -> None:
    """A condition, grouping or sample between FROM and LATEST ON, or a condition behind it."""
    where, sample = block.get("WHERE"), block.get("USING")
    if where is not None and where.first > clause.first:
        raise KadeQLSyntaxError(
            "WHERE stands before LATEST ON: it picks the rows of which the newest are given.",
            text=draft.tokens.text,
            span=draft.tokens.span(where.first),
            hint="Put it before, or filter the newest rows: SELECT * FROM (SELECT * FROM t LATEST ON ts PARTITION BY k) WHERE …",
        )
    if sample is not None:
        raise draft.wrong(
            "USING SAMPLE cannot stand beside LATEST ON.",
            sample.first,
            "Sample the newest rows: SELECT * FROM (SELECT * FROM t LATEST ON ts PARTITION BY k) USING SAMPLE 10 ROWS.",
        )


def _cut(draft: Draft, clause: Clause | None, text: str, *, body: bool = False) -> None:
    """Put text in the place of a clause, or of what its word leads."""
    if clause is not None:
        first = clause.body if body else clause.first
        draft.replace(first, clause.last, text)
        draft.taken.update(range(first, clause.last))

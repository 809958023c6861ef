"""Reading series functions, which stand as tables: `EWMA(TABLE t PARTITION BY k, DESCRIPTOR(ts), x, alpha => 0.1)`."""

from __future__ import annotations

from typing import Final

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.functions import VOLATILE_WORDS
from luma_bench.language.keywords import RESERVED, split
from luma_bench.language.part_queries import Range
from luma_bench.language.series.inputs import column_name, constant_of, input_of, word_of
from luma_bench.language.series.naming import keep_series
from luma_bench.language.series.pattern import Applied, Constant, Name
from luma_bench.language.series.recognise import item_at
from luma_bench.language.series.windows import descriptor, put_relation, qualify, rows_of
from luma_bench.language.tokens import listed

SERIES_FUNCTIONS: Final = frozenset(
    split("""
    EWMA DOWNSAMPLE DERIVATIVE DIFFERENCES AUTOCORRELATION SEASONAL_RESIDUALS ROBUST_ZSCORE CHANGE_POINTS
    MATRIX_PROFILE FORECAST
    """)
)
"""The functions, in upper case."""
_SHAPE: Final = "Write {}(TABLE t PARTITION BY k, DESCRIPTOR(ts), x, name => value, …)."


def series_function(draft: Draft, index: int) -> int | None:
    """NAME (TABLE or NAME (( where a table stands, with DESCRIPTOR inside: anything else is a function of another kind."""
    tokens, last = draft.tokens, draft.scope.last
    if index not in draft.scope.starts:
        return None
    if tokens.follows(index + 1, last, "(", "TABLE"):
        return index + 1
    if not tokens.follows(index + 1, last, "(", "("):
        return None
    inside = tokens.words[index + 2 : tokens.closing(index + 1, last)]
    return index + 1 if "DESCRIPTOR" in inside else None


def read_applied(draft: Draft, index: int) -> None:
    """The series function at a token; the draft gets its island and edit.

    Raises
    ------
    KadeQLSyntaxError
        It has another shape, or an option stands twice.
    """
    tokens, scope = draft.tokens, draft.scope
    function = tokens.words[index]
    shape = _SHAPE.format(function)
    close = tokens.closing(index + 1, scope.last)
    cursor = Cursor(tokens, index + 2, close, scope.last)
    rows = rows_of(cursor, shape)
    time = descriptor(cursor, shape)
    if not cursor.done:
        cursor.expect("a comma or )", ",", hint=shape)
    values: list[Name] = []
    options: dict[str, Constant] = {}
    for part in listed(tokens, cursor.index, close):
        given = Cursor(tokens, *part, scope.last)
        if tokens.follows(part[0] + 1, part[1], "=>") or tokens.follows(part[0] + 1, part[1], ":="):
            name = tokens.names[part[0]].casefold()
            if name in options:
                raise KadeQLSyntaxError(
                    f"The option {tokens.names[part[0]]} stands twice.",
                    text=tokens.text,
                    span=tokens.span(part[0]),
                    hint="Give each option once.",
                )
            options[name] = _value(draft, given, part)
        elif options:
            raise given.expected("a name and => behind another one", shape)
        else:
            values.append(column_name(given, "a column, or an option's name and =>", shape))
            if not given.done:
                raise given.expected(
                    "a comma or ) behind the column",
                    "A value is a column: compute it in a query, TABLE (SELECT …, a + b AS x FROM t).",
                )
    island = Applied(
        text=tokens.slice(index, close + 1),
        span=tokens.span(index, close + 1),
        function=function,
        input=input_of(draft, *rows.place),
        keys=rows.keys,
        time=time,
        values=tuple(values),
        options=options,
    )
    behind = item_at(tokens, index, scope.last)
    written = behind is not None and behind.aliased
    kept = keep_series(draft, island)
    put_relation(draft, index, close + 1, kept.alias, rows.item.name, written=written)
    qualify(draft, rows.item, written=written)


def _value(draft: Draft, given: Cursor, part: Range) -> Constant:
    """The value behind `name =>`; a name alone stands for itself: method => lttb."""
    tokens = draft.tokens
    first, last = part[0] + 2, part[1]
    if first >= last:
        given.index = first
        raise given.expected(f"a value for {tokens.names[part[0]]}")
    word = tokens.words[first]
    alone = last - first == 1 and tokens.is_name(first) and word not in RESERVED
    return word_of(draft, first) if alone and word not in VOLATILE_WORDS else constant_of(draft, first, last)

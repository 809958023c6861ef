"""`table AT (VERSION => 3 | TIMESTAMP => '2026-01-01' | TAG => 'name')`: a table as it was at another snapshot.

The table's name becomes that of a pinned relation and `AT (…)` goes away; a reference without an alias gets the
table's own name as one, so that `flights.origin` keeps its meaning.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.diagnostics import expected
from luma_bench.language.draft import Draft
from luma_bench.language.functions import CATALOG, INFORMATION, SCHEMAS
from luma_bench.language.islands.island import Island
from luma_bench.language.keywords import RESERVED, TYPE_FUNCTION
from luma_bench.language.placed import Parameter, Pin
from luma_bench.language.references import is_information
from luma_bench.language.row_ids import (
    PAST_SHAPE,
    is_rows_call,
    no_row_ids,
    rows_call,
    rows_call_before,
)
from luma_bench.language.tokens import NUMBER, STRING, Tokens
from luma_bench.types.schema import rows_relation
from luma_bench.types.sql_text import quoted

_SHAPE: Final = "Write flights AT (VERSION => 3), AT (TIMESTAMP => '2026-01-31 12:00') or AT (TAG => 'name'); $name works too."
_NO_ALIAS_AFTER: Final = frozenset({"TABLE", "DESCRIBE", "DESC", "SUMMARIZE", "SHOW"})
_MOMENTS: Final = frozenset({"TIMESTAMP", "TIMESTAMPTZ", "DATE", "DATETIME"})


def _find(draft: Draft, index: int) -> int | None:
    """AT before a bracket: DuckDB keeps the word from being a name, so nothing else can stand there."""
    return index + 1 if draft.tokens.follows(index + 1, draft.scope.last, "(") else None


def _parse(draft: Draft, index: int, end: int) -> None:
    tokens, scope = draft.tokens, draft.scope
    close = tokens.closing(end, scope.last)
    first, last, aliased = _table(draft, index)
    call = rows_call(draft, first)
    start, stop = (first, last) if call is None else (call.start, call.stop)
    table = _catalog_name(draft, start, stop)
    if call is not None and is_information(table):
        raise no_row_ids(f"{table!r} tells of the catalog", tokens.text, tokens.span(start, stop))
    by, value = _moment(tokens, end + 1, close)
    shown = (
        f"${value.name}"
        if isinstance(value, Parameter)
        else value.isoformat()
        if isinstance(value, dt.datetime)
        else value
    )
    alias = f"{table} @{by.upper()} {shown}"
    draft.pin(Pin(alias, table, by, value, tokens.span(index, close + 1), rows=call is not None))
    draft.replace(first, last, quoted(alias if call is None else rows_relation(alias)))
    bare = (
        aliased
        or (first > scope.first and tokens.words[first - 1] in _NO_ALIAS_AFTER)
        or _alias_follows(tokens, close + 1, scope.last)
    )
    draft.replace(index, close + 1, "" if bare else f"AS {tokens.slice(stop - 1, stop)}")


def _table(draft: Draft, index: int) -> tuple[int, int, bool]:
    """The tokens of the table's name before AT, half-open, and whether an alias stands between them or before them."""
    tokens, scope = draft.tokens, draft.scope
    last, aliased = index, False
    if index - 2 >= scope.first and tokens.is_name(index - 1):
        before = index - 2
        if tokens.words[before] == "AS":
            last, aliased = before, True
        elif tokens.words[before] == ")" or _may_be_alias(tokens, before):
            last, aliased = index - 1, True
    call = rows_call_before(draft, last - 1) if tokens.words[last - 1] == ")" else None
    if call is not None:
        before = tokens.words[call.first - 1] if call.first > scope.first else ""
        return call.first, last, aliased or before == ":"
    first = last - 1
    while first - 2 >= scope.first and tokens.words[first - 1] == "." and tokens.is_name(first - 2):
        first -= 2
    if first < scope.first or first not in scope.starts or not tokens.is_name(last - 1):
        inside = first - 2 >= scope.first and is_rows_call(tokens, first - 2, index)
        hint = PAST_SHAPE if inside else _SHAPE
        raise draft.wrong("AT (…) follows the name of a stored table in FROM or JOIN.", index, hint)
    if last - first > 3:
        raise draft.wrong(
            "A name has a schema at most: a bench is one database.",
            first,
            f"Write {tokens.slice(last - 3, last)} AT (…).",
        )
    if first - 1 >= scope.first and tokens.words[first - 1] == ":":
        aliased = True
    return first, last, aliased


def _catalog_name(draft: Draft, first: int, last: int) -> str:
    """The table's name in the catalog; one of a schema may be named with its schema elsewhere in the query."""
    tokens = draft.tokens
    schema, table = tokens.names[first], tokens.names[last - 1]
    if last - first == 1 or schema.casefold() == "main":
        return table
    whole = f"{schema}.{table}"
    if schema.casefold() in SCHEMAS and whole.casefold() not in INFORMATION:
        raise CATALOG.error(tokens.text, tokens.span(first))
    draft.qualified.setdefault((schema.casefold(), table.casefold()), set()).add(tokens.slice(last - 1, last))
    return whole.casefold() if whole.casefold() in INFORMATION else whole


def _may_be_alias(tokens: Tokens, index: int) -> bool:
    """Whether the token is a name that no grammar claims: an alias, or the table before one."""
    word = tokens.words[index]
    return tokens.is_name(index) and word not in RESERVED and word not in TYPE_FUNCTION


def _alias_follows(tokens: Tokens, index: int, end: int) -> bool:
    return index < end and (tokens.words[index] == "AS" or _may_be_alias(tokens, index))


def _moment(
    tokens: Tokens, index: int, close: int
) -> tuple[Literal["version", "timestamp", "tag"], int | str | dt.datetime | Parameter]:
    """What stands inside the brackets."""
    unit = tokens.words[index] if index < close else ""
    if unit not in ("VERSION", "TIMESTAMP", "TAG"):
        raise expected(tokens, index, close + 1, "VERSION, TIMESTAMP or TAG", _SHAPE)
    if not tokens.follows(index + 1, close, "=>"):
        raise expected(tokens, index + 1, close + 1, f"=> after {unit}", _SHAPE)
    place = index + 2
    if tokens.follows(place, close, "$") and place + 1 < close and tokens.names[place + 1]:
        value: int | str | dt.datetime | Parameter = Parameter(tokens.names[place + 1])
        after = place + 2
    elif unit == "VERSION":
        value, after = _version(tokens, place, close), place + 1
    elif unit == "TAG":
        if not tokens.follows(place, close, STRING):
            raise expected(tokens, place, close + 1, "a tag in single quotes", _SHAPE)
        value, after = tokens.names[place], place + 1
    else:
        value, after = _timestamp(tokens, place, close)
    if after != close:
        raise expected(tokens, after, close + 1, ") after the snapshot", _SHAPE)
    if unit == "VERSION":
        return "version", value
    return ("timestamp", value) if unit == "TIMESTAMP" else ("tag", value)


def _version(tokens: Tokens, index: int, close: int) -> int:
    written = tokens.slice(index, index + 1).replace("_", "")
    if tokens.words[index] != NUMBER or not written.isdecimal():
        raise expected(tokens, index, close + 1, "a snapshot's number", _SHAPE)
    return int(written)


def _timestamp(tokens: Tokens, index: int, close: int) -> tuple[dt.datetime, int]:
    """A literal moment: `'…'`, `TIMESTAMP '…'`, `TIMESTAMP WITH TIME ZONE '…'` or `'…'::TIMESTAMP`."""
    if index < close and tokens.words[index] in _MOMENTS:
        index += 4 if tokens.follows(index + 1, close, "WITH", "TIME", "ZONE") else 1
    if not tokens.follows(index, close, STRING):
        raise expected(tokens, index, close + 1, "a timestamp in single quotes", _SHAPE)
    try:
        moment = dt.datetime.fromisoformat(tokens.names[index].strip())
    except ValueError as error:
        raise KadeQLSyntaxError(
            f"{tokens.slice(index, index + 1)} is no timestamp.",
            text=tokens.text,
            span=tokens.span(index),
            hint="Write it as '2026-01-31', '2026-01-31 12:00:00' or '2026-01-31 12:00:00+01:00'.",
        ) from error
    after = index + 1
    if tokens.follows(after, close, "::") and after + 1 < close and tokens.words[after + 1] in _MOMENTS:
        after += 2
    return moment, after


SNAPSHOT: Final = Island("AT (…)", frozenset({"AT"}), _find, _parse)

"""Which relations a query names: every stored table or view that stands in FROM, told from CTEs and functions.

A name in a schema, `sales.orders`, is one name of the catalog, so it becomes one relation for the engine, and so do the
relations that tell of the catalog itself: `information_schema.tables`, `duckdb_tables()`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from luma_bench.errors import KadeQLUnsupportedError
from luma_bench.language.draft import Draft
from luma_bench.language.functions import CATALOG, CATALOG_FUNCTIONS, INFORMATION, SCHEMAS
from luma_bench.language.keywords import RESERVED, TYPE_FUNCTION
from luma_bench.language.placed import Reference
from luma_bench.language.row_ids import RowsCall, no_row_ids, rows_call
from luma_bench.language.tokens import QUOTED, STRING, Tokens
from luma_bench.types.schema import rows_relation
from luma_bench.types.sql_text import quoted

MAIN: Final = "main"
"""The schema whose name may be left out."""

# After these a table stands alone: an alias behind it would be something else.
_ALONE: Final = frozenset({"TABLE", "DESCRIBE", "DESC", "SUMMARIZE", "SHOW"})
_RECURRING: Final = "recurring"


def is_information(name: str) -> bool:
    """Whether a relation's name is one that is answered from the catalog."""
    return name in INFORMATION or (name.endswith("()") and name[:-2] in CATALOG_FUNCTIONS)


def catalog_call(draft: Draft, index: int) -> bool:
    """Whether a function that tells of the catalog is called at `index`, where a table may stand, with nothing."""
    tokens = draft.tokens
    return (
        index in draft.scope.starts
        and tokens.names[index].casefold() in CATALOG_FUNCTIONS
        and tokens.follows(index + 1, draft.scope.last, "(", ")")
    )


def references(draft: Draft, targets: Collection[int] = ()) -> tuple[Reference, ...]:
    """The relations that a query names; those of schemas and of the catalog are given one name each in the draft.

    Parameters
    ----------
    targets
        Tokens besides the scope's at which a table's name begins.
    """
    tokens, scope = draft.tokens, draft.scope
    ctes = list(_ctes(tokens, scope.first, scope.last)) if "WITH" in tokens.words else []
    found: list[Reference] = []
    renamed: list[tuple[int, int, int]] = []
    dotted: dict[tuple[str, str], set[str]] = {}
    done = scope.first
    for index in sorted({*scope.starts, *targets} - draft.cut):
        if index < done:
            continue  # the TABLE t of with_rowid(TABLE t)
        hidden = {name for name, first, end in ctes if first <= index < end}
        call = rows_call(draft, index)
        read = _reference(draft, index, hidden) if call is None else _with_rows(draft, call, hidden)
        if read is None:
            continue
        reference, last, done = read
        found.append(reference)
        if reference.rows or reference.name != tokens.names[last - 1]:
            renamed.append((len(found) - 1, index, done))
        first = index if call is None else call.start
        if reference.alias and last - first == 3 and tokens.names[first].casefold() != MAIN:
            key = tokens.names[first].casefold(), tokens.names[last - 1].casefold()
            dotted.setdefault(key, set()).add(tokens.slice(last - 1, last))
    # Two of one name in different schemas keep their whole names, or each would hide the other's columns.
    shared = {table for _, table in dotted if sum(other == table for _, other in dotted) > 1}
    for place, reference in enumerate(found):
        if reference.alias and reference.name.casefold().partition(".")[2] in shared:
            found[place] = reference._replace(alias=f" AS {quoted(reference.name)}")
    for place, index, end in renamed:
        name = rows_relation(found[place].name) if found[place].rows else found[place].name
        draft.replace(index, end, quoted(name) + found[place].alias)
    for (schema, table), shown in {**dotted, **draft.qualified}.items():
        alias = quoted(f"{schema}.{table}") if table in shared else min(shown)
        qualify(draft, schema, table, alias)
        _whole_row(draft, schema, table, alias)
    return tuple(found)


def _reference(draft: Draft, index: int, hidden: Collection[str]) -> tuple[Reference, int, int] | None:
    """The stored relation at a token, the end of its name and of its call; None when something else stands there.

    `hidden` are the names of CTEs, casefolded.
    """
    tokens, scope = draft.tokens, draft.scope
    if tokens.words[index] == STRING:
        written = tokens.names[index]
        if not written.isidentifier():
            return None
        alias = "" if is_named(draft, index, index + 1) else f" AS {quoted(written)}"
        return Reference(written, tokens.span(index), alias), index + 1, index + 1
    if not tokens.is_name(index):
        return None
    last = index + 1
    while tokens.follows(last, scope.last, ".") and last + 1 < scope.last and tokens.is_name(last + 1):
        last += 2
    names = tokens.names[index:last:2]
    called = tokens.follows(last, scope.last, "(") and index in scope.starts
    if called and not catalog_call(draft, index):
        return None
    one_of_with = len(names) == 1 and not called and names[0].casefold() in hidden
    recurring = len(names) == 2 and names[0].casefold() == _RECURRING and names[1].casefold() in hidden
    if one_of_with or recurring:
        return None
    end = last + 2 if called else last
    alias = "" if is_named(draft, index, end) else f" AS {tokens.slice(last - 1, last)}"
    return Reference(_name(draft, index, names, called), tokens.span(index, end), alias), last, end


def _with_rows(draft: Draft, call: RowsCall, hidden: Collection[str]) -> tuple[Reference, int, int]:
    """The stored table of a call of with_rowid, the end of its name and of the call."""
    tokens = draft.tokens
    names, span = tokens.names[call.start : call.stop : 2], tokens.span(call.start, call.stop)
    if len(names) == 1 and names[0].casefold() in hidden:
        raise no_row_ids(f"{names[0]!r} is a query of WITH here", tokens.text, span)
    name = _name(draft, call.start, names, called=False)
    if is_information(name):
        raise no_row_ids(f"{names[-1]!r} tells of the catalog", tokens.text, span)
    alias = "" if is_named(draft, call.first, call.end) else f" AS {tokens.slice(call.stop - 1, call.stop)}"
    return Reference(name, tokens.span(call.first, call.end), alias, rows=True), call.stop, call.end


def _name(draft: Draft, index: int, names: Sequence[str], called: bool) -> str:
    """The catalog's name of what stands at `index`."""
    tokens = draft.tokens
    if called:
        draft.volatile |= names[0].casefold() == "duckdb_sequences"
        return f"{names[0].casefold()}()"
    first = names[0].casefold()
    if len(names) == 1:
        draft.volatile |= first == "duckdb_sequences"
        return f"{first}()" if first in CATALOG_FUNCTIONS and tokens.words[index] != QUOTED else names[0]
    if len(names) > 2:
        raise KadeQLUnsupportedError(
            "A name has a schema at most: a bench is one database.",
            text=tokens.text,
            span=tokens.span(index, index + 2 * len(names) - 1),
            hint=f"Write {'.'.join(names[-2:])}.",
        )
    whole = ".".join(names)
    if whole.casefold() in INFORMATION:
        return whole.casefold()
    if first in SCHEMAS:
        raise CATALOG.error(tokens.text, tokens.span(index))
    return names[1] if first == MAIN else whole


def is_named(draft: Draft, index: int, end: int) -> bool:
    """Whether the reference has an alias, before it or behind, or may have none."""
    tokens, scope = draft.tokens, draft.scope
    before = tokens.words[index - 1] if index > scope.first else ""
    if before in _ALONE or before == ":":
        return True
    if end >= scope.last:
        return False
    word = tokens.words[end]
    if before == "UPDATE" and word == "SET":
        return False
    return word == "AS" or (tokens.is_name(end) and word not in RESERVED and word not in TYPE_FUNCTION)


def qualify(draft: Draft, schema: str, table: str, alias: str) -> None:
    """Let `sales.orders.x` name a column of the relation that `sales.orders` has become."""
    tokens, scope = draft.tokens, draft.scope
    for index in range(scope.first, scope.last - 3):
        if (
            tokens.words[index + 1] != "."
            or tokens.words[index + 3] != "."
            or tokens.names[index].casefold() != schema
            or tokens.names[index + 2].casefold() != table
            or STRING in (tokens.words[index], tokens.words[index + 2])
            or (index > scope.first and tokens.words[index - 1] == ".")
            or index in draft.cut
        ):
            continue
        draft.replace(index, index + 3, alias)


def _whole_row(draft: Draft, schema: str, table: str, alias: str) -> None:
    """Let `sales.orders`, alone behind SELECT or between commas, be the whole row of that table, as a struct."""
    tokens, scope = draft.tokens, draft.scope
    for index in range(scope.first, scope.last):
        if tokens.names[index].casefold() == schema and not tokens.follows(index + 1, scope.last, "."):
            return  # something else is called like the schema, and `sales.orders` may be its column
    for index in range(scope.first + 1, scope.last - 3):
        if (
            tokens.words[index - 1] in ("SELECT", ",")
            and tokens.words[index + 1] == "."
            and tokens.words[index + 3] in (",", "FROM")
            and tokens.names[index].casefold() == schema
            and tokens.names[index + 2].casefold() == table
            and STRING not in (tokens.words[index], tokens.words[index + 2])
            and index not in scope.starts
            and index not in draft.cut
        ):
            draft.replace(index, index + 3, alias)


def _ctes(tokens: Tokens, first: int, last: int) -> Iterator[tuple[str, int, int]]:
    """Every name that WITH gives, casefolded, and the half-open tokens between which it hides a stored one."""
    for index in range(first, last):
        if tokens.words[index] != "WITH":
            continue
        recursive = tokens.follows(index + 1, last, "RECURSIVE")
        end = frame_end(tokens, index, last)
        for name, body, close in with_entries(tokens, index, last):
            yield name, (body if recursive else close), end


def with_entries(tokens: Tokens, index: int, last: int) -> Iterator[tuple[str, int, int]]:
    """Every entry of the list of the WITH at a token: its name, casefolded, and the brackets of its query."""
    end = frame_end(tokens, index, last)
    at = index + 2 if tokens.follows(index + 1, last, "RECURSIVE") else index + 1
    while at < end and tokens.is_name(at):
        name = tokens.names[at].casefold()
        body = _body(tokens, at + 1, end)
        if body is None:
            break
        close = tokens.closing(body, end)
        yield name, body, close
        at = close + 1
        if not tokens.follows(at, end, ","):
            break
        at += 1


def _body(tokens: Tokens, at: int, end: int) -> int | None:
    """The bracket that opens the query of a WITH entry, behind its name; None when this is no entry."""
    if tokens.follows(at, end, "("):
        at = tokens.closing(at, end) + 1
    if tokens.follows(at, end, "USING", "KEY", "("):
        at = tokens.closing(at + 2, end) + 1
    if not tokens.follows(at, end, "AS"):
        return None
    at += 1
    if tokens.follows(at, end, "NOT"):
        at += 1
    if tokens.follows(at, end, "MATERIALIZED"):
        at += 1
    return at if tokens.follows(at, end, "(") else None


def frame_end(tokens: Tokens, index: int, last: int) -> int:
    """Where the bracket around a token closes, or the query ends."""
    depth = 0
    for place in range(index, last):
        word = tokens.words[place]
        depth += (word in ("(", "[", "{")) - (word in (")", "]", "}"))
        if depth < 0:
            return place
    return last

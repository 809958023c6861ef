"""Reading a query: its islands, parameters, pins and refusals in one pass, then DuckDB's own word on the grammar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from luma_bench.errors import KadeQLUnsupportedError
from luma_bench.language.compose import Piece, composed
from luma_bench.language.diagnostics import judged
from luma_bench.language.draft import Draft
from luma_bench.language.files import READERS, bare_file, reader_call
from luma_bench.language.functions import (
    CATALOG,
    CATALOG_FUNCTIONS,
    INTERNAL,
    RELATIONS,
    VOLATILE_FUNCTIONS,
    VOLATILE_WORDS,
    refused_function,
)
from luma_bench.language.islands import BY_TRIGGER, EARLY, ISLANDS, Island
from luma_bench.language.placed import Query
from luma_bench.language.references import catalog_call, references
from luma_bench.language.refusals import STATEMENTS
from luma_bench.language.rewrite import Edit, OffsetMap, rewritten
from luma_bench.language.row_ids import ROWS_FUNCTION, refuse_rows_value
from luma_bench.language.scope import Scope
from luma_bench.language.sequences import SEQUENCE_FUNCTIONS, sequence_call
from luma_bench.language.series.aggregates import ORDERED, ordered_call
from luma_bench.language.series.blocks import begin_of
from luma_bench.language.tokens import NUMBER, STRING, Tokens
from luma_bench.types.inspector import SqlInspector, SqlStatement
from luma_bench.types.sql_text import quoted

_READS = frozenset({"SELECT", "MULTI"})
_WRITES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_NOT_TRIGGERS = frozenset({".", "AS", "$"})
_NOTABLE = frozenset({"(", "$", "?", "SAMPLE", *BY_TRIGGER, *VOLATILE_WORDS})


def read_query(
    tokens: Tokens,
    first: int,
    last: int,
    inspector: SqlInspector,
    edits: Iterable[Edit] = (),
    targets: Sequence[int] = (),
) -> Query:
    """The query that stands at tokens `first` up to, not with, `last`; `edits` are made besides those of islands.

    `targets` are tokens at which a table's name begins although no word before says so.

    Raises
    ------
    KadeQLSyntaxError
        It does not parse, or an island in it is misspelt.
    KadeQLUnsupportedError
        It writes, reads around the catalog, or uses a construct that does not run yet.
    """
    draft = Draft(tokens, Scope(tokens, first, last), inspector, _read)
    _read(draft, targets)
    start, end = tokens.span(first, last)
    draft.edits.extend(edits)
    if draft.edits:
        sql, offsets = rewritten(tokens.text, start, end, draft.edits)
    else:
        sql, offsets = tokens.text[start:end], OffsetMap.verbatim(start, end)
    _classify(draft, sql, offsets, inspector)
    return Query(
        source=tokens.text[start:end],
        start=start,
        end=end,
        whole=tokens.text,
        sql=sql,
        offsets=offsets,
        params=frozenset(draft.params),
        names=draft.names(),
        reads=draft.reads,
        pins=tuple(draft.pins),
        volatile=draft.volatile,
        sequences=tuple(draft.sequences),
        edits=tuple(draft.edits),
        islands=tuple(draft.islands),
    )


def read_change(
    tokens: Tokens,
    first: int,
    last: int,
    inspector: SqlInspector,
    verb: int,
    target: int,
    read_as: Mapping[int, str],
) -> Draft:
    """The statement at tokens `first` up to `last` that changes rows, checked as it is written; it becomes no query yet.

    Parameters
    ----------
    verb
        The token of its INSERT, UPDATE, DELETE or MERGE, which a WITH list may precede.
    target
        The token at which the name of the table begins that is changed; it stands behind no FROM.
    read_as
        Its own clauses by the words of a query's that they stand for; see `Scope`.

    Raises
    ------
    KadeQLSyntaxError, KadeQLUnsupportedError
        As for `read_query`.
    """
    draft = Draft(tokens, Scope(tokens, first, last, read_as), inspector, _read)
    _read(draft, (target,))
    bodies = sorted(draft.scope.bodies - {verb})
    written = next((index for index in bodies if tokens.words[index] in _WRITES), None)
    if written is not None:
        raise draft.wrong(f"{tokens.words[written]} cannot stand here.", written)
    sql, offsets = rewritten(tokens.text, *tokens.span(first, last), draft.edits)
    found = _parsed(draft, sql, offsets, inspector)
    # A PIVOT inside makes any statement MULTI for the classifier.
    if len(found) != 1 or found[0].kind not in (tokens.words[verb], f"{tokens.words[verb]}_INTO", "MULTI"):
        raise draft.wrong(f"This is no {tokens.words[verb]}.", verb)
    return draft


def found_query(
    draft: Draft,
    pieces: Sequence[Piece],
    params: frozenset[str],
    inspector: SqlInspector,
    names: frozenset[str] | None = None,
) -> Query:
    """The query that was composed of a statement's parts, once DuckDB's own grammar says that it reads.

    `names` are those of the tables that it reads, by default every name of the statement.
    """
    tokens = draft.tokens
    start, end = tokens.span(draft.scope.first, draft.scope.last)
    sql, offsets = composed(pieces)
    found = _parsed(draft, sql, offsets, inspector)
    if len(found) != 1 or found[0].kind not in _READS:
        raise draft.wrong("The parts of this statement make no query.", draft.scope.first)
    return Query(
        source=tokens.text[start:end],
        start=start,
        end=end,
        whole=tokens.text,
        sql=sql,
        offsets=offsets,
        params=params,
        names=draft.names() if names is None else names,
        reads=draft.reads if names is None else (),
        pins=tuple(draft.pins),
        volatile=draft.volatile,
        sequences=tuple(draft.sequences),
        # An as-of join stands there as two relations, whose names go on behind its own.
        islands=tuple(island for island in draft.islands if quoted(island.alias)[:-1] in sql),
    )


def _read(draft: Draft, targets: Sequence[int] = ()) -> None:
    _walk(draft)
    _relations(draft, targets)


def _walk(draft: Draft) -> None:
    """Give every trigger to its islands, and look at every call and parameter."""
    tokens, scope = draft.tokens, draft.scope
    words = tokens.words
    early = _early(draft)
    for index in range(scope.first, scope.last):
        if early and index in early:
            _read_early(draft, early[index])
        word = words[index]
        if word not in _NOTABLE or index in draft.taken:
            continue
        if word == "(":
            if index > scope.first and tokens.is_name(index - 1):
                _call(draft, index - 1)
        elif word == "$":
            _parameter(draft, index)
        elif word == "?":
            raise _positional(draft, index, index + 1)
        elif word in BY_TRIGGER and not (index > scope.first and words[index - 1] in _NOT_TRIGGERS):
            for island in BY_TRIGGER[word]:
                end = None if island.early else island.find(draft, index)
                if end is not None:
                    island.parse(draft, index, end)
                    break
        if word in VOLATILE_WORDS or (
            word == "SAMPLE" and index > scope.first and words[index - 1] == "USING"
        ):
            draft.volatile = True
    if "__luma" in tokens.text.casefold():
        _internal(draft)


def _early(draft: Draft) -> dict[int, list[tuple[int, int, int, Island]]]:
    """The islands that change the SELECT around them, by the token at which that begins: place in the registry, tokens, island."""
    words, scope = draft.tokens.words, draft.scope
    if EARLY.isdisjoint(words[scope.first : scope.last]):
        return {}
    found: dict[int, list[tuple[int, int, int, Island]]] = {}
    for index in range(scope.first, scope.last):
        if words[index] not in EARLY or (index > scope.first and words[index - 1] in _NOT_TRIGGERS):
            continue
        for island in BY_TRIGGER[words[index]]:
            end = island.find(draft, index) if island.early else None
            if end is not None:
                begin = begin_of(draft, index)
                found.setdefault(begin, []).append((ISLANDS.index(island), index, end, island))
                break
    return found


def _read_early(draft: Draft, found: list[tuple[int, int, int, Island]]) -> None:
    for _, index, end, island in sorted(found, key=lambda item: item[:2]):
        if index not in draft.taken:
            island.parse(draft, index, end)


def _internal(draft: Draft) -> None:
    """Refuse names of the bench's own; text inside strings is free."""
    tokens, scope = draft.tokens, draft.scope
    for index in range(scope.first, scope.last):
        if tokens.words[index] != STRING and tokens.names[index].casefold().startswith("__luma"):
            raise INTERNAL.error(tokens.text, tokens.span(index))


def _call(draft: Draft, index: int) -> None:
    name = draft.tokens.names[index].casefold()
    if name in VOLATILE_FUNCTIONS:
        draft.volatile = True
        return
    if name in READERS:
        if draft.is_call(index):
            reader_call(draft, index)
        return
    if name in SEQUENCE_FUNCTIONS and draft.is_call(index):
        sequence_call(draft, index)
        return
    if name in ORDERED and draft.is_call(index):
        ordered_call(draft, index)
        return
    if name == ROWS_FUNCTION and draft.is_call(index):
        refuse_rows_value(draft, index)
        return
    refusal = refused_function(name)
    if refusal is not None and draft.is_call(index) and not catalog_call(draft, index):
        raise refusal.error(draft.tokens.text, draft.tokens.span(index))


def _parameter(draft: Draft, index: int) -> None:
    tokens = draft.tokens
    following = index + 1
    if following < draft.scope.last and tokens.words[following] == NUMBER:
        raise _positional(draft, index, following + 1)
    if following >= draft.scope.last or not tokens.names[following]:
        raise draft.wrong("This `$` has no parameter's name.", index, "Write a parameter as $name.")
    if index not in draft.cut:
        draft.params.add(tokens.names[following])


def _positional(draft: Draft, index: int, end: int) -> KadeQLUnsupportedError:
    return KadeQLUnsupportedError(
        "Positional parameters are refused.",
        text=draft.tokens.text,
        span=draft.tokens.span(index, end),
        hint="Write $name and give its value by name: params={'name': …}.",
    )


def _relations(draft: Draft, targets: Sequence[int] = ()) -> None:
    """Hand files that stand as tables to their reader, note the tables, and refuse the engine's own views."""
    tokens, last = draft.tokens, draft.scope.last
    for index in draft.scope.starts - draft.taken:
        if tokens.words[index] == STRING:
            bare_file(draft, index)
            continue
        name = tokens.names[index].casefold()
        qualified = tokens.follows(index + 1, last, ".")
        bare = not qualified and not tokens.follows(index + 1, last, "(")
        if bare and name in RELATIONS and name not in CATALOG_FUNCTIONS:
            raise CATALOG.error(tokens.text, tokens.span(index))
    draft.reads = references(draft, targets)


def _parsed(draft: Draft, sql: str, offsets: OffsetMap, inspector: SqlInspector) -> tuple[SqlStatement, ...]:
    return judged(sql, offsets, draft.tokens.text, inspector)


def _classify(draft: Draft, sql: str, offsets: OffsetMap, inspector: SqlInspector) -> None:
    tokens = draft.tokens
    found = _parsed(draft, sql, offsets, inspector)
    scope = draft.scope
    # Behind WITH a PIVOT makes any statement MULTI for the classifier, an INSERT too.
    written = next((index for index in sorted(scope.bodies) if tokens.words[index] in _WRITES), None)
    if len(found) == 1 and found[0].kind in _READS and written is None:
        return
    kind = found[0].kind if len(found) == 1 else ""
    place = scope.first if written is None else written
    word = kind.split("_")[0] if written is None else tokens.words[written]
    refusal = STATEMENTS.get((word,))
    if refusal is not None:
        raise refusal.error(tokens.text, tokens.span(place))
    raise KadeQLUnsupportedError(
        f"This is no query{f' but {kind}' if kind else ''}.",
        text=tokens.text,
        span=tokens.span(scope.first),
        hint="Write one SELECT, VALUES, FROM, TABLE, PIVOT or WITH query here.",
    )

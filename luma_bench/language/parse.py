"""From a KadeQL text to its statements: split, recognise the first words, and hand each to its reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

from luma_bench.errors import KadeQLSyntaxError, KadeQLUnsupportedError, nearest
from luma_bench.language.alter import alter_table, comment_on
from luma_bench.language.copy import copy
from luma_bench.language.cursor import Cursor
from luma_bench.language.diagnostics import expected, unmatched
from luma_bench.language.functions import CATALOG
from luma_bench.language.graph.definitions import create_graph, drop_graph
from luma_bench.language.graph.read_match import no_pattern
from luma_bench.language.graph.recognise import opens_query
from luma_bench.language.insert import insert
from luma_bench.language.keywords import STATEMENT_STARTS, split
from luma_bench.language.merge import RowStatement, changes_shown, finding
from luma_bench.language.policies import create_policy, drop_policy
from luma_bench.language.prepare import deallocate, execute, prepare
from luma_bench.language.query import read_query
from luma_bench.language.read_merge import merge
from luma_bench.language.refusals import SHOWN, Refusal, refused
from luma_bench.language.rewrite import Edit
from luma_bench.language.row_ids import is_rows_call
from luma_bench.language.rows import change_behind_with, delete, truncate, update
from luma_bench.language.schemas import create_schema, drop_schema
from luma_bench.language.sequences import create_sequence, drop_sequence
from luma_bench.language.shows import Show, graph_shown, show
from luma_bench.language.statement import (
    AnalyzeChange,
    Describe,
    Explain,
    Query,
    Statement,
    Summarize,
    TagSnapshot,
)
from luma_bench.language.tables import create_table, drop_table
from luma_bench.language.tokens import STRING, Tokens, tokenize
from luma_bench.language.transactions import TRANSACTION_STARTS, transaction
from luma_bench.language.views import alter_view, create_view, drop_view
from luma_bench.types.inspector import SqlInspector

_EXPLAINED: Final = Refusal(
    "EXPLAIN of this statement",
    "is refused: it explains queries, and EXPLAIN ANALYZE would run the statement",
    "Explain the query inside it: EXPLAIN SELECT …",
)
_ROW_CHANGES: Final[Mapping[str, Callable[[Cursor, int, SqlInspector], RowStatement]]] = {
    "DELETE": delete,
    "UPDATE": update,
    "INSERT": insert,
    "MERGE": merge,
}
_UNEXPLAINED: Final = frozenset(
    split("CREATE DROP TAG SHOW DESCRIBE DESC EXPLAIN TRUNCATE ALTER COMMENT COPY PREPARE EXECUTE DEALLOCATE")
)
_PLAN_FORMATS: Final = frozenset(
    split("default query_tree query_tree_optimizer no_output html graphviz yaml mermaid compact")
)
_PLAN_FORM: Final = Refusal(
    "A plan in this format",
    "is not served",
    "Write EXPLAIN (FORMAT text) or (FORMAT json); bench.explain(text) gives the tree as values.",
)
_EXPLAIN_SHAPE: Final = "Write EXPLAIN [ANALYZE] [(FORMAT text|json)] SELECT …"
_FIRST_WORDS: Final = (
    "A statement begins with SELECT, WITH, FROM, VALUES, INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY, CREATE, ALTER, DROP, "
    "COMMENT, BEGIN, COMMIT, ROLLBACK, PREPARE, EXECUTE, DEALLOCATE, DESCRIBE, SUMMARIZE, SHOW, EXPLAIN or TAG SNAPSHOT."
)


def parse(text: str, inspector: SqlInspector) -> list[Statement]:
    """The statements of a text, in order; empty ones between semicolons are left out.

    Parameters
    ----------
    text
        One or more KadeQL statements with `;` between them.
    inspector
        DuckDB's own parser, which judges the grammar of queries.

    Raises
    ------
    KadeQLSyntaxError
        The text is empty or does not parse; line, column and caret are in `text`.
    KadeQLUnsupportedError
        A statement or construct is refused; the hint says what to write instead.
    """
    _require_unicode(text)
    tokens = tokenize(text)
    ranges = list(tokens.statements())
    if not ranges:
        raise KadeQLSyntaxError(
            "The text holds no statement.", text=text, span=(0, len(text)), hint=_FIRST_WORDS
        )
    for first, last in ranges:
        wrong = tokens.unmatched(first, last)
        if wrong is not None:
            raise unmatched(tokens, wrong)
    return [_statement(tokens, first, last, inspector) for first, last in ranges]


def _require_unicode(text: str) -> None:
    """Python keeps bytes that were no UTF-8 as half characters, which no engine reads."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        shown = text.encode(errors="replace").decode()
        raise KadeQLSyntaxError(
            "The text holds bytes that are no UTF-8.",
            text=shown,
            span=(error.start, error.end),
            hint="Read the text with the encoding that it was written in.",
        ) from error


def _statement(tokens: Tokens, first: int, last: int, inspector: SqlInspector) -> Statement:
    cursor = Cursor(tokens, first, last)
    word = cursor.word
    change = _row_change(cursor, inspector)
    if change is not None:
        return change
    if opens_query(tokens, first, last):
        return read_query(tokens, first, last, inspector)
    if word in ("MATCH", "OPTIONAL"):
        raise no_pattern(cursor)
    if word in TRANSACTION_STARTS and not tokens.follows(first, last, word, "("):
        return transaction(cursor)
    read = _TELLING.get(word)
    if read is None:
        _refuse(cursor)
        read = _CHANGING.get(word)
    if read is None:
        raise _unknown(tokens, first)
    return read(cursor, inspector)


def _create(cursor: Cursor, inspector: SqlInspector) -> Statement:
    """CREATE [OR REPLACE] of what the words behind it name."""
    cursor.index += 1
    or_replace = cursor.accept("OR", "REPLACE")
    for words, read in _CREATED.items():
        if cursor.accept(*words):
            return read(cursor, inspector, or_replace)
    raise cursor.expected("TABLE after CREATE", "Write CREATE TABLE t (…) or CREATE TABLE t AS SELECT …")


def _drop(cursor: Cursor) -> Statement:
    """DROP of what the words behind it name."""
    cursor.index += 1
    for words, read in _DROPPED.items():
        if cursor.accept(*words):
            return read(cursor)
    raise cursor.expected("TABLE after DROP", "Write DROP TABLE [IF EXISTS] t.")


def _alter(cursor: Cursor, inspector: SqlInspector) -> Statement:
    """ALTER of a view or a table."""
    cursor.index += 1
    return alter_view(cursor) if cursor.accept("VIEW") else alter_table(cursor, inspector)


def _row_change(cursor: Cursor, inspector: SqlInspector) -> RowStatement | None:
    """A statement that changes rows, behind a WITH list too; None when something else stands here."""
    tokens, first = cursor.tokens, cursor.first
    if tokens.follows(first, cursor.end, "UPDATE", "EXTENSIONS"):
        return None
    verb = first if cursor.word in _ROW_CHANGES else None
    if cursor.word == "WITH":
        verb = change_behind_with(tokens, first, cursor.end)
    return None if verb is None else _ROW_CHANGES[tokens.words[verb]](cursor, verb, inspector)


def _refuse(cursor: Cursor) -> None:
    """Refuse a statement whose leading words are known but do not run."""
    tokens, first = cursor.tokens, cursor.first
    skipped = 2 if tokens.follows(first, cursor.end, "CREATE", "OR", "REPLACE") else 0
    words = [tokens.words[first], *tokens.words[first + 1 + skipped : min(first + 3 + skipped, cursor.end)]]
    found = refused(words)
    if found is not None:
        refusal, count = found
        stop = first + count + (skipped if count > 1 else 0)
        raise refusal.error(tokens.text, tokens.span(first, stop))


def _unknown(tokens: Tokens, index: int) -> KadeQLSyntaxError:
    near = nearest(tokens.words[index], STATEMENT_STARTS, 1) if tokens.names[index] else []
    return KadeQLSyntaxError(
        f"No statement begins with {tokens.slice(index, index + 1)}.",
        text=tokens.text,
        span=tokens.span(index),
        hint=f"Did you mean {near[0]}?" if near else _FIRST_WORDS,
    )


def _explain(cursor: Cursor, inspector: SqlInspector) -> Explain | AnalyzeChange:
    """EXPLAIN [ANALYZE] [(FORMAT text|json)] query; what is inside is classified like any statement."""
    tokens = cursor.tokens
    cursor.index += 1
    analyze = cursor.accept("ANALYZE") or cursor.accept("ANALYSE")
    style: Literal["text", "json"] = "text"
    if cursor.word == "(" and not _opens_query(cursor):
        inside, style = _explain_options(cursor)
        analyze = analyze or inside
    if cursor.done:
        raise cursor.expected("a query after EXPLAIN", _EXPLAIN_SHAPE)
    word = cursor.word
    change = _row_change(Cursor(tokens, cursor.index, cursor.end), inspector)
    if change is None and not opens_query(tokens, cursor.index, cursor.end) and word != "SUMMARIZE":
        _refuse(Cursor(tokens, cursor.index, cursor.end))
        if word in _UNEXPLAINED or word in TRANSACTION_STARTS:
            raise _EXPLAINED.error(tokens.text, tokens.span(cursor.index))
        raise _unknown(tokens, cursor.index)
    query = read_query(tokens, cursor.index, cursor.end, inspector) if change is None else finding(change)
    shown = "" if change is None else changes_shown(change)
    source, start, end, whole = cursor.placed
    if change is not None and analyze:
        return AnalyzeChange(
            source=source,
            start=start,
            end=end,
            whole=whole,
            changed=change,
            query=query,
            format=style,
            change=shown,
        )
    return Explain(
        source=source,
        start=start,
        end=end,
        whole=whole,
        query=query,
        analyze=analyze,
        format=style,
        change=shown,
        changed=change,
    )


def _opens_query(cursor: Cursor) -> bool:
    following = cursor.index + 1
    return opens_query(cursor.tokens, following, cursor.end)


def _explain_options(cursor: Cursor) -> tuple[bool, Literal["text", "json"]]:
    """(ANALYZE, FORMAT json) in any order."""
    analyze = False
    style: Literal["text", "json"] = "text"
    cursor.index += 1
    while True:
        if cursor.accept("ANALYZE") or cursor.accept("ANALYSE"):
            analyze = True
        elif cursor.accept("FORMAT"):
            written = cursor.value.casefold()
            if written in _PLAN_FORMATS:
                raise _PLAN_FORM.error(cursor.tokens.text, cursor.tokens.span(cursor.index))
            if written not in ("text", "json"):
                raise expected(
                    cursor.tokens, cursor.index, cursor.end, "text or json after FORMAT", _EXPLAIN_SHAPE
                )
            style = "json" if written == "json" else "text"
            cursor.index += 1
        else:
            raise cursor.expected("FORMAT or ANALYZE", _EXPLAIN_SHAPE)
        if not cursor.accept(","):
            break
    cursor.expect(") after the options of EXPLAIN", ")", hint=_EXPLAIN_SHAPE)
    return analyze, style


def _describe(cursor: Cursor, inspector: SqlInspector) -> Describe | Show:
    """DESCRIBE table or query, which SHOW table also says; SHOW of what the bench holds; either alone for all tables."""
    tokens = cursor.tokens
    source, start, end, whole = cursor.placed
    shows = cursor.word == "SHOW"
    cursor.index += 1
    shown = (show(cursor) if shows else None) or graph_shown(cursor)
    if shown is not None:
        return shown
    if cursor.done:
        return Show(source=source, start=start, end=end, whole=whole, what="all tables")
    external = tokens.follows(cursor.index, cursor.end, "EXTERNAL", "RESOURCES")
    if shows and (cursor.word in SHOWN or external):
        raise CATALOG.error(tokens.text, tokens.span(cursor.first, cursor.index + 1))
    # DuckDB's SHOW falls back to a setting of that name; DESCRIBE means the table alone.
    edits = (Edit(start, start + len("SHOW"), "DESCRIBE"),) if shows else ()
    query = read_query(tokens, cursor.first, cursor.end, inspector, edits)
    target: Query | str
    if opens_query(tokens, cursor.index, cursor.end) and cursor.word != "TABLE":
        target = read_query(tokens, cursor.index, cursor.end, inspector)
    else:
        cursor.accept("TABLE")
        if (cursor.word == STRING and not shows) or is_rows_call(tokens, cursor.index, cursor.end):
            return Describe(source=source, start=start, end=end, whole=whole, query=query, target=query)
        target = cursor.table()
        if not query.pins:
            cursor.finish("the table's name")
    return Describe(source=source, start=start, end=end, whole=whole, query=query, target=target)


def _summarize(cursor: Cursor, inspector: SqlInspector) -> Summarize:
    """SUMMARIZE table or query."""
    tokens = cursor.tokens
    if cursor.index + 1 == cursor.end:
        raise expected(
            tokens, cursor.end, cursor.end, "a table or a query", "Write SUMMARIZE t or SUMMARIZE SELECT …"
        )
    query = read_query(tokens, cursor.first, cursor.end, inspector)
    source, start, end, whole = cursor.placed
    return Summarize(source=source, start=start, end=end, whole=whole, query=query)


def _tag(cursor: Cursor) -> TagSnapshot:
    """TAG SNAPSHOT 'name'."""
    hint = "Write TAG SNAPSHOT 'name'."
    cursor.index += 1
    cursor.expect("SNAPSHOT after TAG", "SNAPSHOT", hint=hint)
    if cursor.word != STRING:
        raise cursor.expected("the tag's name in single quotes", hint)
    name = cursor.value
    if not name.strip():
        raise KadeQLUnsupportedError(
            "A tag needs a name.", text=cursor.tokens.text, span=cursor.tokens.span(cursor.index), hint=hint
        )
    cursor.index += 1
    cursor.finish("the tag's name")
    source, start, end, whole = cursor.placed
    return TagSnapshot(source=source, start=start, end=end, whole=whole, name=name)


_Reader = Callable[[Cursor, SqlInspector], Statement]
_TELLING: Final[Mapping[str, _Reader]] = {
    "EXPLAIN": _explain,
    "DESCRIBE": _describe,
    "DESC": _describe,
    "SHOW": _describe,
    "SUMMARIZE": _summarize,
    "TAG": lambda cursor, _: _tag(cursor),
    "PREPARE": lambda cursor, inspector: prepare(cursor, inspector, _statement),
    "EXECUTE": execute,
    "DEALLOCATE": lambda cursor, _: deallocate(cursor),
}
"""Readers by first word; none of these words begins a statement that is refused."""
_CHANGING: Final[Mapping[str, _Reader]] = {
    "TRUNCATE": lambda cursor, _: truncate(cursor),
    "ALTER": _alter,
    "COPY": copy,
    "COMMENT": comment_on,
    "CREATE": _create,
    "DROP": lambda cursor, _: _drop(cursor),
}
"""Readers by first word, asked when nothing refuses the statement."""
_CREATED: Final[Mapping[tuple[str, ...], Callable[[Cursor, SqlInspector, bool], Statement]]] = {
    ("TABLE",): lambda cursor, inspector, or_replace: create_table(cursor, inspector, or_replace=or_replace),
    ("VIEW",): lambda cursor, inspector, or_replace: create_view(cursor, inspector, or_replace=or_replace),
    ("RECURSIVE", "VIEW"): lambda cursor, inspector, or_replace: create_view(
        cursor, inspector, or_replace=or_replace, recursive=True
    ),
    ("SCHEMA",): lambda cursor, _, or_replace: create_schema(cursor, or_replace=or_replace),
    ("SEQUENCE",): lambda cursor, _, or_replace: create_sequence(cursor, or_replace=or_replace),
    ("PROPERTY", "GRAPH"): lambda cursor, _, or_replace: create_graph(cursor, or_replace=or_replace),
    ("ROW", "POLICY"): lambda cursor, inspector, or_replace: create_policy(
        cursor, inspector, masking=False, or_replace=or_replace
    ),
    ("MASKING", "POLICY"): lambda cursor, inspector, or_replace: create_policy(
        cursor, inspector, masking=True, or_replace=or_replace
    ),
}
"""Readers by the words behind CREATE [OR REPLACE]; the last argument says whether that stands there."""
_DROPPED: Final[Mapping[tuple[str, ...], Callable[[Cursor], Statement]]] = {
    ("TABLE",): drop_table,
    ("VIEW",): drop_view,
    ("SCHEMA",): drop_schema,
    ("SEQUENCE",): drop_sequence,
    ("PROPERTY", "GRAPH"): drop_graph,
    ("ROW", "POLICY"): lambda cursor: drop_policy(cursor, masking=False),
    ("MASKING", "POLICY"): lambda cursor: drop_policy(cursor, masking=True),
}
"""Readers by the words behind DROP."""

"""COPY: the rows of files into a table, and those of a table or query into a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final

from luma_bench.errors import KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language.cursor import Cursor
from luma_bench.language.graph.recognise import opens_query
from luma_bench.language.placed import Kind, Parameter, Placed, Query
from luma_bench.language.query import read_query
from luma_bench.language.refusals import Refusal
from luma_bench.language.rewrite import Edit
from luma_bench.language.tokens import NUMBER, STRING
from luma_bench.types.inspector import SqlInspector

_SHAPE: Final = "Write COPY t FROM 'file.csv' (HEADER true), COPY t TO 'file.parquet' or COPY (SELECT …) TO 'file.csv' (DELIMITER ';')."
_OPTIONS: Final = (
    "Write the options in brackets with commas between: (FORMAT csv, HEADER true, DELIMITER ';')."
)
_STREAMS: Final = Refusal(
    "COPY through standard input or output",
    "is not served: a statement names its file",
    "Name the file; `luma-bench query --format csv` writes to standard output.",
)
_DATABASE: Final = Refusal(
    "COPY FROM DATABASE",
    "is not used here: the bench keeps its own tables",
    "Copy the bench's folder, or publish it: bench.publish(target).",
)


@dataclass(frozen=True, slots=True)
class CopyOption:
    """One option; `values` are its constants in order, `sql` its value as written, empty where none is."""

    name: str
    values: tuple[str, ...]
    sql: str
    listed: bool
    span: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyFrom(Placed):
    """COPY table [(columns)] FROM 'file'; `columns` is None for the table's own."""

    kind: ClassVar[Kind] = Kind.COPY_FROM
    table: str
    table_span: tuple[int, int]
    columns: tuple[str, ...] | None
    column_spans: tuple[tuple[int, int], ...]
    file: str | Parameter
    file_span: tuple[int, int]
    options: tuple[CopyOption, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyTo(Placed):
    """COPY of a table or query TO 'file'; `query` gives the rows."""

    kind: ClassVar[Kind] = Kind.COPY_TO
    query: Query = field(repr=False)
    file: str | Parameter
    file_span: tuple[int, int]
    options: tuple[CopyOption, ...] = ()


def copy(cursor: Cursor, inspector: SqlInspector) -> CopyFrom | CopyTo:
    """COPY …; the cursor stands at it.

    Raises
    ------
    KadeQLSyntaxError
        It is misspelt.
    KadeQLUnsupportedError
        It copies through a stream of the process, or a whole database.
    """
    tokens = cursor.tokens
    cursor.index += 1
    if tokens.follows(cursor.index, cursor.end, "FROM", "DATABASE"):
        raise _DATABASE.error(tokens.text, tokens.span(cursor.index, cursor.index + 2))
    source, start, end, whole = cursor.placed
    if cursor.word == "(":
        return _query_to(cursor, inspector)
    begin = cursor.index
    table = cursor.table()
    after = cursor.index
    names, spans = cursor.columns(_SHAPE) if cursor.word == "(" else ((), ())
    if cursor.accept("FROM"):
        file, file_span = _file(cursor)
        options = _options(cursor)
        return CopyFrom(
            source=source, start=start, end=end, whole=whole, table=table, table_span=tokens.span(begin, after),
            columns=names or None, column_spans=spans, file=file, file_span=file_span, options=options,
        )  # fmt: skip
    place = cursor.index
    if tokens.follows(place, cursor.end, "AT", "("):
        # A table of another snapshot: what may stand in the brackets, reading it as a query says.
        place = cursor.index = tokens.closing(place + 1, cursor.end) + 1
    cursor.expect("FROM or TO after the table", "TO", hint=_SHAPE)
    first = tokens.span(begin)[0]
    listed = ", ".join(tokens.text[begin:stop] for begin, stop in spans)
    edits = [Edit(first, first, f"SELECT {listed} FROM " if listed else "FROM ")]
    if names:
        edits.append(Edit(tokens.ends[after - 1], tokens.ends[place - 1], ""))
    file, file_span = _file(cursor)
    options = _options(cursor)
    query = _table_query(cursor, begin, place, edits, inspector)
    return CopyTo(
        source=source, start=start, end=end, whole=whole, query=query, file=file, file_span=file_span, options=options
    )  # fmt: skip


def _table_query(cursor: Cursor, first: int, last: int, edits: list[Edit], inspector: SqlInspector) -> Query:
    """The query of a table's rows: the table stands as one that FROM leads."""
    from luma_bench.language.tokens import tokenize

    tokens = cursor.tokens
    if tokens.words[last - 1] != ")" or "AT" not in tokens.words[first:last]:
        return read_query(tokens, first, last, inspector, edits, targets=(first,))
    # `t AT (…)` is an island of FROM, so the text is read once more with FROM in the place of COPY.
    start = tokens.starts[cursor.first]
    masked = tokens.text[:start] + "FROM" + tokens.text[start + len("COPY") :]
    again = tokenize(masked)
    return read_query(again, cursor.first, last, inspector)


def _query_to(cursor: Cursor, inspector: SqlInspector) -> CopyTo:
    tokens = cursor.tokens
    source, start, end, whole = cursor.placed
    close = tokens.closing(cursor.index, cursor.end)
    begin = cursor.index + 1
    describes = begin < close and tokens.words[begin] in ("DESCRIBE", "SUMMARIZE")
    if not (describes or opens_query(tokens, begin, close)):
        cursor.index = begin
        raise cursor.expected("a query in the brackets", _SHAPE)
    cursor.index = close + 1
    cursor.expect("TO after the query", "TO", hint=_SHAPE)
    file, file_span = _file(cursor)
    options = _options(cursor)
    query = read_query(tokens, begin, close, inspector)
    return CopyTo(
        source=source, start=start, end=end, whole=whole, query=query, file=file, file_span=file_span, options=options
    )  # fmt: skip


def _file(cursor: Cursor) -> tuple[str | Parameter, tuple[int, int]]:
    tokens, place = cursor.tokens, cursor.index
    if cursor.word in ("STDIN", "STDOUT"):
        raise _STREAMS.error(tokens.text, tokens.span(place))
    if cursor.word == STRING:
        cursor.index += 1
        return tokens.names[place], tokens.span(place)
    if cursor.word == "$" and place + 1 < cursor.end and tokens.names[place + 1]:
        cursor.index += 2
        return Parameter(tokens.names[place + 1]), tokens.span(place, place + 2)
    raise cursor.expected("a file in single quotes or a $parameter", _SHAPE)


def _options(cursor: Cursor) -> tuple[CopyOption, ...]:
    """[WITH] (NAME [value], …) up to the end of the statement."""
    cursor.accept("WITH")
    if cursor.done:
        return ()
    tokens = cursor.tokens
    if cursor.word != "(":
        return _unbracketed(cursor)
    close = tokens.closing(cursor.index, cursor.end)
    cursor.index += 1
    found: list[CopyOption] = []
    while cursor.index < close:
        place = cursor.index
        if not tokens.is_name(place):
            raise cursor.expected("an option's name", _OPTIONS)
        name = tokens.names[place].casefold()
        if any(option.name == name for option in found):
            raise KadeQLSyntaxError(
                f"The option {name.upper()} stands twice.",
                text=tokens.text,
                span=tokens.span(place),
                hint="Give it once.",
            )
        cursor.index += 1
        values, listed = _value(cursor, close)
        found.append(
            CopyOption(
                name, values, tokens.slice(place + 1, cursor.index), listed, tokens.span(place, cursor.index)
            )
        )
        if cursor.index < close and not cursor.accept(","):
            raise cursor.expected("a comma or ) after an option", _OPTIONS)
    cursor.index = close + 1
    cursor.finish("the options")
    return tuple(found)


def _unbracketed(cursor: Cursor) -> tuple[CopyOption, ...]:
    """DELIMITER ';' HEADER …, as DuckDB and PostgreSQL also write them: a few options, without brackets."""
    tokens = cursor.tokens
    found: list[CopyOption] = []
    while not cursor.done:
        place = cursor.index
        words = next((words for words in _UNBRACKETED if cursor.accept(*words.split())), None)
        if words is None or any(option.name == _UNBRACKETED[words] for option in found):
            cursor.index = place
            raise cursor.expected("an option or ( before the options", _OPTIONS)
        name, values, listed, after = _UNBRACKETED[words], (), False, cursor.index
        if words == "CSV":
            values = ("csv",)
        elif name in ("force_quote", "force_not_null", "partition_by"):
            values, listed = _names(cursor), True
        elif words != "HEADER":
            cursor.accept("AS")
            if cursor.word != STRING:
                raise cursor.expected(f"a text in single quotes after {words}", _OPTIONS)
            after, values = cursor.index, (cursor.value,)
            cursor.index += 1
        sql = "csv" if words == "CSV" else tokens.slice(after, cursor.index)
        found.append(CopyOption(name, values, sql, listed, tokens.span(place, cursor.index)))
        cursor.accept(",")
    return tuple(found)


_UNBRACKETED: Final = {
    "CSV": "format", "HEADER": "header", "USING DELIMITERS": "delimiter", "DELIMITERS": "delimiter",
    "DELIMITER": "delimiter", "NULL": "null", "QUOTE": "quote", "ESCAPE": "escape", "ENCODING": "encoding",
    "FORCE QUOTE": "force_quote", "FORCE NOT NULL": "force_not_null", "PARTITION BY": "partition_by",
}  # fmt: skip


def _names(cursor: Cursor) -> tuple[str, ...]:
    """`*`, or names with commas between, in brackets or not."""
    if cursor.accept("*"):
        return ("*",)
    bracketed = cursor.accept("(")
    names = [cursor.name("a column's name")]
    while cursor.tokens.follows(cursor.index, cursor.end, ","):
        following = cursor.index + 1
        if not bracketed and following < cursor.end and cursor.tokens.words[following] in _OPTION_STARTS:
            break  # the comma is one between options
        cursor.index += 1
        names.append(cursor.name("a column's name"))
    if bracketed:
        cursor.expect("a comma or ) after a column's name", ")", hint=_OPTIONS)
    return tuple(names)


_OPTION_STARTS: Final = frozenset(words.split()[0] for words in _UNBRACKETED)


def _value(cursor: Cursor, close: int) -> tuple[tuple[str, ...], bool]:
    """The constants of an option's value, and whether they stand in brackets."""
    tokens = cursor.tokens
    if cursor.word in ("(", "["):
        inner = tokens.closing(cursor.index, close)
        values: list[str] = []
        for index in range(cursor.index + 1, inner):
            word = tokens.words[index]
            if word == ",":
                continue
            if word not in (STRING, "*") and not tokens.is_name(index):
                raise KadeQLUnsupportedError(
                    "A list of an option holds names or texts.",
                    text=tokens.text,
                    span=tokens.span(index),
                    hint="Write it like FORCE_QUOTE (a, b).",
                )
            values.append(tokens.names[index] or word)
        cursor.index = inner + 1
        return tuple(values), True
    place = cursor.index
    if cursor.index >= close or cursor.word == ",":
        return (), False
    if cursor.word == "-" and place + 1 < close and tokens.words[place + 1] == NUMBER:
        cursor.index += 2
        return ("-" + tokens.slice(place + 1, place + 2),), False
    if cursor.word in (STRING, "*") or cursor.word == NUMBER or tokens.is_name(place):
        cursor.index += 1
        value = (
            tokens.names[place] if cursor.tokens.words[place] != NUMBER else tokens.slice(place, place + 1)
        )
        return (value or ("*" if tokens.words[place] == "*" else ""),), False
    raise KadeQLUnsupportedError(
        "The value of an option is a constant.",
        text=tokens.text,
        span=tokens.span(place),
        hint=_OPTIONS,
    )

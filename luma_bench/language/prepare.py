"""PREPARE, EXECUTE and DEALLOCATE: statements that a session keeps by name, with values for their parameters."""

from __future__ import annotations

import decimal
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from luma_bench.errors import KadeQLError, KadeQLSyntaxError
from luma_bench.language.cursor import Cursor
from luma_bench.language.placed import Kind, Placed, Query
from luma_bench.language.query import read_query
from luma_bench.language.refusals import Refusal
from luma_bench.language.rewrite import Edit
from luma_bench.language.tokens import NUMBER, STRING, Tokens
from luma_bench.types.inspector import SqlInspector

if TYPE_CHECKING:
    from luma_bench.language.statement import Statement

PREPARE_SHAPE: Final = "PREPARE name [(parameter type, …)] AS statement"
EXECUTE_SHAPE: Final = "EXECUTE name [(parameter := value, …)]"
PREPARED_KINDS: Final = frozenset(
    {Kind.SELECT, Kind.EXPLAIN, Kind.DESCRIBE, Kind.SUMMARIZE, Kind.SHOW, Kind.INSERT, Kind.UPDATE, Kind.DELETE, Kind.MERGE}
)  # fmt: skip
"""What PREPARE takes: queries and changes of rows."""
REFUSED: Final = Refusal(
    "PREPARE of this statement",
    "is refused: queries, INSERT, UPDATE, DELETE and MERGE are prepared",
    "Run the statement itself.",
)
_POSITIONAL: Final = Refusal(
    "A value without its parameter's name",
    "is refused: parameters have names",
    "Name it: EXECUTE name(lo := 3).",
)
_NAMELESS: Final = Refusal(
    "A type without its parameter's name",
    "is refused: parameters have names",
    "Name it: PREPARE name (lo INTEGER) AS …",
)
_COMPUTED: Final = Refusal(
    "A query as a value of EXECUTE",
    "is refused: a value is a constant expression",
    "Run the query first, and give its answer as a value or a parameter.",
)
_WHOLE: Final = re.compile(r"\d+")
_DIGITS: Final = 18
"""Below this many digits a number has the same type in SQL and as a parameter."""
_FRACTION: Final = re.compile(r"\d+\.\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare(Placed):
    """PREPARE name AS statement.

    Attributes
    ----------
    params
        The `$names` of the statement, without `$`, in the order in which they stand there first.
    types
        The types of parameters that have one, by name, as written.
    """

    kind: ClassVar[Kind] = Kind.PREPARE
    name: str
    statement: Statement
    params: tuple[str, ...]
    types: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Argument:
    """A value of EXECUTE: a query of one row and column, or the value itself when it is written out."""

    name: str
    span: tuple[int, int]
    query: Query | None
    value: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execute(Placed):
    """EXECUTE name(parameter := value, …); `name_span` is where the name stands in the whole text."""

    kind: ClassVar[Kind] = Kind.EXECUTE
    name: str
    name_span: tuple[int, int]
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deallocate(Placed):
    """DEALLOCATE name; `name` is None for ALL."""

    kind: ClassVar[Kind] = Kind.DEALLOCATE
    name: str | None
    name_span: tuple[int, int]


def prepare(
    cursor: Cursor, inspector: SqlInspector, inner: Callable[[Tokens, int, int, SqlInspector], Statement]
) -> Prepare:
    """PREPARE name [(types)] AS statement; `inner` reads the statement, which is checked like any other.

    Raises
    ------
    KadeQLSyntaxError
        It has another shape, or the statement does not parse.
    KadeQLUnsupportedError
        The statement is refused, or is none that can be prepared.
    """
    tokens = cursor.tokens
    hint = f"Write {PREPARE_SHAPE}."
    cursor.index += 1
    name = cursor.name("a name for the prepared statement")
    types = _types(cursor, inspector, hint) if cursor.accept("(") else {}
    cursor.expect("AS after the name", "AS", hint=hint)
    if cursor.done:
        raise cursor.expected("a statement after AS", hint)
    first = cursor.index
    statement = inner(tokens, first, cursor.end, inspector)
    if statement.kind not in PREPARED_KINDS:
        raise REFUSED.error(tokens.text, tokens.span(first))
    params = parameters(tokens, first, cursor.end)
    unknown = next((known for known in types if known not in params), None)
    if unknown is not None:
        raise KadeQLSyntaxError(
            f"The statement has no parameter ${unknown}.",
            text=tokens.text,
            span=types[unknown][1],
            hint=f"Its parameters are: {', '.join(f'${one}' for one in params) or 'none'}.",
        )
    source, start, end, whole = cursor.placed
    return Prepare(
        source=source,
        start=start,
        end=end,
        whole=whole,
        name=name,
        statement=statement,
        params=params,
        types=tuple((known, kind) for known, (kind, _) in types.items()),
    )


def _types(cursor: Cursor, inspector: SqlInspector, hint: str) -> dict[str, tuple[str, tuple[int, int]]]:
    """(parameter type, …); the cursor stands behind the bracket and goes behind the closing one."""
    tokens = cursor.tokens
    found: dict[str, tuple[str, tuple[int, int]]] = {}
    close = tokens.closing(cursor.index - 1, cursor.end)
    while cursor.index < close:
        cursor.accept("$")
        first = cursor.index
        name = cursor.name("a parameter's name")
        begin = cursor.index
        while cursor.index < close and cursor.word != ",":
            opens = cursor.word in ("(", "[")
            cursor.index = tokens.closing(cursor.index, close) + 1 if opens else cursor.index + 1
        if cursor.index == begin:
            raise _NAMELESS.error(tokens.text, tokens.span(first))
        if name in found:
            raise _twice(tokens, tokens.span(first), name)
        found[name] = (tokens.slice(begin, cursor.index), tokens.span(first, cursor.index))
        if not cursor.accept(",") and cursor.index < close:
            raise cursor.expected("a comma or )", hint)
    for kind, span in found.values():
        try:
            inspector.classify(f"SELECT CAST(NULL AS {kind})")
        except KadeQLError as error:
            raise KadeQLSyntaxError(
                f"{kind} is no type.",
                text=tokens.text,
                span=span,
                hint="A type is INTEGER, DECIMAL(10, 2), VARCHAR, TIMESTAMP, BOOLEAN[], and so on.",
            ) from error
    cursor.expect(") behind the types", ")", hint=hint)
    return found


def execute(cursor: Cursor, inspector: SqlInspector) -> Execute:
    """EXECUTE name [(parameter := value, …)].

    Raises
    ------
    KadeQLSyntaxError
        It has another shape, or a value does not parse.
    KadeQLUnsupportedError
        A value has no name, or is a query.
    """
    tokens = cursor.tokens
    hint = f"Write {EXECUTE_SHAPE}."
    cursor.index += 1
    place = cursor.index
    name = cursor.name("the name of a prepared statement")
    found: dict[str, Argument] = {}
    if cursor.accept("("):
        close = tokens.closing(cursor.index - 1, cursor.end)
        while cursor.index < close:
            argument = _argument(cursor, close, inspector, hint)
            if argument.name in found:
                raise _twice(tokens, argument.span, argument.name)
            found[argument.name] = argument
            if not cursor.accept(",") and cursor.index < close:
                raise cursor.expected("a comma or )", hint)
        cursor.expect(") behind the values", ")", hint=hint)
    cursor.finish("EXECUTE")
    source, start, end, whole = cursor.placed
    return Execute(
        source=source,
        start=start,
        end=end,
        whole=whole,
        name=name,
        name_span=tokens.span(place),
        arguments=tuple(found.values()),
    )


def _argument(cursor: Cursor, close: int, inspector: SqlInspector, hint: str) -> Argument:
    """A value by its parameter's name: `lo := 3`, or `lo => 3`."""
    tokens, first = cursor.tokens, cursor.index
    cursor.accept("$")
    sign = cursor.index + 1
    if sign >= close or tokens.words[sign] not in (":=", "=>"):
        raise _POSITIONAL.error(tokens.text, tokens.span(first))
    name = tokens.names[cursor.index]
    if not tokens.is_name(cursor.index):
        raise cursor.expected("a parameter's name", hint)
    span = tokens.span(first, cursor.index + 1)
    begin = cursor.index = sign + 1
    while cursor.index < close and cursor.word != ",":
        opens = cursor.word in ("(", "[", "{")
        cursor.index = tokens.closing(cursor.index, close) + 1 if opens else cursor.index + 1
    if cursor.index == begin:
        raise cursor.expected(f"a value for ${name}", hint)
    written = _written(tokens, begin, cursor.index)
    if written is not None:
        return Argument(name, span, None, written[0])
    start, end = tokens.span(begin, cursor.index)
    edits = (Edit(start, start, "SELECT ("), Edit(end, end, ") AS value"))
    query = read_query(tokens, begin, cursor.index, inspector, edits)
    if query.reads or query.pins or "SELECT" in tokens.words[begin : cursor.index]:
        raise _COMPUTED.error(tokens.text, (start, end))
    return Argument(name, span, query)


def _written(tokens: Tokens, first: int, last: int) -> tuple[object] | None:
    """The value of a constant that is written out as SQL and Python both do, in a tuple; else None."""
    negative = tokens.words[first] == "-"
    index = first + negative
    if last - index != 1:
        return None
    word, raw = tokens.words[index], tokens.slice(index, index + 1)
    if word == NUMBER and _WHOLE.fullmatch(raw) and len(raw) < _DIGITS:
        return (-int(raw) if negative else int(raw),)
    if word == NUMBER and _FRACTION.fullmatch(raw) and len(raw) < _DIGITS:
        return (decimal.Decimal(f"-{raw}" if negative else raw),)
    if negative:
        return None
    if word == STRING and raw[0] == "'":
        return (tokens.names[index],)
    return {"NULL": (None,), "TRUE": (True,), "FALSE": (False,)}.get(word)


def deallocate(cursor: Cursor) -> Deallocate:
    """DEALLOCATE [PREPARE] name, or ALL.

    Raises
    ------
    KadeQLSyntaxError
        It has another shape.
    """
    cursor.index += 1
    cursor.accept("PREPARE")
    place = cursor.index
    name = None if cursor.accept("ALL") else cursor.name("the name of a prepared statement, or ALL")
    cursor.finish("DEALLOCATE")
    source, start, end, whole = cursor.placed
    return Deallocate(
        source=source, start=start, end=end, whole=whole, name=name, name_span=cursor.tokens.span(place)
    )


def parameters(tokens: Tokens, first: int, last: int) -> tuple[str, ...]:
    """The `$names` between two tokens, each once."""
    return tuple(
        dict.fromkeys(
            tokens.names[index + 1]
            for index in range(first, last - 1)
            if tokens.words[index] == "$" and tokens.words[index + 1] != STRING
        )
    )


def _twice(tokens: Tokens, span: tuple[int, int], name: str) -> KadeQLSyntaxError:
    return KadeQLSyntaxError(
        f"The parameter ${name} stands twice.", text=tokens.text, span=span, hint="Name each parameter once."
    )

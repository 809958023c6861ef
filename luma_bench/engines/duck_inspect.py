"""DuckDB's own parser and binder behind the `SqlInspector` protocol: statements of a text, and the schema of one."""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import duckdb
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.engines.duck_connect import connect
from luma_bench.engines.duck_errors import as_luma_error, read_report
from luma_bench.engines.duck_kinds import SCAN_PREFIX, as_scanned, typed_columns, typed_relation
from luma_bench.engines.duck_macros import make_macros
from luma_bench.engines.duck_result import result_shape
from luma_bench.engines.duck_zones import zone_labels
from luma_bench.errors import ClosedError, EngineError, KadeQLBindError, KadeQLUnsupportedError, LumaError
from luma_bench.types.inspector import SqlStatement
from luma_bench.types.schema import ROW_ID, ROWS_PREFIX
from luma_bench.types.sql_text import quoted

_READING = frozenset({"SELECT", "FROM", "PIVOT", "PIVOT_WIDER", "PIVOT_LONGER", "UNPIVOT", "VALUES", "TABLE", "DESCRIBE", "SUMMARIZE", "SHOW"})  # fmt: skip
_BLANKS = " \t\r\n\x0b\x0c"
_CUTTING = (";", "--", "/*", "#")
_VERBS = _READING | {"INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "COPY", "EXPLAIN", "CALL", "EXECUTE"}
_EXPLAIN_OPTIONS = frozenset({"ANALYZE", "FORMAT"})
_EXPLAIN_PREFIX = "EXPLAIN "
_SELECT = "SELECT "
_PRINTED = "SELECT json_deserialize_sql(json_serialize_sql(?::VARCHAR))"
_DESCRIBED = 256
"""Texts whose schemas are kept."""
_BREAKING = (duckdb.FatalException, duckdb.InternalException)


class Connections(Protocol):
    """Where an inspector has its connection from: `DuckEngine.beside`."""

    def __call__(self, *, broken: bool = False) -> duckdb.DuckDBPyConnection:
        """A connection of nobody else's; `broken` says that the last one met an internal error."""
        ...


class DuckInspector:
    """Parses and binds on a connection of its own: it runs nothing and reads nothing. Thread-safe.

    Parameters
    ----------
    settings
        The time zone of described results; the machine's without.
    connections
        An engine's database to do it on; without, on a private one.
    """

    def __init__(self, settings: Settings | None = None, connections: Connections | None = None) -> None:
        own = settings or Settings(threads=1)

        def private(*, broken: bool = False) -> duckdb.DuckDBPyConnection:
            del broken
            return connect(own)

        self._connections: Connections = connections or private
        # In a list, which the finalizer empties: DuckDB's binding complains about a connection that outlives Python.
        self._held = [self._connections()]
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, pa.Schema]] = {}
        self._macros: set[str] = set()
        # What texts yield over the tables that are known now: frames are made anew and ask again.
        self._described: OrderedDict[str, pa.Schema] = OrderedDict()
        self._finalizer = weakref.finalize(self, _let_go, self._held)

    def classify(self, text: str) -> list[SqlStatement]:
        """The statements of a text, in order.

        Raises
        ------
        KadeQLSyntaxError
            The text does not parse.
        """
        with self._lock, self._whole():
            return classify(self._con, text)

    def describe(self, text: str, tables: Mapping[str, pa.Schema]) -> pa.Schema:
        """The Arrow schema a SELECT yields over tables of these schemas, without running it.

        Raises
        ------
        KadeQLBindError
            A name, function or type does not resolve, or a type hangs on the value of a parameter.
        KadeQLUnsupportedError
            The text is no query, or a PIVOT without its list of values: its columns are known when it has run.
        """
        with self._lock, self._whole():
            self._arrange(tables)
            found = self._described.get(text)
            if found is not None:
                self._described.move_to_end(text)
                return found
            require_reading(self._con, text)
            make_macros(self._con, text.casefold(), self._macros)
            try:
                names, types, _, _, deferred = self._con._bind(text)
            except duckdb.Error as error:
                raise self._located(error, text, tables) from error
            if deferred:
                raise KadeQLUnsupportedError(
                    "The columns of this PIVOT are known only when it has run.",
                    text=text,
                    span=(0, len(text)),
                    hint="List them: PIVOT t ON column IN (value, …).",
                )
            for kind in types:
                if str(kind) == "UNKNOWN":
                    raise KadeQLBindError(
                        "The type of a column hangs on the value of a parameter.",
                        text=text,
                        hint="Cast the parameter: $name::INTEGER.",
                    )
            schema = result_shape(self._con, names, types, zone_labels(text, tables)).schema
            self._described[text] = schema
            if len(self._described) > _DESCRIBED:
                self._described.popitem(last=False)
            return schema

    def printed(self, expression: str) -> str:
        """An expression as DuckDB writes it, which is what it calls a column without an alias; itself if it does not parse."""
        with self._lock, self._whole():
            try:
                found = self._con.execute(_PRINTED, [_SELECT + expression]).fetchall()
            except (duckdb.ParserException, duckdb.InvalidInputException, duckdb.BinderException):
                return expression
        return str(found[0][0]).removeprefix(_SELECT) if found else expression

    def close(self) -> None:
        """Release the connection."""
        self._finalizer()

    @contextlib.contextmanager
    def _whole(self) -> Generator[None]:
        """Around every use of the connection: an internal error makes its database unusable, so the next call has another."""
        try:
            yield
        except (duckdb.Error, LumaError) as error:
            if isinstance(error, _BREAKING) or isinstance(error.__cause__, _BREAKING):
                self._known.clear()
                self._macros.clear()
                self._described.clear()
                self._held[:] = [self._connections(broken=True)]
            raise

    @property
    def _con(self) -> duckdb.DuckDBPyConnection:
        if not self._held:
            raise ClosedError("The inspector is closed.", hint="Open the bench again with lb.open(path).")
        return self._held[0]

    def _arrange(self, tables: Mapping[str, pa.Schema]) -> None:
        """Make exactly these tables known, empty."""
        wanted = {name.casefold(): (name, schema) for name, schema in tables.items()}
        for key in [key for key in self._known if key not in wanted]:
            self._described.clear()
            self._forget(*self._known.pop(key))
        for key, (name, schema) in wanted.items():
            known = self._known.get(key)
            if known is not None and known[0] == name and known[1].equals(schema, check_metadata=True):
                continue
            self._described.clear()
            if known is not None:
                self._forget(*known)
            visible = schema.remove(0) if _hides(name, schema) else schema
            empty = pa.Table.from_batches([], as_scanned(visible))  # `empty_table` loads pandas
            if not typed_columns(visible):
                self._con.register(name, empty)
            else:
                self._con.register(SCAN_PREFIX + name, empty)
                text = typed_relation(visible, SCAN_PREFIX + name)
                self._con.execute(f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {text}")
            self._known[key] = (name, schema)

    def _forget(self, name: str, schema: pa.Schema) -> None:
        if not typed_columns(schema):
            self._con.unregister(name)
            return
        self._con.execute(f"DROP VIEW IF EXISTS {quoted(name)}")
        self._con.unregister(SCAN_PREFIX + name)

    def _located(self, error: duckdb.Error, text: str, tables: Mapping[str, pa.Schema]) -> Exception:
        """A binding error with its place, which DuckDB tells only when a statement is on its way to run."""
        try:
            # An EXPLAIN plans and does not run.
            self._con._submit(_EXPLAIN_PREFIX + text, None, "rows")
        except duckdb.Error as told:
            if type(told) is type(error):
                return as_luma_error(told, text, tables, 0.0, len(_EXPLAIN_PREFIX))
        return as_luma_error(error, text, tables, 0.0)


def _hides(name: str, schema: pa.Schema) -> bool:
    """Whether the first column is a scan's row id, which only the relation of the rows themselves shows.

    A scan's is never NULL; one that a query made may be, and is a column like others.
    """
    first = schema.field(0) if len(schema) else None
    hidden = first is not None and first.name == ROW_ID and not first.nullable
    return hidden and not name.startswith(ROWS_PREFIX)


def _let_go(held: list[duckdb.DuckDBPyConnection]) -> None:
    while held:
        held.pop().close()


def classify(con: duckdb.DuckDBPyConnection, text: str) -> list[SqlStatement]:
    """The statements of a text as DuckDB's parser sees them, with their places in it; nothing is bound or run.

    Raises
    ------
    KadeQLSyntaxError
        The text does not parse.
    """
    found = _extracted(con, text)
    places = _places(text)
    if len(places) != len(found):
        raise EngineError(f"DuckDB found {len(found)} statements where its tokens make {len(places)}.")
    return [
        SqlStatement(statement.type.name, start, end, frozenset(statement.named_parameters))
        for statement, (start, end) in zip(found, places, strict=True)
    ]


def _places(text: str) -> list[tuple[int, int]]:
    """Where each statement of a text begins and ends."""
    bare = text.strip(_BLANKS)
    if bare and text.isascii() and not any(mark in text for mark in _CUTTING):
        # Nothing can part statements or stand around one, so that a long list of VALUES need not be looked through.
        start = len(text) - len(text.lstrip(_BLANKS))
        return [(start, start + len(bare))]
    return [(tokens[0].start, end) for tokens, end in _statements(text)]


def _extracted(con: duckdb.DuckDBPyConnection, text: str) -> list[duckdb.Statement]:
    try:
        return con.extract_statements(text)
    except duckdb.NotImplementedException as error:
        raise KadeQLUnsupportedError(
            read_report(error, text).message, text=text, hint="Write every parameter as $name."
        ) from error
    except duckdb.Error as error:
        raise as_luma_error(error, text, (), 0.0) from error


def require_reading(con: duckdb.DuckDBPyConnection, text: str) -> str:
    """Its kind, for one statement that only reads: SELECT, PIVOT, DESCRIBE, SUMMARIZE, or EXPLAIN of these.

    DuckDB calls every PIVOT `MULTI`, also one inside of CREATE or INSERT, and an EXPLAIN ANALYZE runs what it explains;
    so those are looked into.

    Raises
    ------
    KadeQLSyntaxError
        The text does not parse.
    KadeQLUnsupportedError
        It is no statement, several, or one that does not read.
    """
    found = _extracted(con, text)
    if len(found) != 1:
        raise _refused(f"One statement can run here, not {len(found)}.", text, (0, len(text)))
    if found[0].type.name == "SELECT":
        return "SELECT"
    (statement,) = classify(con, text)
    place = (statement.start, statement.end)
    if statement.kind not in ("EXPLAIN", "MULTI"):
        raise _refused(f"{statement.kind} is no query.", text, place)
    tokens, _ = next(_statements(text))
    words = [token for token in tokens if token.depth == 0 and token.word]
    verb = next((token.word for token in words if token.word in _VERBS), "")
    if verb == "EXPLAIN":
        _require_explained(con, text, tokens, statement.end)
    elif verb not in _READING:
        raise _refused(f"{verb or statement.kind} is no query.", text, place)
    return statement.kind


def _require_explained(con: duckdb.DuckDBPyConnection, text: str, tokens: Sequence[_Token], end: int) -> None:
    """Look into the statement after EXPLAIN, ANALYZE and the options in parentheses."""
    inner = tokens[1:]
    while inner and (
        inner[0].word == "ANALYZE" or (inner[0].text == "(" and inner[1].word in _EXPLAIN_OPTIONS)
    ):
        if inner[0].text == "(":
            inner = inner[
                next(i for i, token in enumerate(inner) if token.text == ")" and token.depth == 0) :
            ]
        inner = inner[1:]
    require_reading(con, text[inner[0].start : end] if inner else "")


def _refused(message: str, text: str, span: tuple[int, int]) -> KadeQLUnsupportedError:
    return KadeQLUnsupportedError(
        message, text=text, span=span, hint="A query is one SELECT, FROM, VALUES, TABLE or PIVOT."
    )


@dataclass(frozen=True, slots=True)
class _Token:
    """A token: its place in characters, its text, how many parentheses are open around it, and an unquoted word folded."""

    start: int
    text: str
    depth: int

    @property
    def word(self) -> str:
        return self.text.upper() if self.text[:1].isalpha() else ""


def _statements(text: str) -> Iterator[tuple[list[_Token], int]]:
    """The tokens of each statement, without comments and `;`, and where its last token ends."""
    data = text.encode()
    found = duckdb.tokenize(text)
    if not found:
        return
    # DuckDB counts bytes.
    place = (lambda at: at) if text.isascii() else (lambda at: len(data[:at].decode(errors="replace")))
    stops = [*(place(start) for start, _ in found[1:]), len(text)]
    tokens: list[_Token] = []
    depth, end = 0, 0
    for (offset, kind), stop in zip(found, stops, strict=True):
        if kind == duckdb.token_type.comment:
            continue
        start = place(offset)
        body = text[start:stop].rstrip()
        if body == ";":
            if tokens:
                yield tokens, end
            tokens, depth = [], 0
            continue
        depth -= body == ")"
        tokens.append(_Token(start, body, depth))
        depth += body == "("
        end = start + len(body)
    if tokens:
        yield tokens, end

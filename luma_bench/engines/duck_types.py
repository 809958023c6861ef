"""Types of expressions and relational nodes by DuckDB's binder: the `Typer` of `plan.relational.typing`."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

import duckdb
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.engines.duck_connect import connect
from luma_bench.engines.duck_errors import as_luma_error
from luma_bench.engines.duck_kinds import as_scanned, typed_relation
from luma_bench.engines.duck_macros import make_macros
from luma_bench.errors import ClosedError
from luma_bench.plan.relational.nodes import Node, Scan, walk_nodes
from luma_bench.plan.relational.to_duck import node_sql
from luma_bench.types.sql_text import quoted

_ENTRIES = 1024
_SCAN = "__luma_typed"


class DuckTyper:
    """Binds texts over columns that hold nothing, on a connection of its own. Thread-safe.

    Parameters
    ----------
    settings
        The time zone and limits of a private database.
    connections
        Gives a connection of nobody else's to an engine's database (`DuckEngine.beside`); without, a private one is made
        when it is first needed.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        connections: Callable[[], duckdb.DuckDBPyConnection] | None = None,
    ) -> None:
        own = settings or Settings(threads=1)
        self._connections = connections or (lambda: connect(own))
        self._held: list[duckdb.DuckDBPyConnection] = []
        self._closed = False
        self._lock = threading.Lock()
        self._macros: set[str] = set()
        self._bound: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._schemas: OrderedDict[bytes, tuple[str, ...]] = OrderedDict()
        self._finalizer = weakref.finalize(self, _let_go, self._held)

    def types(self, expressions: Sequence[str], columns: Sequence[tuple[str, str]]) -> list[str]:
        """The SQL type of each expression over columns given as (name, SQL type); see `Typer`.

        Raises
        ------
        KadeQLBindError
            One does not bind.
        """
        if not expressions:
            return []
        # Each in a query of its own, so that aggregates may stand beside what is none.
        alone = ", ".join(f"(SELECT {expression} FROM t)" for expression in expressions)
        return list(self._types(f"WITH t AS ({_empty(columns)}) SELECT {alone}"))

    def node_types(self, node: Node, scans: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
        """The SQL types of a node's columns; see `Typer`.

        Raises
        ------
        KadeQLBindError
            Something in it does not bind.
        """
        read: dict[str, dict[str, None]] = {}
        for part in walk_nodes(node):
            if isinstance(part, Scan):
                read.setdefault(part.name, {}).update(dict.fromkeys(part.columns))
        relations = [
            f"{quoted(name)} AS ({_empty([(column, scans[name][column]) for column in columns])})"
            for name, columns in read.items()
        ]
        head = f"WITH {', '.join(relations)} " if relations else ""
        return self._types(head + node_sql(node))[: node.width]

    def column_types(self, schema: pa.Schema) -> dict[str, str]:
        """By column the SQL type that a relation of this Arrow schema has in the engine."""
        key = schema.serialize().to_pybytes()
        with self._lock:
            found = self._schemas.get(key)
            if found is None:
                con = self._con
                con.register(_SCAN, pa.Table.from_batches([], as_scanned(schema)))
                try:
                    found = tuple(str(kind) for kind in con._bind(typed_relation(schema, _SCAN))[1])
                finally:
                    con.unregister(_SCAN)
                _keep(self._schemas, key, found)
        return dict(zip(schema.names, found, strict=True))

    def close(self) -> None:
        """Release the connection."""
        with self._lock:
            self._closed = True
            self._finalizer()

    def _types(self, text: str) -> tuple[str, ...]:
        with self._lock:
            found = self._bound.get(text)
            if found is None:
                con = self._con
                make_macros(con, text.casefold(), self._macros)
                try:
                    found = tuple(str(kind) for kind in con._bind(text)[1])
                except duckdb.Error as error:
                    raise as_luma_error(error, text, (), 0.0) from error
                _keep(self._bound, text, found)
            else:
                self._bound.move_to_end(text)
            return found

    @property
    def _con(self) -> duckdb.DuckDBPyConnection:
        if self._closed:
            raise ClosedError("The typer is closed.", hint="Open the bench again with lb.open(path).")
        if not self._held:
            self._held.append(self._connections())
        return self._held[0]


def _empty(columns: Sequence[tuple[str, str]]) -> str:
    """A relation with columns of these types."""
    listed = ", ".join(f"NULL::{kind} AS {quoted(name)}" for name, kind in columns)
    return f"SELECT {listed or 'NULL AS nothing'}"


def _keep[K](cache: OrderedDict[K, tuple[str, ...]], key: K, value: tuple[str, ...]) -> None:
    cache[key] = value
    if len(cache) > _ENTRIES:
        cache.popitem(last=False)


def _let_go(held: list[duckdb.DuckDBPyConnection]) -> None:
    while held:
        held.pop().close()

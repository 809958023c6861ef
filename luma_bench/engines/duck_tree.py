"""DuckDB's own parser as trees, and its own printer: a text is read, taken apart and written again in DuckDB's words."""

from __future__ import annotations

import json
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from luma_bench.config import Settings
from luma_bench.engines.duck_connect import connect
from luma_bench.errors import ClosedError, EngineError

type Tree = dict[str, Any]
"""A node of a statement as `json_serialize_sql` gives it, without places."""

_SELECT = "SELECT "
_TEXTS = 512
_FUNCTIONS = """
SELECT function_name, bool_or(function_type = 'aggregate'), bool_or(stability IS NOT NULL AND stability <> 'CONSISTENT'),
       bool_or(function_type = 'macro')
FROM duckdb_functions() WHERE function_type IN ('aggregate', 'scalar', 'macro') GROUP BY ALL
"""
_PLACES = ("query_location", "query_location_length")


@dataclass(frozen=True, slots=True)
class FunctionNames:
    """Names of functions, in lower case: aggregates, those whose answer hangs on more than their arguments, and macros."""

    aggregates: frozenset[str]
    changing: frozenset[str]
    macros: frozenset[str]


class DuckTrees:
    """Parses and prints on a connection of its own, which is made when it is first needed. Thread-safe."""

    def __init__(self, connections: Callable[[], duckdb.DuckDBPyConnection] | None = None) -> None:
        self._connections = connections or (lambda: connect(Settings(threads=1)))
        self._held: list[duckdb.DuckDBPyConnection] = []
        self._closed = False
        self._lock = threading.Lock()
        self._functions: FunctionNames | None = None
        self._skeleton = ("", "")
        self._printed: OrderedDict[str, str] = OrderedDict()
        self._finalizer = weakref.finalize(self, _let_go, self._held)

    def statement(self, text: str) -> Tree | None:
        """The query node of one SELECT; None for a text that is none, or several."""
        with self._lock:
            found: Any = json.loads(self._serialized(text), object_hook=_placeless)
        if found.get("error") or len(found["statements"]) != 1:
            return None
        return found["statements"][0]["node"]

    def expression(self, text: str) -> Tree:
        """The tree of a scalar expression.

        Raises
        ------
        EngineError
            The text is none.
        """
        node = self.statement(_SELECT + text)
        if node is None:
            raise EngineError(f"DuckDB does not read {text!r} as an expression.")
        return node["select_list"][0]

    def printed(self, expressions: Sequence[Tree]) -> list[str]:
        """Expressions in DuckDB's words."""
        texts = [json.dumps(tree) for tree in expressions]
        with self._lock:
            missing = list(dict.fromkeys(text for text in texts if text not in self._printed))
            if missing:
                head, tail = self._around()
                statements = [head + text + tail for text in missing]
                rows = self._con.execute(
                    "SELECT json_deserialize_sql(unnest(?::VARCHAR[])::JSON)", [statements]
                ).fetchall()
                for text, (shown,) in zip(missing, rows, strict=True):
                    self._printed[text] = shown.removeprefix(_SELECT)
            found = [self._printed[text] for text in texts]
            while len(self._printed) > _TEXTS:
                self._printed.popitem(last=False)
        return found

    def query(self, node: Tree) -> str:
        """A query node in DuckDB's words."""
        whole = {"error": False, "statements": [{"node": node, "named_param_map": []}]}
        with self._lock:
            found = self._con.execute("SELECT json_deserialize_sql(?::JSON)", [json.dumps(whole)]).fetchall()
        return str(found[0][0])

    @property
    def functions(self) -> FunctionNames:
        """What DuckDB says of its functions."""
        with self._lock:
            if self._functions is None:
                rows = self._con.execute(_FUNCTIONS).fetchall()
                self._functions = FunctionNames(
                    frozenset(name for name, aggregate, _, _ in rows if aggregate),
                    frozenset(name for name, _, changing, _ in rows if changing),
                    frozenset(name for name, _, _, macro in rows if macro),
                )
            return self._functions

    def close(self) -> None:
        """Release the connection."""
        with self._lock:
            self._closed = True
            self._finalizer()

    def _around(self) -> tuple[str, str]:
        """A SELECT's serialized text before and behind its one expression."""
        if not self._skeleton[0]:
            found: Any = json.loads(self._serialized("SELECT 1"), object_hook=_placeless)
            found["statements"][0]["node"]["select_list"] = ["@"]
            head, _, tail = json.dumps(found).partition('"@"')
            self._skeleton = (head, tail)
        return self._skeleton

    def _serialized(self, text: str) -> str:
        return str(self._con.execute("SELECT json_serialize_sql(?::VARCHAR)", [text]).fetchall()[0][0])

    @property
    def _con(self) -> duckdb.DuckDBPyConnection:
        if self._closed:
            raise ClosedError("The parser is closed.", hint="Open the bench again with lb.open(path).")
        if not self._held:
            self._held.append(self._connections())
        return self._held[0]


def _placeless(found: dict[str, Any]) -> dict[str, Any]:
    for key in _PLACES:
        found.pop(key, None)
    return found


def _let_go(held: list[duckdb.DuckDBPyConnection]) -> None:
    while held:
        held.pop().close()

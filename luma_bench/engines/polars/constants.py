"""What DuckDB alone decides: how a text is parsed, what a constant is, and which type a part has."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import pyarrow as pa

from luma_bench.engines.polars.kinds import Refused
from luma_bench.engines.polars.syntax import Syntax, trees
from luma_bench.errors import KadeQLError
from luma_bench.plan.engine import Engine, Inputs, SqlFragment
from luma_bench.plan.relational.typing import Typer

_ENTRIES = 2048
_PARSE = SqlFragment("SELECT json_serialize_sql($text)")


class Duck:
    """Asks the embedded engine, and remembers what it said. Thread-safe.

    Parameters
    ----------
    embedded
        It runs constants and the parser, never data.
    typer
        Its binder.
    """

    def __init__(self, embedded: Engine, typer: Typer) -> None:
        self._embedded = embedded
        self._typer = typer
        self._lock = threading.Lock()
        self._trees: OrderedDict[str, Syntax] = OrderedDict()
        self._constants: OrderedDict[str, pa.Scalar] = OrderedDict()

    def parsed(self, texts: Sequence[str]) -> list[Syntax]:
        """The expressions as trees.

        Raises
        ------
        Refused
            One has a form that is not known here.
        """
        with self._lock:
            known = {text: self._trees[text] for text in texts if text in self._trees}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            query = f"SELECT {', '.join(missing)}"
            answer = self._run(SqlFragment(_PARSE.text, {"text": query})).column(0)[0].as_py()
            made = trees(answer)
            if len(made) != len(missing):
                raise Refused("expressions that cannot be told apart")
            found = dict(zip(missing, made, strict=True))
            with self._lock:
                _keep(self._trees, found)
            known |= found
        return [known[text] for text in texts]

    def constants(self, texts: Sequence[str]) -> list[pa.Scalar]:
        """The values of expressions without columns, in the types that a query delivers.

        Raises
        ------
        Refused
            DuckDB cannot compute one.
        """
        with self._lock:
            known = {text: self._constants[text] for text in texts if text in self._constants}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            row = self._run(SqlFragment(f"SELECT {', '.join(missing)}"))
            found = {text: row.column(at)[0] for at, text in enumerate(missing)}
            with self._lock:
                _keep(self._constants, found)
            known |= found
        return [known[text] for text in texts]

    def rows(self, text: str) -> pa.Table:
        """A relation of constants."""
        return self._run(SqlFragment(text))

    def types(self, texts: Sequence[str], columns: Sequence[tuple[str, str]]) -> dict[str, str]:
        """The SQL type of each text over columns.

        Raises
        ------
        Refused
            One does not bind alone.
        """
        wanted = list(dict.fromkeys(texts))
        try:
            return dict(zip(wanted, self._typer.types(wanted, columns), strict=True))
        except KadeQLError as error:
            raise Refused(f"an expression whose type is open ({error.plain})") from error

    def column_types(self, schema: pa.Schema) -> dict[str, str]:
        """By column its SQL type."""
        return self._typer.column_types(schema)

    def _run(self, fragment: SqlFragment) -> pa.Table:
        try:
            return self._embedded.run(fragment, Inputs({}))
        except KadeQLError as error:
            raise Refused(f"a constant that cannot be computed ({error.plain})") from error


def _keep[T](cache: OrderedDict[str, T], found: dict[str, T]) -> None:
    cache.update(found)
    while len(cache) > _ENTRIES:
        cache.popitem(last=False)

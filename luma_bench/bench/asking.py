"""Asking a bench: KadeQL texts, tables as DataFrames, rows by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from luma_bench.bench.ask import Ask
from luma_bench.bench.care import Care
from luma_bench.bench.handle import At
from luma_bench.errors import UnsupportedError

if TYPE_CHECKING:
    import pyarrow as pa

    from luma_bench.bench.result import Result
    from luma_bench.frame import DataFrame


class Asking(Care):
    """The part of a Bench that reads: nothing here changes it but a text that says so."""

    def kadeql(
        self,
        text: str,
        params: Mapping[str, object] | None = None,
        *,
        engine: str = "auto",
        strict: bool = False,
        at: At | None = None,
        cache: bool = True,
        tables: Mapping[str, Any] | None = None,
    ) -> Result:
        """Run KadeQL; several statements run in order, each a commit of its own, and the last Result is returned.

        Parameters
        ----------
        text
            One or more statements.
        params
            Values for `$name` parameters.
        engine
            `"auto"` or an engine's name. Another than this machine has falls back, which the run record says;
            with `strict` it is an error.
        at
            Read at this snapshot: an id, a tag, or a time.
        cache
            Whether an equal question at the same snapshot may be answered from the result cache (`run.cached` says so).
        tables
            More relations by name: pandas, Polars or Arrow tables.

        Raises
        ------
        KadeQLError
            The text is wrong; the message shows line, column and caret.
        UnsupportedError
            The statement is refused; the hint says what to write instead.
        """
        self._alive()
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UnsupportedError(f"KadeQL is text, not {type(text).__name__}.", hint="Give a str.")
        if params is not None and not isinstance(params, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UnsupportedError(
                f"params is a {type(params).__name__}; parameters have names.",
                hint="Write $lo in the text and params={'lo': 3}.",
            )
        asked = at if at is not None else self._at
        ask = Ask(params or {}, engine, strict, asked, cache, tables or {})
        # A call that names a snapshot reads that one, transaction or not.
        session = self._session if at is None else None
        read_only = self.read_only or at is not None
        return self._machinery.statements.run(text, ask, read_only=read_only, session=session)

    def table(self, name: str, at: At | None = None) -> DataFrame:
        """A lazy DataFrame over a table, pinned at a snapshot (`at`, or the newest now).

        Raises
        ------
        CatalogError
            No such table at that snapshot.
        """
        from luma_bench.bench.executor import PinnedExecutor
        from luma_bench.frame import DataFrame

        self._alive()
        inside = self._session.current
        if inside is not None and at is None:
            return inside.table(name)
        pinned = self._store.resolve(at if at is not None else self._at)
        return DataFrame.scan(PinnedExecutor(self._machinery.statements, pinned), pinned.find(name).name)

    def get(self, table: str, key: object) -> dict[str, Any] | None:
        """The row of a table with this primary key, as Python values by column name; None when there is none.

        Parameters
        ----------
        key
            The value; for a key of several columns a tuple in their order, or a mapping by name.

        Raises
        ------
        CatalogError
            There is no such table, or it has no primary key.
        SchemaError
            The key has other columns than the table's, or a value of another kind than its column.

        Examples
        --------
        >>> bench.write("users", {"id": [1, 2], "name": ["Ada", "Ben"]}, primary_key="id")
        >>> bench.get("users", 2)
        {'id': 2, 'name': 'Ben'}
        """
        return self._store.scan(self._pinned(), table).lookup().get(key)

    def get_many(self, table: str, keys: Any) -> pa.Table:
        """The rows of a table with these primary keys, in the order of the keys and in exactly the types written.

        A key that no row has gives no row; one that is asked for twice gives its row twice.

        Parameters
        ----------
        keys
            A list of keys as `get` takes them; or the key columns as a table, a mapping of columns by name, or, for a
            key of one column, an array.

        Raises
        ------
        CatalogError, SchemaError
            As for `get`.
        """
        return self._store.scan(self._pinned(), table).lookup().get_many(keys)

"""Asking a bench: KadeQL texts, tables as DataFrames, rows by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from luma_bench.bench.ask import Ask
from luma_bench.bench.calls import check_call, check_limits
from luma_bench.bench.care import Care
from luma_bench.bench.handle import At
from luma_bench.types.graph import GRAPH
from luma_bench.types.limits import Limits

if TYPE_CHECKING:
    import pyarrow as pa

    from luma_bench.bench.executor import PinnedExecutor
    from luma_bench.bench.graph.handle import Graph
    from luma_bench.bench.prepared import Prepared
    from luma_bench.bench.result import Result
    from luma_bench.bench.series.handle import TimeSeries
    from luma_bench.frame import DataFrame
    from luma_bench.language import Statement
    from luma_bench.plan.lineage import Lineage


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
        timeout: float | None = None,
        max_rows: int | None = None,
        max_bytes: int | None = None,
        profile: bool = False,
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
            More relations by name: pandas, Polars or Arrow tables, results, and lazy frames. A frame of this bench
            becomes part of the statement's plan, at the snapshot that it was made at; one of another bench or identity
            is run first, which `run.warnings` says.
        timeout
            Seconds that each statement may run, instead of the setting `timeout`; 0 for no limit.
        max_rows, max_bytes
            The most that a result may hold, instead of the settings `max_result_rows` and `max_result_bytes`.
        profile
            Measure what each operator does while a query runs, past the result cache: the plan of the result
            (`result.plan_view()`) has rows, bytes and time of each then.

        Raises
        ------
        KadeQLError
            The text is wrong; the message shows line, column and caret.
        UnsupportedError
            The statement is refused; the hint says what to write instead.
        ResourceError
            The result is larger than it may be, or the query needs more memory or room to spill than there is.
        CancelledError
            The timeout ran out, or `cancel()` was called; nothing was changed.
        """
        check_call(text, params)
        ask = self._asked(params, engine, strict, at, tables, (timeout, max_rows, max_bytes), cache=cache)
        ask = replace(ask, profile=profile) if profile else ask
        # A call that names a snapshot reads that one, transaction or not.
        session = self._session if at is None else None
        read_only = self.read_only or at is not None
        return self._machinery.statements.run(text, ask, read_only=read_only, session=session)

    def stream(
        self,
        text: str,
        params: Mapping[str, object] | None = None,
        *,
        engine: str = "auto",
        strict: bool = False,
        at: At | None = None,
        tables: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> pa.RecordBatchReader:
        """The answer to one query as a stream, for results larger than memory: batches come as the engine makes them.

        The stream reads the snapshot that the call did, however long it is read, and holds an engine's cursor until its end.
        Drop it (`del reader`) to stop early: `close()` of a pyarrow reader reaches nothing behind it.

        Parameters
        ----------
        text
            One query.
        params, engine, strict, at, tables, timeout
            As for `kadeql`.

        Raises
        ------
        KadeQLError
            The text is wrong, or no query; the reader raises it too, for what it meets later.
        CancelledError
            From the reader: the timeout ran out, or `cancel()` was called.

        Examples
        --------
        >>> for batch in bench.stream("SELECT * FROM flights WHERE month = $m", params={"m": 2}):
        ...     print(batch.num_rows)
        """
        check_call(text, params)
        ask = self._asked(params, engine, strict, at, tables, (timeout, 0, 0), cache=False)
        inside = self._inside() if at is None else None
        if inside is not None:
            ask = replace(ask, view=inside.view, at=None, uncommitted=inside.staged)
        return self._machinery.statements.stream(text, ask)

    def _asked(
        self,
        params: Mapping[str, object] | None,
        engine: str,
        strict: bool,
        at: At | None,
        tables: Mapping[str, Any] | None,
        limits: tuple[float | None, int | None, int | None],
        *,
        cache: bool,
    ) -> Ask:
        """A call's arguments, behind the checks that all calls share."""
        self._alive()
        given = check_limits(limits)
        return Ask(
            params or {},
            engine,
            strict,
            at if at is not None else self._at,
            cache,
            tables or {},
            shelf=self._session.shelf,
            limits=Limits.of(self.settings, *limits) if given else None,
            identity=self._identity,
        )

    def prepare(
        self,
        text: str,
        *,
        engine: str = "auto",
        strict: bool = False,
        tables: Mapping[str, Any] | None = None,
    ) -> Prepared:
        """One statement, parsed and checked now, to be run many times with other values for its `$name` parameters.

        Parameters
        ----------
        text
            A query, INSERT, UPDATE, DELETE or MERGE.
        engine, strict, tables
            As for `kadeql`.

        Raises
        ------
        KadeQLError
            The text is wrong; the message shows line, column and caret.
        UnsupportedError
            It is several statements, or one that cannot be prepared.

        Examples
        --------
        >>> late = bench.prepare("SELECT count(*) AS n FROM flights WHERE dep_delay > $minutes")
        >>> late.params
        ('minutes',)
        >>> late(minutes=60).to_arrow()
        """
        from luma_bench.bench.prepared import prepared

        self._alive()
        check_call(text, None)
        return prepared(
            self, text, Ask({}, engine, strict, self._at, tables=tables or {}, identity=self._identity)
        )

    def _run_prepared(self, statement: Statement, ask: Ask) -> Result:
        self._alive()
        place = self._machinery.statements
        return place.run_one(statement, ask, read_only=self.read_only, session=self._session)

    def _prepared_schema(self, text: str, ask: Ask) -> pa.Schema:
        asked = replace(ask, view=self._pinned(), at=None)
        return self._machinery.statements.schema(text, asked)

    def lineage(
        self,
        text: str,
        params: Mapping[str, object] | None = None,
        *,
        at: At | None = None,
        tables: Mapping[str, Any] | None = None,
    ) -> Lineage:
        """Which stored columns each output column of a statement is made of; nothing runs.

        Best effort, by the parse tree and the tables' schemas, with views, common table expressions and `*` resolved; of
        INSERT, UPDATE, MERGE and CREATE TABLE AS, of the columns that are written. What the tree does not show for
        certain is said to be unknown, never guessed. Conditions (WHERE, ON) are not part of it.

        Parameters
        ----------
        text
            One statement.
        params, at, tables
            As for `kadeql`.

        Raises
        ------
        KadeQLError
            The text is wrong, or holds more than one statement.

        Examples
        --------
        >>> bench.lineage("SELECT origin, sum(distance) / 1.6 AS miles FROM flights GROUP BY origin")["miles"].sources
        ('flights.distance',)
        """
        from luma_bench.bench.lineaging import lineage_of

        check_call(text, params)
        ask = self._asked(params, "auto", False, at, tables, (None, None, None), cache=False)
        inside = self._inside() if at is None else None
        if inside is not None:
            ask = replace(ask, view=inside.view, at=None, uncommitted=inside.staged)
        return lineage_of(self._machinery.statements, text, ask)

    def table(self, name: str, at: At | None = None) -> DataFrame:
        """A lazy DataFrame over a table, pinned at a snapshot (`at`, or the newest now).

        Raises
        ------
        CatalogError
            No such table at that snapshot.
        """
        from luma_bench.frame import DataFrame

        executor = self.executor(at)
        return DataFrame.scan(executor, executor.relation(name))

    def graph(self, name: str | None = None, at: At | None = None) -> Graph:
        """A property graph, pinned at a snapshot (`at`, or the newest now): patterns, paths, algorithms, drawings, networkx.

        CREATE PROPERTY GRAPH makes one over tables; `lb.Graph.from_networkx`, `from_edges` and `from_graphml` make tables
        and graph together.

        Parameters
        ----------
        name
            The graph's name; None for the only one.
        at
            A snapshot's id, tag, or a time.

        Raises
        ------
        CatalogError
            There is no such graph at that snapshot.

        Examples
        --------
        >>> air = bench.graph("air")
        >>> air.shortest_path("BTV", "GUM").nodes
        """
        from luma_bench.bench.graph.definitions import graph_of
        from luma_bench.bench.graph.handle import Graph

        executor = self.executor(at)
        return Graph(executor, graph_of(executor._pinned, name))

    def graphs(self) -> list[str]:
        """The names of the property graphs at this bench's snapshot, or in the open transaction, sorted."""
        return [item.name for item in self._pinned().objects_of(GRAPH)]

    def series(
        self, name: str, time: str | None = None, by: str | Sequence[str] | None = None, at: At | None = None
    ) -> TimeSeries:
        """A table as a set of series, pinned at a snapshot (`at`, or the newest now): windows, gaps, as-of joins, plots.

        Parameters
        ----------
        name
            A table or view.
        time
            The column of times; None for the table's own (`time_column`), or the only date or timestamp.
        by
            The columns that tell series apart; None for the table's own (`series_key`), `()` for one series of all rows.

        Raises
        ------
        CatalogError
            There is no such table at that snapshot.
        SchemaError
            There is no such column, or nothing says which one is the time; the hint names candidates.

        Examples
        --------
        >>> weather = bench.series("weather", time="time_hour", by="origin")
        >>> weather.between("2013-02-01", "2013-03-01").resample("6h", {"temp": "mean"}, fill="linear")
        """
        from luma_bench.bench.series.handle import series_of

        return series_of(self.executor(at), name, time, by)

    def executor(self, at: At | None = None) -> PinnedExecutor:
        """What frames of this bench run on: its tables at a snapshot (`at`, or the newest now), or in the open transaction."""
        from luma_bench.bench.executor import PinnedExecutor

        self._alive()
        inside = self._session.current
        statements = self._machinery.statements
        if inside is not None and at is None:
            return PinnedExecutor(statements, inside.view, self._identity, inside)
        pinned = self._store.resolve(at if at is not None else self._at)
        return PinnedExecutor(statements, pinned, self._identity, read_only=self.read_only)

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
        access = self._machinery.statements.runner.binder.access
        return access.get(self._pinned(), table, key, self._identity)

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
        access = self._machinery.statements.runner.binder.access
        return access.get_many(self._pinned(), table, keys, self._identity)

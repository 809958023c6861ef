"""The embedded engine: DuckDB in this process, reading nothing but the pinned sources it is given."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Literal

import _duckdb
import duckdb
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.engines.calibrate import Calibration
from luma_bench.engines.costs import duck_estimate
from luma_bench.engines.duck_aside import AsideThread
from luma_bench.engines.duck_errors import missing_table, read_report
from luma_bench.engines.duck_external import FileDatabases
from luma_bench.engines.duck_memory import Trimmer
from luma_bench.engines.duck_params import bound_values
from luma_bench.engines.duck_place import place_of
from luma_bench.engines.duck_pool import Cursor, Database, hook_problem, unread_tables
from luma_bench.engines.duck_profile import plan_tree
from luma_bench.engines.duck_result import ZONED, ResultShape, result_shape
from luma_bench.engines.duck_sequences import numbered
from luma_bench.engines.duck_statement import RunningStatement
from luma_bench.engines.duck_stream import ResultStream
from luma_bench.engines.duck_zones import zone_labels
from luma_bench.errors import KadeQLBindError, KadeQLError, choices
from luma_bench.plan.engine import ROWS_PREFIX, Estimate, Inputs, SqlFragment, rows_relation
from luma_bench.types.limits import Limits


class DuckEngine:
    """Runs SQL fragments on an in-memory DuckDB; the default engine.

    Statements of several threads run side by side, each on a cursor of its own.

    Parameters
    ----------
    settings
        Threads, memory limit, time zone and timeout.
    scan_path
        How DuckDB reads a source: `"source"` (the private hook, which prunes) or `"dataset"`. The default tries the
        hook first and takes the dataset when it does not behave.

    Attributes
    ----------
    scan_path
        Which of the two it is.
    scan_problem
        Why the hook was not taken; None when it was, or was not asked.
    calibration
        How fast this machine is.
    """

    def __init__(self, settings: Settings, scan_path: str | None = None) -> None:
        self.scan_problem = hook_problem() if scan_path is None else None
        self.scan_path = scan_path or ("source" if self.scan_problem is None else "dataset")
        self.calibration = Calibration(settings)
        self._threads, self._memory = settings.effective_threads, settings.effective_memory_limit
        self._running = _Running(settings, self.scan_path)
        # At exit too: DuckDB's binding complains about connections that outlive the interpreter.
        self._finalizer = weakref.finalize(self, _Running.close, self._running)

    @property
    def name(self) -> str:
        """`duckdb`."""
        return "duckdb"

    @property
    def looks_up(self) -> bool:
        """False: it scans."""
        return False

    @property
    def reason(self) -> str:
        """What the run record says of a query that it takes."""
        return "embedded"

    @property
    def automatic(self) -> bool:
        """True: it is what `auto` takes unless another one is better."""
        return True

    @property
    def complete(self) -> bool:
        """True: what it cannot run is no statement that reads."""
        return True

    @property
    def explains(self) -> bool:
        """True: EXPLAIN and DESCRIBE are statements like others."""
        return True

    def estimate(self, fragment: SqlFragment, inputs: Inputs) -> Estimate | None:
        """By what the statement reads and does, on this machine."""
        return duck_estimate(fragment, inputs, self.calibration, self._threads, self._memory)

    def supports(self, fragment: SqlFragment, inputs: Inputs | None = None) -> str | None:
        """None for one reading statement (SELECT, PIVOT, DESCRIBE, SUMMARIZE, EXPLAIN of these), else the reason."""
        try:
            self._running.require_reading(fragment.text)
        except KadeQLError as error:
            return error.plain
        return None

    def run(self, fragment: SqlFragment, inputs: Inputs) -> pa.Table:
        """Run to the end.

        Raises
        ------
        KadeQLError
            The fragment does not parse, bind or convert; it points into `fragment.text`.
        CancelledError
            `cancel` was called, or the timeout of the settings ran out.
        KeyboardInterrupt
            A signal handler raised in the main thread while it waited for the statement, which was stopped.
        EngineError
            Anything else that DuckDB reports. An error of a scan source comes out as it was raised.
        """
        statement = self._running.begin(fragment, inputs)
        try:
            with statement.calling():
                answer = numbered if inputs.sequences else _plain
                made = self._running.aside.call(
                    lambda: answer(statement, lambda: _answer(statement)), statement.stop
                )
                return self._running.memory.watched(made)
        finally:
            statement.close()

    def stream(self, fragment: SqlFragment, inputs: Inputs) -> pa.RecordBatchReader:
        """Run as a stream: batches come as DuckDB makes them.

        The reader holds a cursor until it is drained or dropped; dropping it stops the statement. (`close()` of a
        pyarrow reader reaches nothing behind it: drop the reader.) Raises like `run`, also from the reader's batches.
        """
        if inputs.sequences:
            # What it took is known, and claimed, only when it is done.
            return self.run(fragment, inputs).to_reader()
        statement = self._running.begin(fragment, inputs)
        try:
            with statement.calling():
                shape, batches = self._running.aside.call(lambda: _opened(statement), statement.stop)
        except BaseException:
            statement.close()
            raise
        stream = ResultStream(statement, batches, shape, self._running.side, self._running.aside)
        return pa.RecordBatchReader.from_batches(shape.schema, stream)

    def beside(self, *, broken: bool = False) -> duckdb.DuckDBPyConnection:
        """A connection to the engine's database for what only parses and binds: a database of its own takes 12 ms.

        Parameters
        ----------
        broken
            The last such connection met an internal error of DuckDB, so that a new database takes the place of this one.
        """
        return self._running.renewed() if broken else self._running.side()

    def cancel(self) -> int:
        """Stop every running statement, open streams too; how many there were."""
        running = self._running.statements()
        for statement in running:
            statement.stop()
        return len(running)

    def running(self) -> tuple[RunningStatement, ...]:
        """What runs now, open streams too, oldest first."""
        return tuple(self._running.statements())

    def progress(self) -> float | None:
        """The fraction done of the newest running statement, None when idle or unknown."""
        running = self._running.statements()
        return running[-1].progress if running else None

    def close(self) -> None:
        """Stop what runs and release every resource; open streams raise from then on."""
        self._finalizer()


class _Running:
    """The database and the statements on it. Thread-safe; it never refers to the engine, whose end closes it."""

    def __init__(self, settings: Settings, scan_path: str) -> None:
        self._settings = settings
        self._scan_path = scan_path
        # A finalizer may close a statement inside of a call of the same thread.
        self._lock = threading.RLock()
        self._statements: list[RunningStatement] = []
        self._database = Database(settings, scan_path)
        self._with_files = FileDatabases(settings, scan_path)
        self.aside = AsideThread()
        self.memory = Trimmer()

    def begin(self, fragment: SqlFragment, inputs: Inputs) -> RunningStatement:
        with self._lock:
            files = inputs.files
            database = self._database if files is None else self._with_files.begin(files.paths)

            def release(statement: RunningStatement, cursor: Cursor) -> None:
                self._ended(statement, cursor, database)
                if files is not None:
                    self._with_files.end(files.paths, broken=statement.broken)

            limits = inputs.limits
            limit = self._settings.timeout if limits is None else limits.timeout
            left = limit if limits is None else limits.seconds_left
            statement = RunningStatement(fragment, inputs, database.lease(), release, left, limit)
            self._statements.append(statement)
            return statement

    def statements(self) -> list[RunningStatement]:
        with self._lock:
            return list(self._statements)

    def require_reading(self, text: str) -> None:
        with self._lock:
            database = self._database
        cursor = database.lease()
        try:
            cursor.kind(text)
        finally:
            database.release(cursor)

    def side(self) -> duckdb.DuckDBPyConnection:
        """A fresh connection, for a cast beside an open result."""
        with self._lock:
            return self._database.connection()

    def renewed(self) -> duckdb.DuckDBPyConnection:
        """A connection to a new database, which the next statements run on."""
        with self._lock:
            self._replace()
            return self._database.connection()

    def close(self) -> None:
        running = self.statements()
        for statement in running:
            statement.stop()
        for statement in running:
            statement.settle()
        self._database.close()
        self._with_files.close()
        self.aside.close()

    def _ended(self, statement: RunningStatement, cursor: Cursor, database: Database) -> None:
        with self._lock:
            self._statements.remove(statement)
            database.release(cursor, retired=statement.broken or cursor.retired)
            if statement.broken and database is self._database and not database.closed:
                # An internal error of DuckDB invalidates the whole database, so the next statement gets a new one.
                self._replace()

    def _replace(self) -> None:
        old = self._database
        if not old.closed:
            self._database = Database(self._settings, self._scan_path)
            old.close()


def _plain(statement: RunningStatement, answer: Callable[[], pa.Table]) -> pa.Table:
    return answer()


def _answer(statement: RunningStatement) -> pa.Table:
    """The whole result in its delivered types."""
    limits = statement.inputs.limits
    if limits is not None and limits.caps:
        return _capped(statement, limits)
    result = _submit(statement, "arrow")
    con = statement.cursor.con
    shape, table = _shape(statement, result), result.arrow_table()
    _measured(statement)
    return shape.convert(table, lambda: con)


def _measured(statement: RunningStatement) -> None:
    """Note what each operator did, where the run is measured; before the connection runs anything else."""
    report = statement.inputs.report
    if report.measures:
        report.tree = plan_tree(statement.cursor.con.get_profiling_information(format="json"))


def _capped(statement: RunningStatement, limits: Limits) -> pa.Table:
    """The whole result, taken batch by batch, so that one that is too large is given up before it is there."""
    result = _submit(statement, "stream")
    try:
        shape = _shape(statement, result)
        reader = result.arrow_reader()
    except BaseException:
        result.close()
        raise
    batches: list[pa.RecordBatch] = []
    rows = nbytes = 0
    try:
        for batch in reader:
            rows += batch.num_rows
            nbytes += batch.nbytes
            limits.check(rows, nbytes)
            batches.append(batch)
        table = pa.Table.from_batches(batches, reader.schema)
    finally:
        reader.close()
    _measured(statement)
    con = statement.cursor.con
    return shape.convert(table, lambda: con)


def _opened(statement: RunningStatement) -> tuple[ResultShape, pa.RecordBatchReader]:
    """The shape of the result, and its batches as DuckDB makes them."""
    result = _submit(statement, "stream")
    try:
        return _shape(statement, result), result.arrow_reader()
    except BaseException:
        result.close()
        raise


def _submit(statement: RunningStatement, form: Literal["arrow", "stream"]) -> _duckdb.RelationResult:
    """Pin what the text names, and run it on the statement's cursor."""
    fragment, inputs, cursor = statement.fragment, statement.inputs, statement.cursor
    # A PIVOT leaves the enum of its values on the connection, and a measured run goes on to measure.
    cursor.retired = cursor.kind(fragment.text) == "MULTI" or inputs.report.measures
    values = bound_values(fragment.params)
    if inputs.report.measures:
        cursor.con.execute("PRAGMA enable_profiling='no_output'")
    cursor.begin(fragment.text, inputs, statement)
    try:
        return cursor.con._submit(fragment.text, values, form)
    except duckdb.Error as error:
        # A name that the text puts together or escapes does not stand in it as it is, so it was not pinned.
        late = unread_tables(inputs, fragment.text)
        reached = {name.casefold(): name for name in (*cursor.missed(), missing_table(error) or "") if name}
        if not reached:
            raise
        absent = [name for key, name in reached.items() if key not in {name.casefold() for name in late}]
        if absent:
            known = inputs.names
            raise KadeQLBindError(
                f"There is no table {absent[0]!r}.",
                text=fragment.text,
                span=read_report(error, fragment.text).span or place_of(f'"{absent[0]}"', fragment.text),
                hint=choices(absent[0], known, "tables"),
            ) from error
        for name, source in late.items():
            cursor.pin(name, source, statement)
        return cursor.con._submit(fragment.text, values, form)


def _shape(statement: RunningStatement, result: _duckdb.RelationResult) -> ResultShape:
    names = [column[0] for column in result.description]
    kinds = [column[1] for column in result.description]
    zones = _zones(statement) if any(kind.id == ZONED for kind in kinds) else {}
    return result_shape(statement.cursor.con, names, kinds, zones)


def _zones(statement: RunningStatement) -> dict[str, str]:
    """The zones of what the statement passes through."""
    text, inputs = statement.fragment.text, statement.inputs
    schemas: dict[str, pa.Schema] = {name: source.schema for name, source in inputs.sources.items()}
    if any(ROWS_PREFIX in sql for sql in (text, *(view.sql for view in inputs.views))):
        schemas |= {rows_relation(name): schema for name, schema in schemas.items()}
    schemas |= {name: table.schema for name, table in inputs.relations.items() if isinstance(table, pa.Table)}
    return zone_labels(text, schemas, {view.name: (view.sql, view.columns) for view in inputs.views})

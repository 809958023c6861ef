"""The answer to one statement: Arrow out, lossless, with the record of what ran."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.errors import UnsupportedError
from luma_bench.types.record import RunRecord

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from luma_bench.bench.diff import Diff
    from luma_bench.frame import DataFrame
    from luma_bench.plan.profile import Profile
    from luma_bench.plot.plan import PlanView
    from luma_bench.types.executor import Executor

_INT64 = (decimal.Decimal(-(2**63)), decimal.Decimal(2**63 - 1))


class Result:
    """A finished, immutable result.

    Attributes
    ----------
    run
        What ran the statement, why, at which snapshot, and what it cost.
    text
        The statement as the user wrote it.
    results
        The results of every statement of the text that this result came from, in order; the last is this one.
    """

    grid_maker: ClassVar[Callable[[Result], Any] | None] = None
    """What makes a grid: a notebook's extension says it, while it is loaded."""

    __slots__ = ("__weakref__", "_earlier", "_executor", "_explain", "_profile", "_table", "run", "text")

    def __init__(
        self,
        table: pa.Table,
        run: RunRecord,
        text: str,
        explain: Callable[[], str] | None = None,
        profile: Callable[[bool], Profile] | None = None,
    ) -> None:
        self._table = table
        self.run = run
        self.text = text
        self._explain = explain
        self._profile = profile
        self._executor: Callable[[], Executor] | None = None
        # Not itself: in a circle its rows would stay in memory until Python looks for circles.
        self._earlier: tuple[Result, ...] = ()

    @property
    def results(self) -> tuple[Result, ...]:
        """The results of every statement of the text, in order."""
        return (*self._earlier, self)

    def among(self, results: tuple[Result, ...]) -> Result:
        """The same result as the last of several, for `results`."""
        last = self.ran(self.run)
        last._earlier = results[:-1]
        return last

    def ran(
        self,
        run: RunRecord,
        explain: Callable[[], str] | None = None,
        profile: Callable[[bool], Profile] | None = None,
    ) -> Result:
        """The same rows under another record, and another plan, as text and as a tree, where one is given."""
        made = Result(self._table, run, self.text, explain or self._explain, profile or self._profile)
        made._executor = self._executor
        return made

    def over(self, executor: Callable[[], Executor]) -> Result:
        """The same result with what frames over it run on, made when one is asked for."""
        made = self.ran(self.run)
        made._executor = executor
        return made

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the rows."""
        return self._table.schema

    def __len__(self) -> int:
        return self._table.num_rows

    def to_arrow(self) -> pa.Table:
        """The rows as a `pyarrow.Table`, exactly as the engine gave them."""
        return self._table

    def to_reader(self) -> pa.RecordBatchReader:
        """The rows as a stream of record batches."""
        return self._table.to_reader()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows through the Arrow PyCapsule interface."""
        return self._table.__arrow_c_stream__(requested_schema)

    def to_pandas(self) -> pd.DataFrame:
        """The rows as a pandas DataFrame.

        `DECIMAL(38,0)`, which a sum of integers is, comes as int64 when every value fits; integers and booleans that
        hold NULL come as pandas' nullable dtypes, so that no value is rounded through float64.
        """
        import pandas as pd

        table = narrowed(self._table)
        nullable = {
            pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype(),
            pa.uint8(): pd.UInt8Dtype(), pa.uint16(): pd.UInt16Dtype(), pa.uint32(): pd.UInt32Dtype(),
            pa.uint64(): pd.UInt64Dtype(), pa.bool_(): pd.BooleanDtype(),
        }  # fmt: skip
        # A column without NULL keeps its NumPy dtype, which is what people expect of plain data.
        holed = {
            field.type for field, column in zip(table.schema, table.columns, strict=True) if column.null_count
        }
        if not holed & set(nullable):
            return table.to_pandas()
        frames = [
            table.select([index]).to_pandas(types_mapper=nullable.get if column.null_count else None)
            for index, column in enumerate(table.columns)
        ]
        return pd.concat(frames, axis=1) if len(frames) != 1 else frames[0]

    def to_polars(self) -> pl.DataFrame:
        """The rows as a Polars DataFrame; sums of integers as Int64 when every value fits."""
        import polars as pl

        frame = pl.from_arrow(narrowed(self._table))
        return frame if isinstance(frame, pl.DataFrame) else frame.to_frame()

    def to_dask(self, npartitions: int | None = None) -> Any:
        """The rows as a `dask.dataframe` of `npartitions` partitions; None for about 64 MB each.

        Raises
        ------
        UnsupportedError
            dask.dataframe is not installed, or `npartitions` is less than 1.
        """
        from luma_bench.engines.cluster import interop

        interop.check_partitions(npartitions)
        return interop.from_arrow(narrowed(self._table), npartitions)

    def frame(self) -> DataFrame:
        """A lazy DataFrame over the rows, which stay in memory; it meets frames of its bench at the snapshot it ran on.

        Its rows are in the order of the result.

        Raises
        ------
        SnapshotExpired
            The snapshot is gone.
        SchemaError
            Two columns have one name.

        Examples
        --------
        >>> late = bench.kadeql("SELECT carrier, count(*) AS n FROM flights GROUP BY ALL ORDER BY carrier")
        >>> late.frame()[["carrier"]].head(1).to_arrow().num_rows
        1
        """
        from luma_bench.frame import DataFrame
        from luma_bench.plan.nodes import Relation

        if self._executor is None:
            raise UnsupportedError(
                "This result belongs to no bench.", hint="Take one from bench.kadeql(…), or use to_arrow()."
            )
        return DataFrame(self._executor(), Relation(self._table))

    def diff(self, other: Any, key: str | Sequence[str] | None = None, *, tolerance: float = 1e-9) -> Diff:
        """What changed from this result to another: columns, rows that came and went, values; found by the engine.

        Parameters
        ----------
        other
            A result, of any bench and snapshot, or any table: Arrow, pandas, Polars, a dict of arrays.
        key
            The columns that rows are known by; None compares rows as wholes, as often as each occurs.
        tolerance
            How far floating-point values may be apart, relative to the larger one; 0 takes them as they are.

        Raises
        ------
        SchemaError
            A key column is missing, or several rows have one key.
        UnsupportedError
            `other` is no table, or the tolerance is negative or not finite.

        Examples
        --------
        >>> before = bench.kadeql("SELECT carrier, count(*) AS n FROM flights GROUP BY ALL", at=2)
        >>> now = bench.kadeql("SELECT carrier, count(*) AS n FROM flights GROUP BY ALL")
        >>> before.diff(now, key="carrier").changed_columns
        {'n': 1}
        """
        from luma_bench.bench.diff import diff
        from luma_bench.bench.loose import loose_executor
        from luma_bench.bench.relations import arrow_table

        their = other.to_arrow() if isinstance(other, Result) else arrow_table(other, "other")
        made = self._executor or (other._executor if isinstance(other, Result) else None)
        executor: Executor = loose_executor() if made is None else made()

        def run(text: str, tables: Mapping[str, Any]) -> pa.Table:
            return executor.execute(text, tables=tables).to_arrow()

        return diff(self._table, their, run, key=key, tolerance=tolerance)

    def explain(self) -> str:
        """The plan that ran, with its engine, snapshot and pruning, as text."""
        return self._explain() if self._explain is not None else self.run.badge

    @property
    def has_plan(self) -> bool:
        """Whether the result comes from a query, so that `profile` and `plan_view` can tell how it ran."""
        return self._profile is not None

    def profile(self, *, analyze: bool = False) -> Profile:
        """The plan that ran as one typed tree, with the figures of the run.

        Parameters
        ----------
        analyze
            Run the statement again at the snapshot that it read, past the result cache, for what each operator did.
            Without it the operators have estimates, and scans and the answer what they took.

        Raises
        ------
        UnsupportedError
            The statement has no plan: it is no query.
        SnapshotExpired
            The snapshot is gone.
        """
        if self._profile is None:
            raise UnsupportedError(
                "This result has no plan: it does not come from a query.",
                hint="Ask for the plan of a SELECT, or run EXPLAIN with the statement that changes rows.",
            )
        return self._profile(analyze)

    def plan_view(self, *, analyze: bool = False) -> PlanView:
        """The plan as a drawing: operators with rows, bytes, time and pruning, engines and fallbacks with reasons.

        JupyterLab shows it as a picture that folds and zooms, with the details of each operator; a saved or printed page shows the
        same picture without scripts. Parameters and errors are those of `profile`.

        Examples
        --------
        >>> late = bench.kadeql("SELECT carrier, count(*) AS n FROM flights GROUP BY ALL")
        >>> "TABLE_SCAN" in late.plan_view().svg
        True
        """
        from luma_bench.plot.plan import PlanView

        return PlanView(self.profile(analyze=analyze))

    def grid(self) -> Any:
        """The rows as a grid to scroll, sort, filter, search, chart and export: a Jupyter widget, in a notebook.

        A cell that ends with a result shows the same grid where JupyterLab has the extension; `grid()` is for other
        front ends, and for a grid among other widgets.

        Raises
        ------
        UnsupportedError
            There is no notebook here, a part of the grid is not installed, or the result has no rows to look through.
        """
        maker = type(self).grid_maker
        if maker is None:
            raise UnsupportedError(
                "A grid needs a notebook that has Luma Bench loaded.",
                hint="Run %load_ext luma_bench in one; what it needs: pip install 'luma-bench[lab]'.",
            )
        return maker(self)

    def __repr__(self) -> str:
        from luma_bench.bench import display

        return display.text(self)

    def _repr_html_(self) -> str:
        from luma_bench.bench import display

        return display.html(self)

    def titled(self, title: str, *, html: bool = False) -> str:
        """The same as text or as HTML, under a title that says of how many rows these are the first."""
        from luma_bench.bench import display

        return display.titled_html(self, title) if html else display.titled_text(self, title)


def narrowed(table: pa.Table) -> pa.Table:
    """The table with every `decimal128(38, 0)` column as int64 where all of its values fit."""
    for index, field in enumerate(table.schema):
        if pa.types.is_decimal128(field.type) and field.type.precision == 38 and field.type.scale == 0:
            column = table.column(index)
            bounds = pc.min_max(column).as_py()
            fits = bounds["min"] is None or (bounds["min"] >= _INT64[0] and bounds["max"] <= _INT64[1])
            if fits:
                table = table.set_column(index, pa.field(field.name, pa.int64()), column.cast(pa.int64()))
    return table

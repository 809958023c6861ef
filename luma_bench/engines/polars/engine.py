"""The Polars engine: runs by name what it is proven to compute as the embedded engine does, on Polars' streaming engine."""

from __future__ import annotations

import importlib.util
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.engines.calibrate import Calibration
from luma_bench.engines.costs import polars_estimate
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.polars.running import RunningQuery
from luma_bench.engines.scanning import Scanning
from luma_bench.errors import KadeQLError
from luma_bench.plan.engine import Engine, Estimate, Fallback, Inputs, SqlFragment
from luma_bench.plan.relational.nodes import Program
from luma_bench.plan.relational.typing import Typer

if TYPE_CHECKING:
    from luma_bench.engines.polars.constants import Duck

_ENTRIES = 256


class Lowers(Protocol):
    """What makes relational plans of texts, and keeps them."""

    def program(self, fragment: SqlFragment, inputs: Inputs) -> Program:
        """The plan of a fragment; it raises `NotLowered` where there is none."""
        ...


class PolarsEngine(Scanning):
    """Runs fragments on Polars, in this process and in memory. It is asked for by name.

    Polars' own threads are as many as the process has cores (`POLARS_MAX_THREADS`), whatever the settings say.

    Parameters
    ----------
    settings
        Timeout and memory limit.
    embedded
        Computes constants, and parses.
    lowering
        Makes plans of texts.
    typer
        Types their parts.
    calibration
        This machine's figures for estimates; those of `embedded` where none are given.
    """

    def __init__(
        self,
        settings: Settings,
        embedded: Engine,
        lowering: Lowers,
        typer: Typer,
        calibration: Calibration | None = None,
    ) -> None:
        self._settings = settings
        self._embedded = embedded
        self._lowering = lowering
        self._typer = typer
        self._calibration = calibration
        self._lock = threading.RLock()
        self._queries: list[RunningQuery] = []
        self._verdicts: OrderedDict[int, tuple[Program, str | None]] = OrderedDict()
        self._duck: Duck | None = None

    @property
    def name(self) -> str:
        """`polars`."""
        return "polars"

    def supports(self, fragment: SqlFragment, inputs: Inputs | None = None) -> str | None:
        """None when every part of the fragment's plan is one that is proven, else the reason; nothing is read."""
        if importlib.util.find_spec("polars") is None:
            return "polars is not installed"
        if inputs is None:
            return None
        if inputs.files is not None:
            return "it reads files"
        if inputs.sequences:
            return "it takes values of a sequence"
        try:
            program = self._lowering.program(fragment, inputs)
        except NotLowered as error:
            return error.reason
        except KadeQLError as error:
            return error.plain
        with self._lock:
            held = self._verdicts.get(id(program))
        if held is not None and held[0] is program:
            return held[1] or self._too_large(fragment, inputs)
        verdict = self._judged(program, inputs)
        with self._lock:
            # The plan is kept too, so that no other can come to its place in memory.
            self._verdicts[id(program)] = (program, verdict)
            while len(self._verdicts) > _ENTRIES:
                self._verdicts.popitem(last=False)
        return verdict or self._too_large(fragment, inputs)

    def estimate(self, fragment: SqlFragment, inputs: Inputs) -> Estimate | None:
        """Seconds and memory, before anything is planned."""
        calibration = self._calibration or getattr(self._embedded, "calibration", None)
        threads, memory = self._settings.effective_threads, self._settings.effective_memory_limit
        return polars_estimate(fragment, inputs, calibration, threads, memory)

    def run(self, fragment: SqlFragment, inputs: Inputs) -> pa.Table:
        """Run to the end.

        Raises
        ------
        Fallback
            Only the data show that something is not proven here: an overflow that cannot be excluded, say.
        CancelledError
            `cancel` was called, or the timeout of the settings ran out.
        ResourceError
            The result is larger than the limits allow.
        """
        from luma_bench.engines.polars.answer import answered

        try:
            program = self._lowering.program(fragment, inputs)
        except NotLowered as error:
            raise Fallback(error.reason) from error
        query = self._begin(fragment, inputs)
        try:
            return answered(program, inputs, self._asked, query)
        finally:
            query.close()

    def stream(self, fragment: SqlFragment, inputs: Inputs) -> pa.RecordBatchReader:
        """`run` as a stream: the answer is there before its first batch."""
        return self.run(fragment, inputs).to_reader()

    def running(self) -> tuple[RunningQuery, ...]:
        """What runs now, oldest first."""
        with self._lock:
            return tuple(self._queries)

    def close(self) -> None:
        """Stop what runs, and forget the plans."""
        self.cancel()
        with self._lock:
            self._verdicts.clear()
            self._duck = None

    @property
    def _asked(self) -> Duck:
        """What DuckDB decides; it loads Polars."""
        from luma_bench.engines.polars.constants import Duck

        with self._lock:
            if self._duck is None:
                self._duck = Duck(self._embedded, self._typer)
            return self._duck

    def _judged(self, program: Program, inputs: Inputs) -> str | None:
        from luma_bench.engines.polars.answer import problem

        return problem(program, inputs, self._asked)

    def _too_large(self, fragment: SqlFragment, inputs: Inputs) -> str | None:
        """Why it does not fit: Polars holds what it reads."""
        found = self.estimate(fragment, inputs)
        return None if found is None else found.why_not or None

    def _begin(self, fragment: SqlFragment, inputs: Inputs) -> RunningQuery:
        limits = inputs.limits
        limit = self._settings.timeout if limits is None else limits.timeout
        left = limit if limits is None else limits.seconds_left
        query = RunningQuery(fragment, inputs, self._ended, left, limit)
        with self._lock:
            self._queries.append(query)
        return query

    def _ended(self, query: RunningQuery) -> None:
        with self._lock:
            self._queries.remove(query)

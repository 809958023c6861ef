"""What every Bench over one store shares: the engine, the parser, the caches."""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from luma_bench.bench.allowed import working_folder
from luma_bench.bench.policy import PolicyBook
from luma_bench.bench.row_rules import EngineRules
from luma_bench.errors import ClosedError

if TYPE_CHECKING:
    from luma_bench.bench.assist.kept import KeptFacts
    from luma_bench.bench.statements import Statements
    from luma_bench.engines.cluster.cluster import ClusterHandle
    from luma_bench.plan.engine import Engine
    from luma_bench.storage.store import Store


class Machinery:
    """Built on first use: the language and the engine load with the first question, not with the first open.

    Attributes
    ----------
    book
        The policies in force.
    closed
        Whether the store is.
    """

    def __init__(self, store: Store, cluster: Any = None) -> None:
        self.book = PolicyBook(store)
        self._cluster = cluster
        self._handle: ClusterHandle | None = None
        self._store = store
        self._base = working_folder()
        self._lock = threading.Lock()
        self._statements: Statements | None = None
        self._stops: set[threading.Event] = set()
        self._facts: KeptFacts | None = None
        self.closed = False
        # Weak, so that a bench that nobody closes and nobody holds goes away at once.
        here = weakref.ref(self)

        def engine() -> Engine:
            held = here()
            if held is None:
                raise ClosedError.bench(str(store.path))
            return next(item for item in held.statements.runner.engines.values() if item.complete)

        store.rules = EngineRules(engine)

    @property
    def statements(self) -> Statements:
        """Runs texts; built now when nobody asked before."""
        with self._lock:
            if self._statements is None:
                self._statements = self._build()
            return self._statements

    def _build(self) -> Statements:
        # The language and the engine load with the first question, not with the first open.
        from luma_bench.bench.cache import PlanCache
        from luma_bench.bench.external import ExternalFiles
        from luma_bench.bench.runner import Runner
        from luma_bench.bench.statements import Statements
        from luma_bench.engines.cluster.engine import DaskEngine
        from luma_bench.engines.duck import DuckEngine
        from luma_bench.engines.duck_inspect import DuckInspector
        from luma_bench.engines.duck_types import DuckTyper
        from luma_bench.engines.lowering import Lowering
        from luma_bench.engines.point import PointEngine
        from luma_bench.engines.polars.engine import PolarsEngine
        from luma_bench.engines.router import Router
        from luma_bench.engines.statistics import StatisticsEngine

        settings = self._store.settings
        duck = DuckEngine(settings)
        inspector = DuckInspector(settings, duck.beside)
        lowering, typer = Lowering(inspector.describe), DuckTyper(settings, duck.beside)
        engines: tuple[Engine, ...] = (
            PointEngine(inspector.describe),
            StatisticsEngine(inspector.describe),
            duck,
            PolarsEngine(settings, duck, lowering, typer, duck.calibration),
            DaskEngine(settings, duck, self.cluster, lowering, typer),
        )
        return Statements(
            Runner(
                self._store,
                self.book,
                {engine.name: engine for engine in engines},
                Router(),
                inspector,
                ExternalFiles(settings, self._base, self._store.path),
            ),
            inspector,
            PlanCache(),
        )

    @property
    def facts(self) -> KeptFacts:
        """What the editing services keep of snapshots."""
        from luma_bench.bench.assist.kept import KeptFacts

        with self._lock:
            if self._facts is None:
                self._facts = KeptFacts()
            return self._facts

    @property
    def cluster(self) -> ClusterHandle:
        """The way to the cluster that the engine `dask` runs on; nothing starts before it is needed."""
        from luma_bench.engines.cluster.cluster import ClusterHandle

        if self._handle is None:
            self._handle = ClusterHandle(self._cluster, self._store.settings)
        return self._handle

    @contextlib.contextmanager
    def stoppable(self) -> Generator[threading.Event]:
        """An event that `cancel` sets while the block runs: for work that is no query."""
        stop = threading.Event()
        self._stops.add(stop)
        try:
            yield stop
        finally:
            self._stops.discard(stop)

    def cancel(self) -> int:
        """Stop every running query and compaction; how many there were."""
        built = self._statements
        stops = list(self._stops)
        for stop in stops:
            stop.set()
        if built is None:
            return len(stops)
        binder = built.runner.binder
        return (
            len(stops)
            + sum(engine.cancel() for engine in built.runner.engines.values())
            + sum(made.cancel() for made in (binder.graphs_made, binder.series_made) if made is not None)
        )

    def close(self) -> None:
        """Stop the engine and release the store's files."""
        self.closed = True
        if self._statements is not None:
            self._statements.closed = True
            for engine in self._statements.runner.engines.values():
                engine.close()
            binder = self._statements.runner.binder
            for made in (binder.graphs_made, binder.series_made):
                if made is not None:
                    made.close()
            self._statements.runner.results.clear()
        if self._handle is not None:
            self._handle.close()
        self._store.close()

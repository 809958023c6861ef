"""A connected cluster: from `"local"`, an address, a Dask client or cluster to a client, opened with the first use.

A handle closes what it started and nothing else.
"""

from __future__ import annotations

import atexit
import importlib.util
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luma_bench.config import Settings
from luma_bench.engines.cluster.exchange_folder import ExchangeFolder
from luma_bench.engines.cluster.failures import Unreachable
from luma_bench.engines.cluster.ledger import Desk
from luma_bench.engines.cluster.local import LocalWorkers
from luma_bench.engines.cluster.versions import Versions, own_versions, require_all_same
from luma_bench.errors import ConfigError, EngineError

if TYPE_CHECKING:
    from distributed import Client

    from luma_bench.engines.costs import ClusterFigures

LOCAL = "local"
MISSING = "the packages dask and distributed are not installed: pip install 'luma-bench[scale]'"
UNNAMED = (
    "no cluster is named: lb.open(path, cluster='local'), or the address of a scheduler, or a Dask client"
)
_CONNECT = 10.0
"""Seconds to wait for a scheduler."""
_ANSWER = 5.0
"""Seconds to wait for a worker while what the cluster can do is measured."""
_PAUSE = 20.0
"""Seconds for which a cluster that did not answer is not asked again."""
_FRESH = 2.0
"""Seconds for which the number of workers is not asked again."""
_TYPICAL_LATENCY, _TYPICAL_BANDWIDTH = 0.005, 3e8
"""Seconds for a task, bytes in a second, of processes on one machine."""
_PROBE = 4 << 20
"""Bytes sent to measure how fast they travel."""


class ClusterHandle:
    """The way to a cluster, shared by all statements of a bench. Thread-safe.

    Parameters
    ----------
    spec
        `"local"` for processes on this machine, one thread each; a scheduler's address (`tcp://…`, `tls://…`); a
        `distributed.Client` or a cluster object, which stays its owner's; None for the process's current client, if any.
    settings
        What workers of a local cluster may use together: threads, memory.
    workers
        How many processes a local cluster has; 0 for one for each thread of the settings.
    dashboard
        Whether a local cluster has Dask's dashboard, where bokeh is installed.
    """

    def __init__(self, spec: object, settings: Settings, *, workers: int = 0, dashboard: bool = True) -> None:
        if isinstance(spec, str) and spec != LOCAL and "://" not in spec:
            raise ConfigError(
                f"cluster={spec!r} is no cluster.",
                hint="Give 'local', a scheduler's address such as 'tcp://10.0.0.5:8786', or a Dask client.",
            )
        self._spec = spec
        self._settings = settings
        self._workers = workers or settings.effective_threads
        self._dashboard = dashboard
        self._lock = threading.RLock()
        self._client: Any = None
        self._opened = _Opened()
        self._versions: Versions | None = None
        self._seen: tuple[float, int] = (0.0, 0)
        self._figures: ClusterFigures | None = None
        self._desk: Desk | None = None
        self._failed: tuple[float, str] | None = None
        self._finalizer = weakref.finalize(self, _Opened.close, self._opened)

    def __repr__(self) -> str:
        link = self.dashboard_link
        return f"<cluster: {self.name}, {'connected' if self.connected else 'not connected yet'}{f', dashboard {link}' if link else ''}>"

    @property
    def problem(self) -> str | None:
        """Why there is no cluster to use; None when there is one, or may be: nothing is connected to find out."""
        if importlib.util.find_spec("distributed") is None:
            return MISSING
        return UNNAMED if self._spec is None and _current_client() is None else None

    @property
    def connected(self) -> bool:
        """Whether a client is there already."""
        return self._client is not None and self._client.status == "running"

    @property
    def known_figures(self) -> ClusterFigures:
        """What the cluster can do: measured when it was connected, before that what is to be expected."""
        if self._figures is not None:
            return self._figures
        from luma_bench.engines.costs import ClusterFigures

        memory = self._settings.memory_limit or 2 * self._settings.effective_memory_limit
        return ClusterFigures(self._workers, self._workers, memory, _TYPICAL_LATENCY, _TYPICAL_BANDWIDTH)

    @property
    def is_local(self) -> bool:
        """Whether the workers were started here."""
        return self._spec == LOCAL

    @property
    def name(self) -> str:
        """What the cluster is, for people."""
        if self._spec == LOCAL:
            return f"local, {self._workers} worker process{'es' if self._workers > 1 else ''}"
        return (
            self._spec
            if isinstance(self._spec, str)
            else "the client that was given"
            if self._spec
            else "none"
        )

    @property
    def dashboard_link(self) -> str | None:
        """The address of Dask's dashboard; None where there is none, or nothing is connected yet."""
        if not self.connected:
            return None
        if self.is_local and not self._has_dashboard:
            return None
        return str(self._client.dashboard_link) or None

    @property
    def versions(self) -> Versions:
        """What this process has, which every worker must have too."""
        if self._versions is None:
            self._versions = own_versions()
        return self._versions

    @property
    def exchange(self) -> ExchangeFolder:
        """Where workers hand each other files.

        Raises
        ------
        EngineError
            No cluster could be connected.
        """
        self.client()
        found = self._opened.exchange
        assert found is not None, "a connected handle has one"
        return found

    def exchange_of(self, query: str) -> Path | None:
        """A query's folder for files; None where there is none, or the connection is closed."""
        found = self._opened.exchange
        return None if found is None else found.of_query(query)

    def desk(self) -> Desk:
        """Where the client is told of tasks."""
        client = self.client()
        with self._lock:
            if self._desk is None or self._desk.client is not client:
                self._desk = Desk(client)
            return self._desk

    def client(self) -> Client:
        """The connected client; connected now, or anew where the last connection broke.

        Raises
        ------
        EngineError
            There is no cluster, it does not answer, or a worker has other versions than this process.
        """
        with self._lock:
            if self._client is not None and self._client.status == "running":
                return self._client
            problem = self.problem
            if problem is not None:
                raise EngineError(f"There is no cluster to run on: {problem}.")
            if self._client is not None and self._client.status == "connecting" and self._recovers():
                return self._client
            if self._failed is not None and time.monotonic() - self._failed[0] < _PAUSE:
                raise Unreachable(self.name, self._failed[1])
            self._opened.close()
            try:
                self._client = self._connected()
            except Unreachable as error:
                self._opened.close()
                self._failed = time.monotonic(), error.problem
                raise
            self._failed = None
            return self._client

    def slots(self) -> int:
        """How many tasks run at the same time: the threads of all workers, as of a moment ago; at least 1."""
        return max(1, self._threads())

    def is_deserted(self) -> bool:
        """Whether no worker was there a moment ago."""
        return self._threads() == 0

    def _threads(self) -> int:
        client: Any = self.client()
        asked, found = self._seen
        if not asked:
            try:
                found = sum(client.nthreads().values())
            except OSError as error:
                raise Unreachable(self.name, str(error) or type(error).__name__) from error
            self._seen = time.monotonic(), found
        elif time.monotonic() - asked > _FRESH:
            # Asked beside: nobody waits for a scheduler that is busy.
            self._seen = time.monotonic(), found
            client.loop.add_callback(self._ask, client)
        return found

    async def _ask(self, client: Any) -> None:
        try:
            threads: dict[str, int] = await client.nthreads(asynchronous=True)
        except OSError:
            return  # the client itself notes what became of its connection
        self._seen = time.monotonic(), sum(threads.values())

    def workers(self) -> list[str]:
        """The addresses of the workers that are there now."""
        client: Any = self.client()
        try:
            return sorted(client.nthreads())
        except OSError as error:
            raise Unreachable(self.name, str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Close the client and the cluster that were opened here; a client that was given stays as it is."""
        with self._lock:
            self._client = self._desk = self._figures = None
            self._opened.close()

    @property
    def _has_dashboard(self) -> bool:
        return self._dashboard and importlib.util.find_spec("bokeh") is not None

    def _recovers(self) -> bool:
        """Whether a client that lost its scheduler has it back within a moment."""
        deadline = time.monotonic() + 2.0
        while time.monotonic() < deadline and self._client.status == "connecting":
            time.sleep(0.05)
        if self._client.status != "running":
            return False
        self._prepare(self._client)
        return True

    def _connected(self) -> Any:
        import distributed

        self._seen = (0.0, 0)
        spec: Any = self._spec
        if spec is None:
            spec = _current_client()
        if isinstance(spec, distributed.Client):
            client: Any = spec
            if client.asynchronous:
                raise EngineError(
                    "The Dask client is asynchronous, and statements wait for their rows.",
                    hint="Give one that was made without asynchronous=True.",
                )
            if client.status != "running":
                raise Unreachable(
                    self.name, f"it is {client.status}; connect a new one and open the bench with it"
                )
        else:
            try:
                if spec == LOCAL:
                    self._opened.cluster = self._started()
                    spec = self._opened.cluster.address
                client = self._opened.client = distributed.Client(
                    spec, set_as_default=False, timeout=_CONNECT, name="luma-bench"
                )
            except (OSError, TimeoutError, RuntimeError, ValueError) as error:
                raise Unreachable(self.name, str(error) or type(error).__name__) from error
        # Registered after Dask's own, and so run before it: Dask ends clusters, and clients then look for them.
        atexit.register(self._opened.close)
        self._prepare(client)
        return client

    def _started(self) -> LocalWorkers:
        memory = self._settings.memory_limit // self._workers
        return LocalWorkers(self._workers, memory, self._settings.spill_dir, dashboard=self._has_dashboard)

    def _prepare(self, client: Any) -> None:
        """Check the workers, and give them what stops statements and knows their folders."""
        from luma_bench.engines.cluster.room import WorkerRoom

        try:
            answers = client.run(own_versions, on_error="return")
            require_all_same(self.versions, answers)
            client.register_plugin(WorkerRoom())
            if self._opened.exchange is not None:
                self._opened.exchange.remove()
            self._opened.exchange = ExchangeFolder.shared_with(client, self._settings, local=self.is_local)
            self._figures = _measured(client)
        except (OSError, TimeoutError) as error:
            raise Unreachable(self.name, str(error) or type(error).__name__) from error


class _Opened:
    """What a handle opened and has to close; it never refers to the handle, whose end closes it."""

    def __init__(self) -> None:
        self.client: Any = None
        self.cluster: LocalWorkers | None = None
        self.exchange: ExchangeFolder | None = None

    def close(self) -> None:
        atexit.unregister(self.close)
        client, cluster, exchange = self.client, self.cluster, self.exchange
        self.client = self.cluster = self.exchange = None
        if client is not None:
            client.close(timeout=2)
        if cluster is not None:
            cluster.close()
        if exchange is not None:
            exchange.remove()


def _current_client() -> Any:
    """The process's current Dask client; nobody has one who has not loaded Dask."""
    if "distributed" not in sys.modules:
        return None
    import distributed

    try:
        return distributed.default_client()
    except ValueError:
        return None


def _measured(client: Any) -> ClusterFigures | None:
    """What the cluster can do, in some 50 ms; None where no worker answers at once."""
    import distributed

    from luma_bench.engines.costs import ClusterFigures

    info = client.scheduler_info(n_workers=-1)["workers"]
    if not info:
        return None
    latencies: list[float] = []
    try:
        for _ in range(3):
            began = time.perf_counter()
            client.submit(int, pure=False).result(timeout=_ANSWER)
            latencies.append(time.perf_counter() - began)
        began = time.perf_counter()
        client.gather(client.scatter(bytes(_PROBE), hash=False, timeout=_ANSWER))
    except distributed.TimeoutError:
        return None
    elapsed = max(1e-6, time.perf_counter() - began - min(latencies))
    return ClusterFigures(
        workers=len(info),
        threads=sum(int(worker["nthreads"]) for worker in info.values()),
        memory=sum(int(worker["memory_limit"] or 0) for worker in info.values()),
        latency=min(latencies),
        bandwidth=2 * _PROBE / elapsed,
    )

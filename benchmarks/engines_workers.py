"""A Dask cluster of this machine for the suites: worker processes of one thread each, and how much memory they take."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

WORKERS = 2
"""Processes of every cluster; each has one thread."""
_EVERY = 0.004
"""Seconds between two looks at the sizes of processes."""


@contextmanager
def workers(count: int = WORKERS, *, memory: str | int = "auto") -> Iterator[Any]:
    """A client of a new cluster of `count` processes without a dashboard, gone afterwards."""
    import logging

    import dask.config
    from distributed import Client, LocalCluster

    with (
        # A look at a worker that died, 15 s later, gives it up for good if it has just died again.
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1h"}),
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            memory_limit=memory,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(count)
        yield client


def pids(client: Any) -> Mapping[str, int]:
    """The process of each worker by its address."""
    return client.run(os.getpid)


def whole_again(client: Any, count: int = WORKERS, *, patience: float = 120.0) -> None:
    """Wait until all workers are there and answer, those among them that died and were started anew.

    Raises
    ------
    TimeoutError
        They are not after `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if len(client.run(os.getpid, on_error="ignore")) == count:
            return
        time.sleep(0.1)
    raise TimeoutError(f"of {count} workers {len(client.nthreads())} are there after {patience:.0f} s")


@dataclass(slots=True)
class Growth:
    """How much processes grew at most while something ran, in bytes: the workers together, and with this process."""

    workers: int = 0
    everything: int = 0


@contextmanager
def growing(processes: list[int]) -> Iterator[Growth]:
    """Watch the sizes in memory of `processes` and of this one."""
    found = Growth()
    own = os.getpid()
    before = {pid: resident(pid) for pid in (own, *processes)}
    over = threading.Event()

    def look() -> None:
        now = {pid: resident(pid) - size for pid, size in before.items()}
        workers = sum(grown for pid, grown in now.items() if pid != own)
        found.workers = max(found.workers, workers)
        found.everything = max(found.everything, workers + now[own])

    def watch() -> None:
        while not over.wait(_EVERY):
            look()

    thread = threading.Thread(target=watch, name="sizes", daemon=True)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
        look()


def resident(pid: int) -> int:
    """The size of a process in memory, in bytes."""
    import psutil

    return psutil.Process(pid).memory_info().rss


@dataclass(frozen=True, slots=True)
class Moved:
    """Bytes that workers fetched from each other since it was made."""

    client: Any
    _before: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def since_now(cls, client: Any) -> Moved:
        """Start counting."""
        return cls(client, client.run(_fetched))

    def nbytes(self) -> int:
        """What all workers fetched from then on."""
        now: Mapping[str, int] = self.client.run(_fetched)
        return sum(count - self._before.get(worker, 0) for worker, count in now.items())


def _fetched(dask_worker: Any) -> int:
    return sum(int(fetched["total"]) for fetched in dask_worker.transfer_incoming_log)

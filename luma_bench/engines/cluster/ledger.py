"""What workers tell of tasks, as it comes in: one desk a client, one ledger a query.

Workers tell through Dask's event topics, in the same stream as what becomes of a task, so that a report is there without a
further round trip.
"""

from __future__ import annotations

import pickle
import threading
import uuid
import weakref
from array import array
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from luma_bench.engines.cluster.rows import unpacked
from luma_bench.errors import CancelledError
from luma_bench.plan.cluster.stages import TaskReport

Read = Mapping[str, tuple[int, ...]]
"""By table: rows, bytes, segments read and pruned, chunks read and pruned."""

_MANY = 256
"""Buckets."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one task told: its report, perhaps with its rows, or its error."""

    stage: int
    task: int
    attempt: int
    worker: str
    report: TaskReport | None
    rows: pa.Table | None
    read: Read
    error: BaseException | None


class Ledger:
    """What was told of one query's tasks and not looked at yet, and whether the query was stopped. Thread-safe."""

    def __init__(self, query: str) -> None:
        self.query = query
        self._told = threading.Condition()
        self._inbox: deque[Mapping[str, Any]] = deque()
        self._stopped: CancelledError | None = None

    def post(self, event: Mapping[str, Any]) -> None:
        """Something was told."""
        with self._told:
            self._inbox.append(event)
            self._told.notify_all()

    def stop(self, reason: CancelledError) -> bool:
        """Let whoever waits raise this; False when the query was stopped before."""
        with self._told:
            if self._stopped is not None:
                return False
            self._stopped = reason
            self._told.notify_all()
            return True

    def check(self) -> None:
        """Raise when the query was stopped."""
        if self._stopped is not None:
            raise CancelledError(self._stopped.message, hint=self._stopped.hint)

    def take(self, wait: float) -> list[Told]:
        """What was told since the last call; waits for something, so many seconds at most.

        Raises
        ------
        CancelledError
            The query was stopped.
        """
        with self._told:
            if not self._inbox and self._stopped is None:
                self._told.wait(wait)
            self.check()
            events = list(self._inbox)
            self._inbox.clear()
        return [_read(event) for event in events]


class Desk:
    """Where a client's queries are told of their tasks."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.topic = f"luma-bench-{uuid.uuid4().hex}"
        self._ledgers: weakref.WeakValueDictionary[str, Ledger] = weakref.WeakValueDictionary()

    def open(self) -> Ledger:
        """A ledger for a new query. The subscription is said again: a scheduler that was started anew has forgotten it."""
        ledger = Ledger(uuid.uuid4().hex)
        self._ledgers[ledger.query] = ledger
        self.client.subscribe_topic(self.topic, self._post)
        return ledger

    def _post(self, event: tuple[float, Mapping[str, Any]]) -> None:
        found = self._ledgers.get(event[1]["place"][0])
        if found is not None:
            found.post(event[1])


def _read(event: Mapping[str, Any]) -> Told:
    _, stage, task, attempt, worker = event["place"]
    report, rows, error = event.get("report"), event.get("rows"), event.get("error")
    if report is not None:
        counts, sizes, *others = report
        report = TaskReport(_figures(counts), _figures(sizes), *others)
    return Told(
        stage,
        task,
        attempt,
        worker,
        report,
        None if rows is None else unpacked(pa.py_buffer(rows)),
        {name: tuple(figures) for name, figures in event.get("read", {}).items()},
        None if error is None else pickle.loads(error),  # noqa: S301 - from a worker, which runs what it is told
    )


def _figures(packed: bytes) -> Sequence[int]:
    """Figures by bucket; of many buckets as an array, since a tuple takes five times the memory."""
    found = array("q", packed)
    return found if len(found) > _MANY else tuple(found)

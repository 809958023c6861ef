"""The commit queue of a process: writers in turn, several commits to one transaction and one fsync.

SQLite lets waiting connections poll, which starves some of them; here they stand in line.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from luma_bench.storage.catalog.database import Database, LostConnection

GROUP = 64
"""The most commits that share one transaction."""


class _Job:
    __slots__ = ("done", "error", "leads", "result", "wake", "work")

    def __init__(self, work: Callable[[sa.Connection], Any]) -> None:
        self.work = work
        self.wake = threading.Event()
        self.leads = False
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None


class CommitQueue:
    """Runs pieces of work one after the other in write transactions. Thread-safe, first come first served.

    The thread at the head of the line leads: it runs everything that waits behind it in the same transaction, each
    piece in its own savepoint, commits once, and hands the lead on. A piece that raises is undone alone. When the
    database goes away the group is run again, also when its COMMIT was sent: so a piece must find out by itself, by a
    token or an id of its own, that it was applied already.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._led = False

    def submit[T](self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in a write transaction and give its result once that is durable.

        Raises
        ------
        BaseException
            Whatever `work` raised, with nothing of it applied; or the failure to commit. When this thread is
            interrupted the work is either not run at all or finished before the interrupt goes on.
        """
        job = _Job(work)
        with self._lock:
            self._waiting.append(job)
            job.leads, self._led = not self._led, True
        try:
            while not job.done:
                if job.leads:
                    self._lead(job)
                else:
                    job.wake.wait()
                    job.wake.clear()
        except BaseException:
            self._leave(job)
            raise
        if job.error is not None:
            raise job.error
        return job.result

    def _lead(self, own: _Job) -> None:
        """Run one group, which `own` heads, and hand the lead on."""
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))]
        over = False
        try:
            self._run(group)
            over = True
        except Exception as error:  # noqa: BLE001 - a failed transaction is every member's failure
            for job in group:
                job.error = job.error or error
            over = True
        finally:
            # Not over: this thread was interrupted, and the others' work is still to be done. (Should the transaction
            # have become durable all the same, their tokens say so when they run again.)
            if not over:
                with self._lock:
                    self._waiting.extendleft(job for job in reversed(group) if job is not own)
            for job in group:
                job.done = over or job is own
            self._hand_on(own)
            for job in group:
                job.wake.set()

    def _run(self, group: list[_Job]) -> None:
        """Run the group until it is durable, or the database stays away."""
        waits = self._database.retries()
        in_doubt = False
        while True:
            try:
                self._attempt(group)
                return
            except LostConnection as error:
                in_doubt = in_doubt or error.in_doubt
                if not waits.wait():
                    failure = error.told(in_doubt=in_doubt)
                    for job in group:
                        job.error = failure
                    raise failure from error
            for job in group:
                job.result = job.error = None

    def _attempt(self, group: list[_Job]) -> None:
        with self._database.write() as connection:
            if len(group) == 1:
                group[0].result = group[0].work(connection)
                return
            for job in group:
                savepoint = connection.begin_nested()
                try:
                    with self._database.translated("write"):
                        job.result = job.work(connection)
                        savepoint.commit()
                except Exception as error:  # noqa: BLE001 - raised again in the thread that submitted the work
                    job.error = error
                    if self._database.in_transaction(connection):
                        savepoint.rollback()
                self._database.require_transaction(connection)

    def _hand_on(self, own: _Job) -> None:
        with self._lock:
            own.leads = False
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].wake.set()
            else:
                self._led = False

    def _leave(self, job: _Job) -> None:
        """Take an interrupted thread's job out of the line, or wait until its group is through."""
        while True:
            with self._lock:
                queued = job in self._waiting
                if queued:
                    self._waiting.remove(job)
                led = job.leads
            if led:
                self._hand_on(job)
            if led or queued or job.done:
                return
            job.wake.wait()
            job.wake.clear()

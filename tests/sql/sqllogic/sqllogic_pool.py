"""Files in worker processes: each has a limit of time and memory, and one that dies takes only its own file along."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import resource
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from sqllogic_file import FileRun, Outcome

FILES_PER_WORKER = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may take: seconds, and bytes of address space of its worker."""

    seconds: float = 60.0
    memory: int = 8 << 30


@dataclass(slots=True)
class _Worker:
    """A process that runs files, one at a time."""

    process: SpawnProcess
    pipe: Connection
    name: str = ""
    until: float = 0.0
    files: int = 0


def run_files(
    checkout: Path, names: Sequence[str], jobs: int, limits: Limits, scratch: Path | None = None
) -> Iterator[Outcome]:
    """The outcome of every file, as they end.

    Parameters
    ----------
    names
        Paths below the checkout.
    scratch
        Where benches are made and removed; the system's temporary folder when None.
    """
    waiting = deque(names)
    context = multiprocessing.get_context("spawn")
    workers: list[_Worker] = []
    with tempfile.TemporaryDirectory(prefix="sqllogic-", dir=scratch) as folder:

        def start() -> _Worker:
            here, there = context.Pipe()
            process = context.Process(target=_work, args=(there, checkout, Path(folder), limits), daemon=True)
            process.start()
            there.close()
            return _Worker(process, here)

        def give(worker: _Worker) -> None:
            worker.name, worker.until = waiting.popleft(), time.monotonic() + limits.seconds
            worker.files += 1
            worker.pipe.send(worker.name)

        try:
            for _ in range(min(jobs, len(waiting))):
                workers.append(start())
                give(workers[-1])
            while workers:
                soonest = min(worker.until for worker in workers) - time.monotonic()
                ready = multiprocessing.connection.wait([w.pipe for w in workers], max(0.01, soonest))
                for worker in list(workers):
                    late = time.monotonic() > worker.until
                    if worker.pipe not in ready and not late:
                        continue
                    try:
                        outcome: Outcome = (
                            worker.pipe.recv() if worker.pipe in ready else _late(worker, limits)
                        )
                    except EOFError:
                        worker.process.join()
                        outcome = Outcome(
                            worker.name, "WRONG", f"the process ended with {worker.process.exitcode}"
                        )
                    yield outcome
                    fresh = late or not worker.process.is_alive() or worker.files >= FILES_PER_WORKER
                    if fresh:
                        _stop(worker)
                        workers.remove(worker)
                        if waiting:
                            workers.append(start())
                            give(workers[-1])
                    elif waiting:
                        give(worker)
                    else:
                        _stop(worker)
                        workers.remove(worker)
        finally:
            for worker in workers:
                _stop(worker)


def _late(worker: _Worker, limits: Limits) -> Outcome:
    return Outcome(worker.name, "skipped", f"longer than {limits.seconds:.0f} s")


def _stop(worker: _Worker) -> None:
    worker.process.kill()
    worker.process.join()
    worker.pipe.close()


def _work(pipe: Connection, checkout: Path, scratch: Path, limits: Limits) -> None:
    """A worker's life: files come, outcomes go. It stands in the checkout, since files name data by relative paths."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    os.chdir(checkout)
    while True:
        try:
            name = pipe.recv()
        except EOFError:
            return
        folder = Path(tempfile.mkdtemp(dir=scratch))
        try:
            outcome = FileRun(checkout, checkout / name, folder).run(name)
        except MemoryError:
            outcome = Outcome(name, "skipped", f"more than {limits.memory >> 30} GiB of memory")
        except Exception as error:
            outcome = Outcome(name, "WRONG", f"the runner failed: {type(error).__name__}: {error}")
        shutil.rmtree(folder, ignore_errors=True)
        pipe.send(outcome)

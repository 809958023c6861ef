"""The worker's side: one task of a stage, from its order to rows by bucket and a report of what it did."""

from __future__ import annotations

import functools
import pickle
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from distributed import get_worker

from luma_bench.engines.cluster.buckets import bucketed
from luma_bench.engines.cluster.fragment import run_raw
from luma_bench.engines.cluster.orders import HandedInput, InlineInput, PartsInput, TaskOrder
from luma_bench.engines.cluster.parts import PartsSource, figures_read
from luma_bench.engines.cluster.room import WorkerRoom, room_of
from luma_bench.engines.cluster.rows import TaskRows, TaskValue, joined, packed, unpacked, written
from luma_bench.engines.cluster.versions import Versions, own_versions, require_same
from luma_bench.engines.duck_memory import system_trim
from luma_bench.errors import CancelledError, EngineError
from luma_bench.plan.cluster.stages import TaskReport, Whole
from luma_bench.plan.engine import Inputs
from luma_bench.types.scan import ScanCounters

_WORTH_TRIMMING = 0.1
"""Seconds of a task after which giving memory back takes no time to speak of."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What all tasks of a stage handed on."""

    values: tuple[TaskValue, ...]


def run_task(order: TaskOrder, *given: TaskValue | Collected) -> TaskValue:
    """Run one task on the worker that this is called on; what it did, or why it failed, is told to the driver at once.

    Parameters
    ----------
    given
        What the tasks before it handed on, in the order of the inputs.
    """
    worker: Any = get_worker()
    began = time.perf_counter()
    try:
        return _run(worker, order, _each(given), began)
    finally:
        if time.perf_counter() - began > _WORTH_TRIMMING:
            _give_back()


def _run(worker: Any, order: TaskOrder, given: Sequence[TaskValue], began: float) -> TaskValue:
    key: Any = worker.get_current_task()
    try:
        require_same(order.versions, _versions(), worker.address)
        room = room_of(worker)
        counters = ScanCounters()
        rows, read = _made(order, given, room, key, counters)
        value: TaskValue = rows
        nbytes = tuple(table.nbytes for table in rows.tables)
        if order.folder and sum(nbytes) >= order.file_bytes:
            name = f"{order.stage}-{order.task}-{order.attempt}.arrow"
            value = _filed(rows, Path(order.folder) / name, order)
        report = TaskReport(
            tuple(table.num_rows for table in rows.tables),
            nbytes,
            time.perf_counter() - began,
            str(worker.address),
            counters.rows_read,
            counters.bytes_read,
            counters.segments_read,
            counters.segments_pruned,
            counters.chunks_read,
            counters.chunks_pruned,
        )
    except CancelledError:
        raise  # nobody wants the task any more, or the scheduler forgot it: that is what the driver is told by Dask
    except BaseException as error:
        _tell(worker, order, error=_pickled(error))
        raise
    told = packed(rows.tables[0]) if _is_told(order, rows) else None
    sizes = [np.array(figures, "<i8").tobytes() for figures in (report.rows, report.nbytes)]
    did = (*sizes, *astuple(report)[2:])
    _tell(worker, order, report=did, rows=None if told is None else told.to_pybytes(), read=read)
    return value


def _give_back() -> None:
    """Let the system have the memory that the task no longer needs: its rows are gone, and the next task is another one."""
    pa.default_memory_pool().release_unused()
    trim = system_trim()
    if trim is not None:
        trim(0)


def _made(
    order: TaskOrder, given: Sequence[TaskValue], room: WorkerRoom, key: Any, counters: ScanCounters
) -> tuple[TaskRows, dict[str, tuple[int, ...]]]:
    engine = room.engine(order.timezone)
    with room.running(key, engine):
        sources, relations = _relations(order, given, counters)
        room.check(key)

        def run(sql: str, more: dict[str, pa.Table]) -> pa.Table:
            made = run_raw(engine, sql, Inputs(sources, {**relations, **more}, counters))
            room.check(key)
            return made

        return TaskRows(bucketed(order.sql, order.output, run)), figures_read(sources.values())


def _relations(
    order: TaskOrder, given: Sequence[TaskValue], counters: ScanCounters
) -> tuple[dict[str, PartsSource], dict[str, pa.Table]]:
    sources: dict[str, PartsSource] = {}
    relations: dict[str, pa.Table] = {}
    place = 0
    for found in order.inputs:
        match found:
            case PartsInput():
                sources[found.name] = PartsSource.opened(found.parts, counters, empty=found.empty)
            case InlineInput():
                relations[found.name] = unpacked(found.rows)
            case HandedInput():
                values = given[place : place + found.count]
                place += found.count
                tables = [value.bucket(bucket) for value in values for bucket in found.buckets]
                if not tables:
                    tables = [values[0].bucket(0).slice(0, 0)]
                relations[found.name] = joined(tables, found.slice)
    return sources, relations


def collected(*values: TaskValue) -> Collected:
    """What all tasks of a stage handed on, as one value: a task that reads all of them then waits for one other and not for each."""
    return Collected(values)


def bucket_of(value: TaskValue, bucket: int) -> TaskRows:
    """One bucket of what a task handed on, so that no more than this travels to who reads it."""
    return TaskRows([value.bucket(bucket)])


def _each(given: Sequence[TaskValue | Collected]) -> list[TaskValue]:
    found: list[TaskValue] = []
    for value in given:
        if isinstance(value, Collected):
            found.extend(value.values)
        else:
            found.append(value)
    return found


def _filed(rows: TaskRows, path: Path, order: TaskOrder) -> TaskValue:
    try:
        return written(rows, path, order.stage, order.task, order.attempt)
    except OSError as error:
        raise EngineError(
            f"Rows cannot be put into {path.parent}: {error.strerror or error}.",
            hint="Free space there, or name a larger disk that all workers share with spill_dir.",
        ) from error


def _is_told(order: TaskOrder, rows: TaskRows) -> bool:
    return isinstance(order.output, Whole) and rows.nbytes <= order.tell_bytes


def _tell(worker: Any, order: TaskOrder, **what: object) -> None:
    place = (order.query, order.stage, order.task, order.attempt, str(worker.address))
    worker.log_event(order.topic, {"place": place, **what})


def _pickled(error: BaseException) -> bytes:
    """The error for the driver; one that does not survive pickling as its words."""
    try:
        made = pickle.dumps(error)
        pickle.loads(made)  # noqa: S301 - made in the line before
    except Exception:  # noqa: BLE001 - whatever an exception's own pickling raises
        return pickle.dumps(EngineError(f"{type(error).__name__}: {error}."))
    return made


@functools.cache
def _versions() -> Versions:
    return own_versions()

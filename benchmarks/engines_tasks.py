"""What Dask itself costs: tasks that do nothing, and exchanges of empty and of full pieces, beside what the model says.

The model's rates are fitted to some of the runs; the others, larger, show how far it carries.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks import environment
from benchmarks.engines_workers import WORKERS, workers
from benchmarks.harness import SuiteResult, Target, Timing
from benchmarks.suite import Request
from luma_bench.engines.cluster.rows import TaskFile, TaskRows, written
from luma_bench.plan.cluster.model import ClusterRates, Kind, predicted
from luma_bench.plan.cluster.model_fit import NoOpRun, fitted, workload_of

MEASURED, MODEL = "measured", "model"
RUNS = "no-op-runs.json"
"""Where the runs are written, in the folder of the results."""
PIECE = 256 << 10
"""Bytes of a piece of the exchanges that move something."""
FITTED: tuple[tuple[Kind, int, int, int], ...] = (
    ("none", 100, 0, 0),
    ("none", 500, 0, 0),
    ("none", 2_000, 0, 0),
    ("whole", 8, 8, 0),
    ("whole", 32, 32, 0),
    ("whole", 64, 64, 0),
    ("direct", 8, 8, 0),
    ("direct", 16, 16, 0),
    ("direct", 24, 24, 0),
    ("direct", 8, 8, PIECE),
    ("direct", 16, 16, PIECE),
    ("file", 8, 8, 0),
    ("file", 64, 16, 0),
    ("file", 64, 128, 0),
    ("file", 8, 8, PIECE),
    ("file", 16, 16, PIECE),
)
"""Kind, fragments, buckets and bytes of a piece of the runs that the rates come from."""
HELD_OUT: tuple[tuple[Kind, int, int, int], ...] = (
    ("none", 1_000, 0, 0),
    ("none", 5_000, 0, 0),
    ("whole", 128, 128, 0),
    ("direct", 44, 44, 0),
    ("direct", 24, 24, PIECE),
    ("file", 128, 64, 0),
    ("file", 256, 128, 0),
    ("file", 24, 24, PIECE),
)
"""The runs that the model has not seen: most are larger."""
CAUTION = 2.0
"""How far off a prediction of an unseen run may be, either way."""


def run(request: Request) -> SuiteResult:
    """Measure all runs, fit the model to some, and put its predictions beside all of them."""
    plans = [*FITTED, *HELD_OUT]
    if request.quick:
        plans = [plan for plan in plans if plan[1] * max(1, plan[2]) <= 2_000]
    found: dict[tuple[Kind, int, int, int], list[float]] = {plan: [] for plan in plans}
    with workers() as client, request.scratch() as folder:
        _once(client, ("direct", 4, 4, PIECE), folder)
        for _ in range(request.rounds):
            for plan in plans:
                found[plan].append(_once(client, plan, folder))
    # What else the machine does only adds: the fastest call is the one to learn from.
    runs = {plan: _measured(plan, min(seconds)) for plan, seconds in found.items()}
    rates = fitted(runs[plan] for plan in plans if plan in FITTED)
    timings: list[Timing] = []
    for plan, seconds in found.items():
        said = predicted(workload_of(runs[plan]), rates, plan[0]).total
        timings += [Timing(_title(plan), MEASURED, tuple(seconds)), Timing(_title(plan), MODEL, (said,))]
    _record(request.folder, runs)
    result = SuiteResult(
        "engines-tasks",
        f"Dask's tasks and exchanges with nothing in them, {WORKERS} worker processes of one thread",
        MODEL,
        MEASURED,
        tuple(timings),
    )
    unseen = [ratio for plan in HELD_OUT if plan in runs and (ratio := result.ratio(_title(plan), MODEL))]
    worst = max(max(ratio, 1 / ratio) for ratio in unseen)
    return SuiteResult(
        result.name,
        result.title,
        MODEL,
        MEASURED,
        result.timings,
        (Target("worst prediction of an unseen run", worst, CAUTION, " x"),),
        (
            rates_text(rates),
            f"{sum(plan in FITTED for plan in runs)} runs gave the rates, the last {len(unseen)} did not.",
        ),
    )


def _record(folder: Path, runs: Mapping[tuple[Kind, int, int, int], NoOpRun]) -> None:
    """Write the runs: a copy in docs/growing is what the page about growing and the model's test go by."""
    facts = environment.describe(folder)
    document = {
        "environment": {name: facts[name] for name in ("measured", "cpu", "cores", "load_average", "python")}
        | {name: facts["libraries"][name] for name in ("dask", "pyarrow")},
        "runs": [asdict(run) | {"fitted": plan in FITTED} for plan, run in runs.items()],
    }
    (folder / RUNS).write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def rates_text(rates: ClusterRates) -> str:
    """The rates as a sentence."""
    return (
        f"Rates: a round {rates.round_seconds * 1e3:.1f} ms, a task {rates.task_seconds * 1e3:.2f} ms, a dependency "
        f"{rates.edge_seconds * 1e6:.0f} µs, a piece sent "
        f"{rates.piece_seconds * 1e3:.2f} ms, a file {rates.file_seconds * 1e3:.2f} ms, a range read "
        f"{rates.range_seconds * 1e6:.0f} µs; a worker sends {rates.send_rate / 1e6:,.0f} MB/s and writes and reads "
        f"{rates.write_rate / 1e6:,.0f} MB/s."
    )


def _title(plan: tuple[Kind, int, int, int]) -> str:
    kind, fragments, buckets, piece = plan
    if kind == "none":
        return f"{fragments:,} tasks"
    return f"{kind} {fragments} x {buckets}" + (f", {piece >> 10} KiB" if piece else "")


def _measured(plan: tuple[Kind, int, int, int], seconds: float) -> NoOpRun:
    kind, fragments, buckets, piece = plan
    return NoOpRun(kind, fragments, buckets, fragments * buckets * piece, WORKERS, seconds)


def _once(client: Any, plan: tuple[Kind, int, int, int], folder: Path) -> float:
    """Seconds of one run, from the first task handed over to the last one done."""
    kind, fragments, buckets, piece = plan
    place = folder / "exchange"
    place.mkdir()
    began = time.perf_counter()
    if kind == "none":
        last = client.map(_nothing, range(fragments), pure=False)
    elif kind == "whole":
        last = _whole(client, fragments, buckets, piece)
    elif kind == "direct":
        last = _direct(client, fragments, buckets, piece)
    else:
        last = _filed(client, fragments, buckets, piece, place)
    _finish(client, last)
    seconds = time.perf_counter() - began
    del last
    shutil.rmtree(place)
    _settle(client)
    return seconds


def _direct(client: Any, fragments: int, buckets: int, piece: int) -> Sequence[Any]:
    """Each fragment gives its pieces; a task takes each out, so that only it travels; a task a bucket gets its pieces."""
    made = client.map(_pieces, range(fragments), buckets=buckets, piece=piece, pure=False)
    taken = [
        [client.submit(_taken, pieces, bucket, pure=False) for pieces in made] for bucket in range(buckets)
    ]
    return [client.submit(_total, pieces, pure=False) for pieces in taken]


def _whole(client: Any, fragments: int, buckets: int, piece: int) -> Sequence[Any]:
    """Each task of the second stage takes what every fragment gave, and of it its bucket."""
    made = client.map(_pieces, range(fragments), buckets=buckets, piece=piece, pure=False)
    return [client.submit(_total_of, made, bucket, pure=False) for bucket in range(buckets)]


def _filed(client: Any, fragments: int, buckets: int, piece: int, folder: Path) -> Sequence[Any]:
    """Each fragment writes one file; one task has the places of all, and a task a bucket reads its range of each."""
    made = client.map(
        _written, range(fragments), buckets=buckets, piece=piece, folder=str(folder), pure=False
    )
    places = client.submit(list, made, pure=False)
    return [client.submit(_read, places, bucket, pure=False) for bucket in range(buckets)]


def _finish(client: Any, futures: Sequence[Any]) -> None:
    from distributed import wait

    wait(futures)
    failed = [future for future in futures if future.status != "finished"]
    if failed:
        client.gather(failed[:1])


def _settle(client: Any) -> None:
    """Wait until the workers have let go of what the last run made."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        held: Mapping[str, Sequence[str]] = client.has_what()
        if not any(held.values()):
            return
        time.sleep(0.02)
    raise TimeoutError("the workers still hold the results of a run that is over")


def _nothing(number: int) -> int:
    return number


def _pieces(number: int, *, buckets: int, piece: int) -> TaskRows:
    rows = pa.table({"c0": np.full(piece, number % 256, np.uint8)})
    return TaskRows([rows] * buckets)


def _taken(pieces: TaskRows, bucket: int) -> TaskRows:
    return TaskRows([pieces.bucket(bucket)])


def _total(pieces: list[TaskRows]) -> int:
    return sum(piece.nbytes for piece in pieces)


def _total_of(made: list[TaskRows], bucket: int) -> int:
    return sum(pieces.bucket(bucket).nbytes for pieces in made)


def _written(number: int, *, buckets: int, piece: int, folder: str) -> TaskFile:
    rows = _pieces(number, buckets=buckets, piece=piece)
    return written(rows, Path(folder) / f"{number}.arrow", 0, number)


def _read(files: list[TaskFile], bucket: int) -> int:
    return sum(file.bucket(bucket).nbytes for file in files)

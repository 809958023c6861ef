"""The rates of the model from measured runs: fragments that do nothing, and exchanges of empty and of full pieces."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from luma_bench.plan.cluster.model import ClusterRates, Kind, Workload, predicted


@dataclass(frozen=True, slots=True)
class NoOpRun:
    """One measured run of fragments that do nothing but hand on `nbytes` in all, on `workers` workers."""

    kind: Kind
    fragments: int
    buckets: int
    nbytes: int
    workers: int
    seconds: float


def workload_of(run: NoOpRun) -> Workload:
    """The workload that a measured run was: fragments of one byte that hand on what the run moved."""
    return Workload(
        nbytes=run.fragments,
        workers=run.workers,
        fragment_bytes=1,
        exchanged=run.nbytes / run.fragments,
        buckets=run.buckets or None,
    )


def fitted(runs: Iterable[NoOpRun]) -> ClusterRates:
    """The rates that measured runs show.

    Tasks without an exchange give the cost of a round and of a task; what exchanges of no bytes take beyond that is that of
    their dependencies, pieces, files and ranges; what those with bytes take beyond it is that of the bytes. Each is the
    least-squares line over relative errors, so that small runs count as much as large ones.

    Raises
    ------
    ValueError
        A kind of run is missing, or there are too few of one.
    """
    found = list(runs)

    def of(kind: Kind, *, loaded: bool, least: int = 1) -> list[NoOpRun]:
        kept = [run for run in found if run.kind == kind and (run.nbytes > 0) is loaded]
        if len(kept) < least:
            raise ValueError(
                f"{least} runs of kind {kind!r} {'with' if loaded else 'without'} bytes are needed"
            )
        return kept

    round_seconds, task_seconds = _line(
        [(1.0, float(run.fragments), run.seconds) for run in of("none", loaded=False, least=2)]
    )
    rates = ClusterRates(
        round_seconds=round_seconds,
        task_seconds=task_seconds,
        edge_seconds=0.0,
        piece_seconds=0.0,
        file_seconds=0.0,
        range_seconds=0.0,
        send_rate=math.inf,
        write_rate=math.inf,
        read_rate=math.inf,
    )

    def beyond(run: NoOpRun) -> float:
        return max(0.0, run.seconds - predicted(workload_of(run), rates, run.kind).total)

    def per(kind: Kind, *, loaded: bool, amount: Callable[[NoOpRun], float]) -> float:
        return _slope([(amount(run), beyond(run), run.seconds) for run in of(kind, loaded=loaded)])

    rates = replace(
        rates, edge_seconds=per("whole", loaded=False, amount=lambda run: run.fragments * run.buckets)
    )
    rates = replace(
        rates,
        piece_seconds=per(
            "direct", loaded=False, amount=lambda run: run.fragments * run.buckets / run.workers
        ),
    )
    file_seconds, range_seconds = _line(
        [
            (run.fragments / run.workers, run.fragments * run.buckets / run.workers, beyond(run))
            for run in of("file", loaded=False, least=2)
        ]
    )
    rates = replace(rates, file_seconds=file_seconds, range_seconds=range_seconds)
    sent = per("direct", loaded=True, amount=lambda run: run.nbytes / run.workers)
    filed = per("file", loaded=True, amount=lambda run: run.nbytes / run.workers)
    return replace(
        rates,
        send_rate=1 / sent if sent else math.inf,
        write_rate=2 / filed
        if filed
        else math.inf,  # a byte is written once and read once: half of the time each
        read_rate=2 / filed if filed else math.inf,
    )


def _slope(points: Sequence[tuple[float, float, float]]) -> float:
    """The non-negative `k` of `y = k·x` for points `(x, y, scale)`, with the least squares of errors over `scale`."""
    above = sum(x * y / scale**2 for x, y, scale in points)
    below = sum(x * x / scale**2 for x, _, scale in points)
    return max(0.0, above / below) if below else 0.0


def _line(points: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """Non-negative `a`, `b` of `y = a·u + b·v` for points `(u, v, y)`, with the least squares of relative errors."""
    scaled = [(u / y, v / y) for u, v, y in points if y > 0]
    uu, uv, vv = (
        sum(u * u for u, _ in scaled),
        sum(u * v for u, v in scaled),
        sum(v * v for _, v in scaled),
    )
    u1, v1 = sum(u for u, _ in scaled), sum(v for _, v in scaled)
    determinant = uu * vv - uv * uv
    if determinant > 1e-12 * uu * vv:
        a, b = (u1 * vv - v1 * uv) / determinant, (v1 * uu - u1 * uv) / determinant
        if a >= 0 and b >= 0:
            return a, b
    # One of the two is nothing: the better of the lines without it.
    only_a, only_b = (u1 / uu if uu else 0.0), (v1 / vv if vv else 0.0)
    error_a = sum((only_a * u - 1) ** 2 for u, _ in scaled)
    error_b = sum((only_b * v - 1) ** 2 for _, v in scaled)
    return (only_a, 0.0) if error_a < error_b else (0.0, only_b)

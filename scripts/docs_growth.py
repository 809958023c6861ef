"""The generated parts of the page about growing: what the model was measured from, and what it says of larger clusters."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

GIB = 1 << 30
NETWORK, STORED, SCANNED, AWAY = 1.0e9, 5.0e8, 4.0e8, 1e-3
"""Bytes a second of a worker's network and of its share of a shared disk, stored bytes a second that it scans, and the seconds
of a read over a network file system: assumptions about a data centre, not measurements of this machine."""


def measured(root: Path) -> str:
    """The runs of fragments that do nothing, beside what the model says of them."""
    from luma_bench.plan.cluster.model import predicted
    from luma_bench.plan.cluster.model_fit import fitted, workload_of

    document, runs, seen = recorded(root)
    rates = fitted(run for run, known in zip(runs, seen, strict=True) if known)
    lines = [
        "| exchange | fragments x buckets | bytes | measured | model | of it | known |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    for run, known in zip(runs, seen, strict=True):
        said = predicted(workload_of(run), rates, run.kind).total
        size = f"{run.fragments:,} x {run.buckets:,}" if run.buckets else f"{run.fragments:,}"
        lines.append(
            f"| {run.kind} | {size} | {_bytes(run.nbytes)} | {_seconds(run.seconds)} | {_seconds(said)} "
            f"| {said / run.seconds:.2f} | {'fitted' if known else 'not seen'} |"
        )
    facts = document["environment"]
    words = (
        f"Measured {facts['measured']} on {facts['cpu']}, {facts['cores']} cores, two worker processes of one thread, "
        f"load average {facts['load_average']} from other work; "
        f"Python {facts['python']}, dask {facts['dask']}, pyarrow {facts['pyarrow']}. A round takes "
        f"{rates.round_seconds * 1e3:.1f} ms, a task {rates.task_seconds * 1e3:.2f} ms, a dependency "
        f"{rates.edge_seconds * 1e6:.0f} µs, a piece {rates.piece_seconds * 1e3:.2f} ms, a file "
        f"{rates.file_seconds * 1e3:.2f} ms, a range {rates.range_seconds * 1e6:.0f} µs."
    )
    lines += ["", words]
    return "\n".join(lines)


def large(root: Path) -> str:
    """10 TiB on a thousand workers, by size of fragment and kind of exchange."""
    from luma_bench.plan.cluster.model import Kind, Workload, chosen, predicted
    from luma_bench.plan.cluster.model_fit import fitted

    _, runs, seen = recorded(root)
    rates = replace(
        fitted(run for run, known in zip(runs, seen, strict=True) if known),
        send_rate=NETWORK,
        write_rate=STORED,
        read_rate=STORED,
        work_rate=SCANNED,
        range_seconds=AWAY,
    )
    lines = [
        "| exchange | fragment | tasks | dependencies | scheduler | reading | exchange | in all | |",
        "|---|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    kinds: tuple[tuple[Kind, float, bool], ...] = (
        ("gather", 0.0, True),
        ("file", 0.3, True),
        ("direct", 0.3, False),
    )
    for kind, share, shared in kinds:
        for fragment in (GIB // 4, GIB, 4 * GIB):
            load = Workload(
                nbytes=10 * 1024 * GIB,
                workers=1_000,
                fragment_bytes=fragment,
                exchanged=share,
                buckets=2_000,
                shared_folder=shared,
            )
            found = predicted(load, rates, kind)
            assert chosen(load) == kind, "the table shows what would be used"
            lines.append(
                f"| {kind} | {_bytes(fragment)} | {found.tasks:,} | {found.edges:,} | {_seconds(found.scheduler)} "
                f"| {_seconds(found.work)} | {_seconds(found.exchange)} | {_seconds(found.total)} "
                f"| {'impossible' if found.tasks > 1_000_000 else ''} |"
            )
    return "\n".join(lines)


def recorded(root: Path) -> tuple[dict[str, Any], list[Any], list[bool]]:
    """The document of measured runs, the runs, and which of them the rates come from."""
    from luma_bench.plan.cluster.model_fit import NoOpRun

    document = json.loads((root / "docs" / "growing" / "no-op-runs.json").read_text("utf-8"))
    kept = list(_runs(document))
    return document, [NoOpRun(**run) for run, _ in kept], [known for _, known in kept]


def _runs(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], bool]]:
    for run in document["runs"]:
        plain = dict(run)
        known = bool(plain.pop("fitted"))
        yield plain, known


def _seconds(value: float) -> str:
    if value >= 7200:
        return f"{value / 3600:.1f} h"
    if value >= 100:
        return f"{value:,.0f} s"
    return f"{value:.1f} s" if value >= 1 else f"{value * 1e3:.0f} ms"


def _bytes(value: float) -> str:
    if value == 0:
        return "0"
    power = min(4, int(math.log(value, 1024)))
    return f"{value / 1024**power:.0f} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"


PARTS = {"growth-runs": measured, "growth-large": large}

"""What the model says of schedulers and exchanges, against runs that were measured, and where they were counted by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.engines.cluster import graph
from luma_bench.plan.cluster import model
from luma_bench.plan.cluster.model import ClusterRates, Kind, Workload, chosen, predicted, tree_tasks
from luma_bench.plan.cluster.model_fit import NoOpRun, fitted, workload_of

GIB = 1 << 30
RATES = ClusterRates(
    round_seconds=0.01,
    task_seconds=1e-3,
    edge_seconds=1e-5,
    piece_seconds=1e-4,
    file_seconds=2e-3,
    range_seconds=1e-4,
    send_rate=1e9,
    write_rate=5e8,
    read_rate=5e8,
)
LARGE = Workload(nbytes=10 * 1024 * GIB, workers=1_000, fragment_bytes=GIB, exchanged=0.3, buckets=2_000)


@pytest.fixture(scope="module")
def recorded(repository: Path) -> list[tuple[NoOpRun, bool]]:
    """The measured runs, each with whether the rates come from it."""
    document = json.loads((repository / "docs" / "growing" / "no-op-runs.json").read_text("utf-8"))
    found: list[tuple[NoOpRun, bool]] = []
    for run in document["runs"]:
        known = run.pop("fitted")
        found.append((NoOpRun(**run), known))
    return found


def test_runs_that_the_model_has_not_seen_take_what_it_says(recorded: list[tuple[NoOpRun, bool]]) -> None:
    rates = fitted(run for run, known in recorded if known)
    unseen = [run for run, known in recorded if not known]
    ratios = {
        (run.kind, run.fragments, run.buckets, run.nbytes): predicted(workload_of(run), rates, run.kind).total
        / run.seconds
        for run in unseen
    }

    assert {run.kind for run in unseen} == {"none", "whole", "direct", "file"}
    assert {key: ratio for key, ratio in ratios.items() if not 0.5 <= ratio <= 2} == {}


def test_some_runs_are_far_larger_than_those_that_gave_the_rates(
    recorded: list[tuple[NoOpRun, bool]],
) -> None:
    def largest(known: bool) -> int:
        return max(run.fragments * max(1, run.buckets) for run, seen in recorded if seen is known)

    assert largest(False) >= 3 * largest(True)


def test_ten_tebibytes_on_a_thousand_workers() -> None:
    files, pieces = predicted(LARGE, RATES, "file"), predicted(LARGE, RATES, "direct")

    assert chosen(LARGE) == "file"
    assert (files.fragments, files.tasks, files.edges) == (10_240, 12_241, 12_240)
    assert pieces.tasks == 10_240 + 10_240 * 2_000 + 2_000
    assert files.scheduler == pytest.approx(12.241 + 0.1224)
    assert files.total < 120
    assert pieces.scheduler > 5 * 3600


def test_without_a_shared_folder_much_travels_in_pieces_and_little_whole() -> None:
    assert chosen(replace(LARGE, shared_folder=False)) == "direct"
    assert (
        chosen(Workload(nbytes=1e6, workers=2, fragment_bytes=1e5, exchanged=0.5, shared_folder=False))
        == "whole"
    )


@pytest.mark.parametrize(
    ("fragments", "buckets", "each", "kind"),
    [
        (10, 10, 1_000, "whole"),
        (10, 10, 1 << 20, "file"),
        (100, 21, 1_000, "file"),
        (100, 20, 1_000, "whole"),
    ],
)
def test_with_a_shared_folder_rows_go_into_files_when_they_are_many_or_go_far(
    fragments: int, buckets: int, each: int, kind: Kind
) -> None:
    load = Workload(nbytes=fragments * each, workers=4, fragment_bytes=each, exchanged=1.0, buckets=buckets)
    assert chosen(load) == kind


def test_partial_results_go_up_a_tree() -> None:
    assert tree_tasks(1) == (0, 0)
    assert tree_tasks(32) == (1, 1)
    assert tree_tasks(33) == (3, 2)
    assert tree_tasks(10_240) == (320 + 10 + 1, 3)
    assert chosen(replace(LARGE, exchanged=0.0)) == "gather"


def test_the_limits_are_those_of_the_engine() -> None:
    assert (model.WIDE, model.FILE_BYTES, model.SMALL_BYTES) == (
        graph.WIDE,
        graph.FILE_BYTES,
        graph.SMALL_BYTES,
    )


def test_the_scheduler_and_the_workers_work_at_the_same_time() -> None:
    slow = replace(RATES, work_rate=1e6)
    load = Workload(nbytes=1e9, workers=10, fragment_bytes=1e6)
    found = predicted(load, slow, "none")
    assert found.work == pytest.approx(100)
    assert found.total == pytest.approx(100 + found.rounds)
    assert predicted(load, RATES, "none").total == pytest.approx(1.0 + found.rounds)


def _run(kind: Kind, fragments: int, buckets: int, nbytes: int, rates: ClusterRates) -> NoOpRun:
    run = NoOpRun(kind, fragments, buckets, nbytes, 2, 1.0)
    return replace(run, seconds=predicted(workload_of(run), rates, kind).total)


@settings(deadline=None, max_examples=60)
@given(
    st.floats(1e-3, 0.1),
    st.floats(1e-4, 5e-3),
    st.floats(1e-6, 1e-4),
    st.floats(1e-5, 1e-2),
    st.floats(1e-4, 1e-2),
    st.floats(1e-5, 1e-3),
    st.floats(1e7, 2e9),
    st.floats(1e7, 2e9),
)
def test_rates_come_back_from_runs_that_follow_them(
    round_: float,
    task: float,
    edge: float,
    piece: float,
    file: float,
    range_: float,
    send: float,
    disk: float,
) -> None:
    rates = ClusterRates(
        round_seconds=round_,
        task_seconds=task,
        edge_seconds=edge,
        piece_seconds=piece,
        file_seconds=file,
        range_seconds=range_,
        send_rate=send,
        write_rate=disk,
        read_rate=disk,
    )
    shapes: list[tuple[Kind, int, int, int]] = [
        ("none", 100, 0, 0), ("none", 2_000, 0, 0), ("whole", 64, 64, 0), ("direct", 16, 16, 0), ("direct", 16, 16, 1 << 28),
        ("file", 8, 8, 0), ("file", 64, 16, 0), ("file", 64, 128, 0), ("file", 16, 16, 1 << 28),
    ]  # fmt: skip
    found = fitted(
        _run(kind, fragments, buckets, nbytes, rates) for kind, fragments, buckets, nbytes in shapes
    )
    for run in (_run("direct", 40, 40, 1 << 26, rates), _run("file", 200, 100, 1 << 26, rates)):
        said = predicted(workload_of(run), found, run.kind).total
        assert math.isclose(said, run.seconds, rel_tol=0.02), (run.kind, found)


def test_what_is_missing_is_said() -> None:
    alone = [_run("none", 100, 0, 0, RATES), _run("none", 1_000, 0, 0, RATES)]
    with pytest.raises(ValueError, match="2 runs of kind 'none' without bytes are needed"):
        fitted(alone[:1])
    with pytest.raises(ValueError, match="1 runs of kind 'whole' without bytes are needed"):
        fitted(alone)

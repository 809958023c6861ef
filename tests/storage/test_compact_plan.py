"""Planning: what is merged, what is left alone, and that plans come to an end."""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.storage.compact.plan import (
    ABOVE,
    FAN_IN,
    MOST_RUNS,
    Bound,
    Job,
    Part,
    clusters,
    plan_all,
    plan_next,
    plan_tail,
)

TARGET = 100


def part(
    name: str,
    low: int | None,
    high: int | None,
    *,
    rows: int = 20,
    level: int = 0,
    born: int = 1,
    deleted: int = 0,
) -> Part:
    span: tuple[Bound, Bound] | None = (
        None if low is None else ((0, low), ABOVE if high is None else (0, high))
    )
    return Part(name, False, level, rows, deleted, int(deleted > 0), rows * 10, born, span)


def names(jobs: list[Job]) -> list[list[str]]:
    return [[item.name for item in job.parts] for job in jobs]


def test_four_neighbours_of_a_level_go_to_the_next() -> None:
    parts = [part(str(n), 10 * n, 10 * n + 9, born=n) for n in range(FAN_IN)]
    assert plan_next(parts[:-1], TARGET) == []
    (job,) = plan_next(parts, TARGET)
    assert [item.name for item in job.parts] == ["0", "1", "2", "3"]
    assert job.level == 1


def test_row_order_is_kept_across_what_stays() -> None:
    """Parts on both sides of a bigger one are not merged over it."""
    low = [part(f"a{n}", n, n, born=n) for n in range(3)]
    middle = part("m", 10, 20, level=1, rows=30, born=9)
    high = [part(f"b{n}", 30 + n, 30 + n, born=20 + n) for n in range(3)]
    assert plan_next([*low, middle, *high], TARGET) == []


def test_a_full_compaction_leaves_settled_parts() -> None:
    settled = part("s", 100, 199, rows=60, level=1)
    parts = [part("a", 0, 50), part("b", 51, 99), settled, part("c", 200, 220)]
    assert names(plan_all(parts, TARGET)) == [["a", "b"], ["c"]]


def test_a_lone_part_as_written_is_written_once_more() -> None:
    assert names(plan_all([part("a", 0, 9)], TARGET)) == [["a"]]
    assert plan_all([part("a", 0, 9, level=1)], TARGET) == []


def test_deleted_rows_are_dropped() -> None:
    heavy = part("h", 0, 9, rows=90, level=2, deleted=30)
    light = replace(heavy, name="l", deleted=3)
    assert names(plan_next([heavy], TARGET)) == [["h"]]
    assert plan_next([light], TARGET) == []
    assert names(plan_all([light], TARGET)) == [["l"]]
    many = replace(light, deletions=65)
    assert names(plan_next([many], TARGET)) == [["l"]]


def test_a_run_is_not_merged_with_itself() -> None:
    """Parts of one merge that share a bound do not overlap; a part of another merge that does so may."""
    run = [part("x", 0, 5, level=1, rows=80), part("y", 5, 9, level=1, rows=80)]
    assert plan_all(run, TARGET, touching=True) == []
    other = part("z", 5, 5, level=1, born=2, rows=80)
    assert names(plan_all([*run, other], TARGET, touching=True)) == [["x", "z", "y"]]
    assert plan_all([*run, other], TARGET, touching=False) == []


def test_an_unknown_range_overlaps_everything() -> None:
    parts = [part("a", 0, 1, level=1, rows=80), part("b", None, None), part("c", 5, 6, level=1, rows=80)]
    assert len(clusters(parts)) == 1


def test_nulls_are_above_all_values() -> None:
    assert len(clusters([part("a", 0, None), part("b", 100, 200, born=2)])) == 1


def test_many_overlapping_runs_are_narrowed_first() -> None:
    parts = [part(f"{n:03}", 0, 1000, rows=60, born=n) for n in range(3 * MOST_RUNS + 5)]
    jobs = plan_all(parts, TARGET)
    assert [len(job.parts) for job in jobs] == [MOST_RUNS] * 3


def test_the_tail_goes_alone_and_when_it_is_half_full() -> None:
    small = Part("7", True, 0, 100, 0, 0, 1000, 1, None, blobs=10)
    assert plan_tail([small], full=False) is None
    assert plan_tail([small], full=True) == Job((small,), 1)
    for ripe in (replace(small, blobs=500), replace(small, rows=40_000), replace(small, nbytes=600_000)):
        assert plan_tail([ripe], full=False) == Job((ripe,), 0)
    assert plan_all([small], TARGET) == plan_next([small], TARGET) == []


SPANS = st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.lists(SPANS, max_size=20), st.booleans())
def test_clusters_are_what_overlaps(spans: list[tuple[int, int]], touching: bool) -> None:
    """Against the definition: the connected components of parts of which any two overlap."""
    parts = [part(f"{n:02}", low, high, born=n) for n, (low, high) in enumerate(spans)]
    found = clusters(parts, touching=touching)
    assert sorted(item.name for cluster in found for item in cluster) == [item.name for item in parts]
    group = {item.name: number for number, cluster in enumerate(found) for item in cluster}
    for (a, first), (b, second) in itertools.combinations(zip(spans, parts, strict=True), 2):
        meets = max(a[0], b[0]) <= min(a[1], b[1]) if touching else max(a[0], b[0]) < min(a[1], b[1])
        if meets:
            assert group[first.name] == group[second.name]
    for before, after in itertools.pairwise(found):
        low = min(item.span for item in after if item.span)[0]
        high = max(item.span[1] for item in before if item.span)
        assert high <= low if not touching else high < low or high == low


def merged(job: Job, born: int, target: int) -> list[Part]:
    """What a merge makes of a job: parts of one run that share the job's range."""
    rows = job.live_rows
    if not rows:
        return []
    count = -(-rows // target)
    low = min(item.span[0][1] for item in job.parts if item.span)  # type: ignore[misc]
    high = max(item.span[1][1] for item in job.parts if item.span)  # type: ignore[misc]
    width = (high - low) / count
    return [
        part(
            f"{born}-{n}",
            low + n * width,
            low + (n + 1) * width,
            rows=rows // count,
            level=job.level,
            born=born,
        )  # type: ignore[arg-type]
        for n in range(count)
    ]


@settings(deadline=None)
@given(
    st.lists(st.tuples(SPANS, st.integers(1, 300), st.integers(0, 3)), max_size=40),
    st.booleans(),
    st.booleans(),
)
def test_planning_ends(spans: list[tuple[tuple[int, int], int, int]], full: bool, touching: bool) -> None:
    """Jobs name each part once, and doing them leads to a table with nothing left to do."""
    parts = [
        part(f"{n:02}", *span, rows=rows, level=level, born=100 + n, deleted=rows // 3 if n % 5 == 0 else 0)
        for n, (span, rows, level) in enumerate(spans)
    ]
    plan = plan_all if full else plan_next
    for born in range(1000, 1030):
        jobs = plan(parts, TARGET, touching=touching)
        used = [item.name for job in jobs for item in job.parts]
        assert len(used) == len(set(used))
        if not jobs:
            break
        parts = [item for item in parts if item.name not in used]
        for number, job in enumerate(jobs):
            parts += merged(job, born * 100 + number, TARGET)
    assert plan(parts, TARGET, touching=touching) == []

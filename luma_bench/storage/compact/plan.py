"""Which parts of a table to merge: levels, as in a log-structured merge tree, and what is left alone.

Level 0 is as written. Parts whose ranges do not meet are never merged for order's sake, only for size; parts that one
merge made never overlap each other, so they count as one run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from luma_bench.storage.inline import TAIL_BLOBS, TAIL_BYTES, TAIL_ROWS

FAN_IN = 4
"""A level with this many runs is merged into the next."""

MOST_RUNS = 64
"""Runs that overlap are merged no more than this many at a time: a chunk of each lies decoded meanwhile."""

DELETED_SHARE, DELETIONS = 0.2, 64
"""A segment with a greater share of deleted rows, or more deletions, is written again."""

SETTLED_BYTES = 32 << 20
JOB_SEGMENTS = 16
"""A job ends at the next gap between ranges after this many segments of the wanted size."""

LARGEST_RUN = 64
"""In the background, a run of this many segments of the wanted size is left as it is."""

Bound = tuple[int, object] | tuple[int]
"""A bound that compares with others: `(0, value)`, or `(1,)` above every value."""

ABOVE: Bound = (1,)


@dataclass(frozen=True, slots=True)
class Part:
    """A segment, or adjoining inline blobs, as planning sees it.

    Attributes
    ----------
    name
        The segment's ulid, or the id of the last blob as text.
    rows, deleted, deletions
        Rows with the deleted ones, how many are deleted, and by how many deletions.
    born
        The snapshot that made it: parts of one level above 0 with the same one are a run.
    span
        The least and greatest value of the table's order (the first sort key, else the row id); None when unknown.
    blobs
        How many inline blobs it is.
    """

    name: str
    inline: bool
    level: int
    rows: int
    deleted: int
    deletions: int
    nbytes: int
    born: int
    span: tuple[Bound, Bound] | None
    blobs: int = 0

    @property
    def run(self) -> tuple[int, int | str]:
        """What tells its run from others."""
        return (self.level, self.born) if self.level else (0, self.name)

    @property
    def live_rows(self) -> int:
        """Rows that are not deleted."""
        return self.rows - self.deleted

    @property
    def heavy(self) -> bool:
        """Whether its deleted rows cost readers more than a rewrite."""
        return self.deleted > DELETED_SHARE * self.rows or self.deletions > DELETIONS


@dataclass(frozen=True, slots=True)
class Job:
    """Parts to write anew together, in the order of their ranges, and the level of what comes out."""

    parts: tuple[Part, ...]
    level: int

    @property
    def live_rows(self) -> int:
        """Rows that will be written, unless more are deleted meanwhile."""
        return sum(part.live_rows for part in self.parts)


Rest = Callable[[Part], bool]


def plan_all(parts: Sequence[Part], target: int, *, touching: bool = False) -> list[Job]:
    """Jobs after which the segments are one sorted run of about `target` rows each, without deleted rows.

    Where more than `MOST_RUNS` runs overlap, these are jobs that make them fewer: plan again after them.

    Parameters
    ----------
    touching
        Whether two ranges that share only a bound overlap: where the order has more keys than the first.
    """
    parts = [part for part in parts if not part.inline]
    jobs: list[Job] = []
    for stretch in _stretches(parts, touching, lambda part: _is_settled(part, target) and not part.deleted):
        for group in _sized(stretch, JOB_SEGMENTS * target):
            held = [part for cluster in group for part in cluster]
            if _is_done(held):
                continue
            widest = max(len({part.run for part in cluster}) for cluster in group)
            if widest > MOST_RUNS:
                jobs += _narrowing(held)
            else:
                jobs.append(Job(tuple(held), _level_above(held)))
    return jobs


def plan_next(parts: Sequence[Part], target: int, *, touching: bool = False) -> list[Job]:
    """Jobs that are due: full levels, and segments with many deleted rows."""
    parts = [part for part in parts if not part.inline]
    sizes: dict[object, int] = {}
    for part in parts:
        sizes[part.run] = sizes.get(part.run, 0) + part.rows
    jobs: list[Job] = []
    taken: set[str] = set()

    def rests(part: Part) -> bool:
        return (
            (_is_settled(part, target) or sizes[part.run] >= LARGEST_RUN * target)
            and part.level > 0
            and not part.heavy
        )

    for stretch in _stretches(parts, touching, rests):
        top = max(part.level for cluster in stretch for part in cluster)
        for level in range(top + 1):
            for group in _neighbours(stretch, level):
                due = [
                    part
                    for part in group
                    if part.name not in taken and sizes[part.run] < LARGEST_RUN * target
                ]
                full = [number for number, part in enumerate(due) if part.level == level]
                if len({due[number].run for number in full}) < FAN_IN:
                    continue
                # Lower ones lie between them, or not at all: a level is written again for its own sake only.
                chosen = _bounded(due[full[0] : full[-1] + 1], LARGEST_RUN * target)
                if len({part.run for part in chosen}) > 1:
                    jobs.append(Job(tuple(chosen), level + 1))
                    taken |= {part.name for part in chosen}
    for part in parts:
        if part.heavy and part.name not in taken:
            jobs.append(Job((part,), max(1, part.level)))
            taken.add(part.name)
    return jobs


def plan_tail(parts: Sequence[Part], *, full: bool) -> Job | None:
    """The job that stores the inline tail as segments: all of it when there is any, else one that is half full.

    The tail goes alone: the next write may store it too, and a long job must not be lost for that.
    """
    tail = tuple(part for part in parts if part.inline)
    if not tail or not (full or _is_ripe(tail)):
        return None
    return Job(tail, int(full))


def _stretches(parts: Sequence[Part], touching: bool, rests: Rest) -> Iterator[list[list[Part]]]:
    """The clusters between those that consist of one part that rests."""
    stretch: list[list[Part]] = []
    for cluster in clusters(parts, touching=touching):
        if len(cluster) == 1 and rests(cluster[0]):
            if stretch:
                yield stretch
            stretch = []
        else:
            stretch.append(cluster)
    if stretch:
        yield stretch


def clusters(parts: Sequence[Part], *, touching: bool = False) -> list[list[Part]]:
    """The parts in order of their ranges, those together whose ranges overlap."""
    known = [(part.span, part) for part in parts if part.span is not None]
    if len(known) < len(parts):
        return [sorted(parts, key=lambda part: part.born)]
    found: list[_Cluster] = []
    for (low, high), part in sorted(known, key=lambda pair: (*pair[0], pair[1].born)):
        if found and found[-1].meets(part, low, touching):
            # A part of a run may stand alone only because its run's parts never overlap each other.
            while len(found) > 1 and found[-2].meets(part, low, touching):
                found[-2].absorb(found.pop())
        else:
            found.append(_Cluster([], {}))
        found[-1].add(part, high)
    return [cluster.parts for cluster in found]


@dataclass(frozen=True, slots=True)
class _Cluster:
    """Parts whose ranges overlap, and how far each of their runs reaches."""

    parts: list[Part]
    reach: dict[object, Bound]

    def meets(self, part: Part, low: Bound, touching: bool) -> bool:
        own = _sorted_run(part)
        return any(end > low or (touching and end == low) for run, end in self.reach.items() if run != own)

    def add(self, part: Part, high: Bound) -> None:
        run = _sorted_run(part)
        self.parts.append(part)
        self.reach[run] = max(self.reach.get(run, high), high)

    def absorb(self, other: _Cluster) -> None:
        self.parts.extend(other.parts)
        for run, end in other.reach.items():
            self.reach[run] = max(self.reach.get(run, end), end)


def _sorted_run(part: Part) -> object:
    """What tells parts that never overlap each other from the rest."""
    return part.run if part.level else part.name


def _sized(stretch: list[list[Part]], rows: int) -> Iterator[list[list[Part]]]:
    """The clusters in groups of at least `rows` rows, but for the last."""
    group: list[list[Part]] = []
    count = 0
    for cluster in stretch:
        group.append(cluster)
        count += sum(part.live_rows for part in cluster)
        if count >= rows:
            yield group
            group, count = [], 0
    if group:
        yield group


def _neighbours(stretch: list[list[Part]], level: int) -> Iterator[list[Part]]:
    """The parts up to a level, cut where a cluster lies wholly above it: merging across would span its range."""
    group: list[Part] = []
    for cluster in stretch:
        low = [part for part in cluster if part.level <= level]
        if not low:
            if group:
                yield group
            group = []
        group += low
    if group:
        yield group


def _bounded(parts: list[Part], rows: int) -> list[Part]:
    """The parts from the first on, as long as they have at most `rows` rows, and no more runs than overlap well."""
    kept: list[Part] = []
    runs: set[object] = set()
    count = 0
    for part in parts:
        count += part.live_rows
        runs.add(part.run)
        if kept and (count > rows or len(runs) > MOST_RUNS):
            break
        kept.append(part)
    return kept


def _narrowing(parts: list[Part]) -> list[Job]:
    """Jobs of `MOST_RUNS` runs each, so that fewer overlap after them."""
    runs: dict[object, list[Part]] = {}
    for part in parts:
        runs.setdefault(part.run, []).append(part)
    order = sorted(runs.values(), key=lambda held: (held[0].level, sum(part.rows for part in held)))
    jobs: list[Job] = []
    for start in range(0, len(order) - MOST_RUNS + 1, MOST_RUNS):
        held = [part for run in order[start : start + MOST_RUNS] for part in run]
        jobs.append(Job(tuple(held), _level_above(held)))
    return jobs


def _is_settled(part: Part, target: int) -> bool:
    return part.level > 0 and (part.rows >= target / 2 or part.nbytes >= SETTLED_BYTES)


def _is_done(parts: Sequence[Part]) -> bool:
    """Whether a merge would write the same again: one clean run that a merge made."""
    runs = {part.run for part in parts}
    return len(runs) == 1 and all(part.level and not part.deleted for part in parts)


def _is_ripe(tail: Sequence[Part]) -> bool:
    """Whether a tail has reached half of a limit at which the next write stores it."""
    blobs = sum(part.blobs for part in tail)
    rows, nbytes = sum(part.rows for part in tail), sum(part.nbytes for part in tail)
    return 2 * blobs >= TAIL_BLOBS or 2 * rows >= TAIL_ROWS or 2 * nbytes >= TAIL_BYTES


def _level_above(parts: Iterable[Part]) -> int:
    held = list(parts)
    top = max(part.level for part in held)
    return top + 1 if len(held) > 1 else max(1, top)

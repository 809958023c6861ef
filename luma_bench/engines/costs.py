"""What a statement would cost on each engine, from the sizes of what it reads and the shape of its text; nothing is planned.

docs/design/router.md has the formulas. They rank engines and are shown beside the truth; nothing depends on them being right.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from luma_bench.engines.calibrate import Calibration, Figures
from luma_bench.plan.engine import Estimate, Inputs, SqlFragment
from luma_bench.types.record import bytes_text, seconds_text

START_SECONDS = 0.001
"""Parsing, binding and starting a small statement on the embedded engine."""
LOOKUP_SECONDS = 0.0001
"""Finding one row by its key where the keys are in memory."""
JOIN_SECONDS = 0.0015
"""Planning one join and starting its pipelines."""
LOWERING_SECONDS = 0.012
"""Planning a statement for another engine than the embedded one."""
FRAGMENT_BYTES = 64 << 20
"""Decoded bytes of a table that one task of a cluster reads."""
TASK_SECONDS = 0.004
"""Sending a task, starting its statement on a worker and reporting back."""
ROUND_SECONDS = 0.02
"""Waiting for the last task of a round before the next one is decided."""

_VARIABLE_WIDTH = 24
"""Bytes that a value of a string, binary or nested column is taken to have."""
_SMALL = 1 << 20
"""Bytes whose reading takes no time to speak of: columns are not looked at one by one, and no figures of the machine are."""
_WORTH_MEASURING = 0.05
"""Seconds by typical figures from which a statement is worth measuring the machine for."""
_JOINED, _SUMMED, _GROUPED, _MATCHED, _SORTED, _WINDOWED = 8e-10, 3e-9, 8e-9, 7.5e-9, 4e-8, 6e-8
"""Seconds that a row costs a core in a join, an aggregate function, a grouping, a text function, a sort and a window."""
_POLARS_SHARE = 0.85
"""Polars' time for the same work, as a share of the embedded engine's; docs/benchmarks.md has it query by query."""
_HELD = 1.5
"""Bytes that a hash table or a sort takes for a byte of its rows."""
_GROUPS = 0.25
"""The share of rows that are taken to be a group of their own."""

_WORD = re.compile(r"[^\W\d]\w*")
_EXISTS = re.compile(r"\bexists\s*\(\s*select\s*\*")
_SUMS = re.compile(r"\b(?:sum|avg|count|min|max|stddev\w*|var_\w+|median|quantile\w*)\s*\(")
_MADE = re.compile(r"\b(?:range|generate_series)\s*\(\s*(\d[\d_]{0,17})\s*(?:,\s*(\d[\d_]{0,17})\s*)?\)")
_STAR = re.compile(r"(?:\bselect|\bdistinct|\ball|,|\.)\s*\*|\bcolumns\s*\(")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a text says of its work.

    Attributes
    ----------
    words
        Its words, folded: a column that is not among them is not read.
    whole
        Whether it may read every column: `*`.
    joins, sums, groups, sorts, windows, texts
        How many of these it names.
    """

    words: frozenset[str]
    whole: bool
    joins: int
    sums: int
    groups: int
    sorts: int
    windows: int
    texts: int


@dataclass(frozen=True, slots=True)
class Load:
    """What a fragment has to do, before any pruning.

    Attributes
    ----------
    nbytes, largest
        Decoded bytes of the columns that it names, and what the largest input has of them.
    worked
        Seconds of the core that costs were fitted on, for all but reading: joins, groups, sorts.
    held
        Bytes that must be held at the same time: hash tables, sorts.
    sizes
        Bytes of each input.
    joins
        How many joins.
    rounds
        How often a cluster exchanges rows, and once more for the answer.
    """

    nbytes: float = 0.0
    largest: float = 0.0
    worked: float = 0.0
    held: float = 0.0
    sizes: tuple[float, ...] = ()
    joins: int = 0
    rounds: int = 1

    def seconds(self, figures: Figures) -> float:
        """What it takes one core of this machine."""
        return self.nbytes / figures.scan_bandwidth + self.worked / figures.pace


@dataclass(frozen=True, slots=True)
class ClusterFigures:
    """What a cluster can do, measured when it was connected.

    Attributes
    ----------
    workers, threads
        Worker processes, and the threads of all of them together.
    memory
        Bytes that all workers may use together.
    latency
        Seconds that the scheduler spends on one task.
    bandwidth
        Bytes that are exchanged in a second between two workers.
    """

    workers: int
    threads: int
    memory: int
    latency: float
    bandwidth: float


def duck_estimate(
    fragment: SqlFragment, inputs: Inputs, calibration: Calibration | None, threads: int, memory_limit: int
) -> Estimate:
    """The embedded engine: start, and the work at the speed of this machine; more where it must spill."""
    load = load_of(fragment, inputs)
    figures = _figures(calibration, load)
    seconds = START_SECONDS + JOIN_SECONDS * load.joins + load.seconds(figures) / _side_by_side(threads)
    held, over = int(load.held), load.held - memory_limit
    if over <= 0:
        return Estimate(seconds, held)
    # What does not fit is written and read again, at the speed of a disk rather than of memory.
    seconds += 16 * over / figures.memory_bandwidth
    return Estimate(
        seconds, held, _too_much(held, memory_limit, "memory"), f"spills about {bytes_text(int(over))}"
    )


def polars_estimate(
    fragment: SqlFragment, inputs: Inputs, calibration: Calibration | None, threads: int, memory_limit: int
) -> Estimate:
    """Polars: planning and start, and the work at its speed; it holds what it reads."""
    load = load_of(fragment, inputs)
    figures = _figures(calibration, load)
    seconds = LOWERING_SECONDS + _POLARS_SHARE * load.seconds(figures) / _side_by_side(threads)
    held = int(load.held + load.nbytes)
    return Estimate(seconds, held, _too_much(held, memory_limit, "memory"))


def cluster_estimate(
    fragment: SqlFragment,
    inputs: Inputs,
    calibration: Calibration | None,
    cluster: ClusterFigures,
    start_seconds: float = 0.0,
) -> Estimate:
    """A cluster: the scheduler's time for every task or the workers' time, whichever is longer, and the exchange.

    That is `max(tasks * latency, work / threads) + exchanged / bandwidth + waiting * rounds`. Small inputs are sent to every worker;
    of two large ones each row is sent once. `start_seconds` are those until a cluster that does not run yet does.
    """
    load = load_of(fragment, inputs)
    figures = _figures(calibration, load)
    threads, workers = max(1, cluster.threads), max(1, cluster.workers)
    tasks = sum(max(1, round(size / FRAGMENT_BYTES)) for size in load.sizes) or 1
    tasks += (load.rounds - 1) * min(threads, tasks)
    busy = min(threads, tasks)
    work = load.seconds(figures) / busy + TASK_SECONDS * tasks / busy
    small = load.nbytes - load.largest
    exchanged = min(small * workers, load.nbytes) + load.held * _GROUPS
    seconds = (
        start_seconds
        + LOWERING_SECONDS
        + max(tasks * cluster.latency, work)
        + exchanged / (cluster.bandwidth * workers)
        + (cluster.latency + ROUND_SECONDS) * load.rounds
    )
    detail = (
        f"{_counted(tasks, 'task')} on {_counted(workers, 'worker')}, {_counted(load.rounds, 'round')};"
        f" {seconds_text(cluster.latency)} a task, {bytes_text(int(cluster.bandwidth))}/s exchanged"
    )
    held = int(load.held)
    return Estimate(seconds, held, _too_much(held, cluster.memory, "the workers' memory"), detail)


def load_of(fragment: SqlFragment, inputs: Inputs) -> Load:
    """What the fragment has to do, by the widths of the columns that it names and the rows of what it reads."""
    schemas = [source.schema for source in inputs.sources.values()]
    counts = [source.rows() for source in inputs.sources.values()]
    made = _made(fragment.text)
    nbytes = 8.0 * (sum(rows * len(schema) for rows, schema in zip(counts, schemas, strict=True)) + sum(made))
    nbytes += sum(map(_nbytes, inputs.relations.values()))
    if 3 * nbytes < _SMALL:
        inputs_read = len(inputs.sources) + len(inputs.relations)
        return Load(nbytes, nbytes, 0.0, nbytes, (nbytes,), max(0, inputs_read - 1))
    shape = _shape(fragment.text, tuple(view.sql for view in inputs.views))
    sizes = [rows * row_bytes(schema, shape) for rows, schema in zip(counts, schemas, strict=True)]
    sizes += [float(_nbytes(relation)) for relation in inputs.relations.values()]
    counts += [int(getattr(relation, "num_rows", 0)) for relation in inputs.relations.values()]
    sizes += [8.0 * rows for rows in made]
    counts += made
    return _load(shape, sizes, sum(counts), max(counts))


def _load(shape: Shape, sizes: list[float], rows: int, most: int) -> Load:
    nbytes, largest = sum(sizes), max(sizes)
    joins = max(shape.joins, len(sizes) - 1)
    # An ORDER BY behind a join or a GROUP BY, or with a LIMIT, sorts few rows.
    sorts = 0 if shape.groups or joins or "limit" in shape.words else shape.sorts
    worked = rows * _JOINED * (joins > 0)
    worked += most * (_SUMMED * shape.sums + _GROUPED * min(shape.groups, 3) + _MATCHED * shape.texts)
    worked += most * (_SORTED * min(sorts, 1) + _WINDOWED * shape.windows)
    held = _HELD * (nbytes - largest) * (joins > 0) + _HELD * _GROUPS * largest * (shape.groups > 0)
    if shape.windows or sorts:
        held += _HELD * nbytes
    rounds = 1 + (joins > 0) + (shape.groups + shape.sums > 0) + (shape.windows + sorts > 0)
    return Load(nbytes, largest, worked, held, tuple(sizes), joins, rounds)


def row_bytes(schema: pa.Schema, shape: Shape | None = None) -> float:
    """Decoded bytes of a row: the width of each fixed column, and a typical one for the others; of the named ones with a shape."""
    total = 0.0
    for name, kind in zip(schema.names, schema.types, strict=True):
        if shape is not None and not shape.whole and not _named(name, shape):
            continue
        try:
            total += kind.bit_width / 8
        except ValueError:
            total += _VARIABLE_WIDTH
    return total


def shape_of(text: str) -> Shape:
    """What a text says of its work, by its words alone."""
    folded = _EXISTS.sub("exists (select", text.casefold())
    found = _WORD.findall(folded)
    words = frozenset(found)
    return Shape(
        words,
        _STAR.search(folded) is not None or "select" not in words,
        found.count("join"),
        len(_SUMS.findall(folded)),
        found.count("group") + found.count("distinct"),
        max(0, found.count("order") - found.count("over")),
        found.count("over"),
        found.count("like") + found.count("ilike") + sum(word.startswith("regexp_") for word in found),
    )


@functools.lru_cache(maxsize=256)
def _shape(text: str, views: tuple[str, ...]) -> Shape:
    return shape_of("\n".join((text, *views)))


@functools.lru_cache(maxsize=256)
def _made(text: str) -> tuple[int, ...]:
    """The rows that each `range(…)` and `generate_series(…)` of plain numbers makes; no table holds them."""
    found: list[int] = []
    for start, stop in _MADE.findall(text.casefold()):
        numbers = [int(part.replace("_", "")) for part in (start, stop) if part]
        found.append(max(0, numbers[-1] - (numbers[0] if stop else 0)))
    return tuple(found)


def _named(column: str, shape: Shape) -> bool:
    """Whether a text that holds these words can name a column."""
    folded = column.casefold()
    return folded in shape.words or (
        not folded.isidentifier() and shape.words.issuperset(_WORD.findall(folded))
    )


def _nbytes(relation: Any) -> int:
    return int(getattr(relation, "nbytes", 0))


def _figures(calibration: Calibration | None, load: Load) -> Figures:
    """The machine's figures, as good as the statement is worth."""
    if calibration is None or load.nbytes < _SMALL:
        return Figures()
    known = calibration.known
    worth = known.source == "typical" and load.seconds(known) > _WORTH_MEASURING
    return calibration.figures() if worth else known


def _side_by_side(threads: int) -> float:
    """What threads gain: a scan hands its batches on one after the other, so that their number does not count in full."""
    return max(1, threads) ** 0.5


def _too_much(held: int, memory: int, whose: str) -> str:
    if held <= memory:
        return ""
    return f"it would hold about {bytes_text(held)}, and {whose} for it is {bytes_text(memory)}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"

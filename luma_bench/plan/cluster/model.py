"""What a cluster's scheduler and its exchanges cost, as a function of sizes: for machines that are not here to be measured.

The terms are few and each can be measured on one machine with fragments that do nothing: seconds a task, a piece, a file, a
byte. `fitted` (model_fit) takes them from such runs, `predicted` adds them up for any sizes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["none", "gather", "whole", "direct", "file"]
"""How rows go from one stage to the next: not at all; partial results up a tree; every task's rows whole to every worker; a
piece for each fragment and bucket between workers' memories; one file a fragment with a range for each bucket."""

WIDE = 2_000
"""Pairs of a fragment and a bucket above which readers do not depend on each fragment, and rows go through files."""
FILE_BYTES = 256 << 10
"""Rows of a fragment of at least so many bytes go into a file where workers share a folder."""
SMALL_BYTES = 4 << 20
"""Rows of a stage of at most so many bytes travel whole where workers share no folder."""
FAN_IN = 32
"""How many partial results one task of a tree takes."""
PATH_BYTES = 200
"""Bytes that tell a reader of one file; where its bucket stands there is told by the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRates:
    """What one unit of each kind of work costs, in seconds, and how fast bytes go.

    Attributes
    ----------
    round_seconds
        A stage, however small: handing it over and hearing that it is done.
    task_seconds
        A task, in the scheduler: tasks are placed one after the other, however many workers there are.
    edge_seconds
        A dependency of one task on another, in the scheduler.
    piece_seconds
        A piece of a direct exchange: taken out on one worker and fetched by another. Workers do this side by side.
    file_seconds
        Making one file of an exchange.
    range_seconds
        Reading one bucket's range of one file: on a disk a system call, at an object store a request.
    send_rate, write_rate, read_rate
        Bytes a second of one worker: from another's memory, into files, out of files.
    work_rate
        Stored bytes a second that one worker reads and computes; infinite for fragments that do nothing.
    fragment_seconds
        What a worker spends on a fragment however little it reads: its order, its statement, its report.
    """

    round_seconds: float
    task_seconds: float
    edge_seconds: float
    piece_seconds: float
    file_seconds: float
    range_seconds: float
    send_rate: float
    write_rate: float
    read_rate: float
    work_rate: float = math.inf
    fragment_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What is asked of a cluster.

    Attributes
    ----------
    nbytes
        Bytes that the first stage reads.
    workers
        Tasks that run at the same time.
    fragment_bytes
        What one fragment reads.
    exchanged
        The share of `nbytes` that is handed on to the second stage.
    buckets
        Tasks of the second stage; None for `default_buckets`.
    shared_folder
        Whether all workers see one folder.
    """

    nbytes: float
    workers: int
    fragment_bytes: float
    exchanged: float = 0.0
    buckets: int | None = None
    shared_folder: bool = True

    @property
    def fragments(self) -> int:
        """Tasks of the first stage."""
        return max(1, math.ceil(self.nbytes / self.fragment_bytes))

    @property
    def moved(self) -> float:
        """Bytes that are handed on."""
        return self.nbytes * self.exchanged

    @property
    def bucket_count(self) -> int:
        """Tasks of the second stage."""
        return self.buckets or default_buckets(self.workers)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a workload takes with one kind of exchange.

    Attributes
    ----------
    tasks, edges
        All tasks that the scheduler sees, and their dependencies on each other.
    pieces
        Pieces or ranges that are read, over all workers.
    scheduler, work, exchange
        Seconds of the scheduler, of the workers' reading and computing, of handing rows on.
    """

    kind: Kind
    fragments: int
    buckets: int
    tasks: int
    edges: int
    pieces: int
    scheduler: float
    work: float
    exchange: float
    rounds: float

    @property
    def total(self) -> float:
        """Seconds in all: the scheduler places tasks while workers work, and rows move when they are made."""
        return self.rounds + max(self.scheduler, self.work) + self.exchange


def default_buckets(workers: int) -> int:
    """Two buckets a worker: the second is fetched while the first is worked on."""
    return 2 * workers


def chosen(load: Workload) -> Kind:
    """The exchange that a workload uses; where nothing is handed on but partial results, they go up a tree."""
    if load.exchanged == 0:
        return "gather"
    if not load.shared_folder:
        return "whole" if load.moved <= SMALL_BYTES else "direct"
    wide = load.fragments * load.bucket_count > WIDE
    return "file" if wide or load.moved / load.fragments >= FILE_BYTES else "whole"


def tree_tasks(leaves: int, fan_in: int = FAN_IN) -> tuple[int, int]:
    """Tasks above `leaves` partial results until there is one, and how many levels they are."""
    tasks = levels = 0
    while leaves > 1:
        leaves = math.ceil(leaves / fan_in)
        tasks += leaves
        levels += 1
    return tasks, levels


def predicted(load: Workload, rates: ClusterRates, kind: Kind | None = None) -> Prediction:
    """What a workload takes: scheduler, work, exchange and total seconds.

    Parameters
    ----------
    kind
        An exchange to look at, whether it would be used or not; None for the one that is.
    """
    kind = chosen(load) if kind is None else kind
    fragments, buckets, workers = load.fragments, load.bucket_count, load.workers
    moved = load.moved / workers
    edges = pieces = levels = 0
    exchange = 0.0
    match kind:
        case "none":
            buckets = 0
            tasks = fragments
        case "gather":
            above, levels = tree_tasks(fragments)
            buckets, tasks, edges = 1, fragments + above, fragments + max(0, above - 1)
            exchange = edges / workers * rates.piece_seconds
        case "whole":
            tasks, edges, levels = fragments + buckets, fragments * buckets, 1
            exchange = load.moved * (workers - 1) / workers / rates.send_rate
        case "direct":
            pieces, levels = fragments * buckets, 1
            tasks, edges = fragments + pieces + buckets, 2 * pieces
            exchange = pieces / workers * rates.piece_seconds + moved / rates.send_rate
        case "file":
            pieces, levels = fragments * buckets, 1
            # Between them one task has the path of every file, which each worker fetches.
            tasks, edges = fragments + 1 + buckets, fragments + buckets
            exchange = fragments / workers * rates.file_seconds + pieces / workers * rates.range_seconds
            exchange += (
                moved / rates.write_rate + moved / rates.read_rate + fragments * PATH_BYTES / rates.send_rate
            )
    return Prediction(
        kind=kind,
        fragments=fragments,
        buckets=buckets,
        tasks=tasks,
        edges=edges,
        pieces=pieces,
        scheduler=tasks * rates.task_seconds + edges * rates.edge_seconds,
        work=load.nbytes / workers / rates.work_rate
        + (fragments + buckets) / workers * rates.fragment_seconds,
        exchange=exchange,
        rounds=(1 + levels) * rates.round_seconds,
    )

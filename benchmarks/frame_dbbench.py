"""The db-benchmark's group-bys and joins: our frames, the same questions as KadeQL, and the libraries of data frames.

Times are taken interleaved in this process. The largest size in memory of each contender is that of a process of its own,
which loads the tables of a task and asks its questions once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import frame_agreement, frame_data
from benchmarks.frame_contenders import (
    DASK,
    FRAME,
    KADEQL,
    LIMIT,
    NAMES,
    PANDAS,
    POOL,
    STREAMED,
    Files,
    Loaded,
    available,
    load,
    store,
)
from benchmarks.frame_questions import QUESTIONS
from benchmarks.harness import Case, Contender, DisagreementError, SuiteResult, Target, Timing, measure
from benchmarks.suite import Request

ROWS = 10_000_000
_SLOW = 8
"""The place of the question that pandas answers group by group, in Python."""
TASKS = ("groupby", "join")


@dataclass(frozen=True, slots=True)
class Weight:
    """What a process took at most, in bytes, and the seconds of its questions, each asked once."""

    peak: int
    seconds: float


def run(request: Request) -> SuiteResult:
    """Load, check that all answers agree, time the questions, and weigh each contender in a process of its own."""
    rows = 200_000 if request.quick else round(ROWS * request.scale)
    files = frame_data.generate(rows, request.data)
    able = available()
    timings: list[Timing] = []
    with request.scratch() as folder:
        store(files, folder, request.threads)
        for task in TASKS:
            timings += _timed(task, files[task], folder, able, request)
        request.out.print()
        peaks = {
            task: {
                name: _weighed(name, task, files[task], folder, request.threads) for name in (*able, STREAMED)
            }
            for task in TASKS
        }
    result = SuiteResult(
        "frame-dbbench",
        f"db-benchmark, group-bys and joins of {rows:,} rows, answers in memory, {request.threads} threads",
        FRAME,
        KADEQL,
        tuple(timings),
        summed=True,
    )
    return replace(result, targets=_targets(result, peaks), notes=_notes(result, peaks, able))


def _timed(
    task: str, files: Files, folder: Path, able: tuple[str, ...], request: Request
) -> tuple[Timing, ...]:
    loaded = {name: load(name, task, files, folder, request.threads) for name in able}
    try:
        places = [place for place, question in enumerate(QUESTIONS) if question.task == task]
        for place in places:
            _check(place, loaded)
        return measure(
            [_case(place, loaded) for place in places],
            rounds=request.rounds,
            on_case=lambda case, _: request.out.print(case.name.partition(":")[0], end=" "),
        )
    finally:
        for one in loaded.values():
            one.close()


def _check(place: int, loaded: Mapping[str, Loaded]) -> None:
    """Each answer against that of the text; two of them are in memory at a time, not all."""
    question = QUESTIONS[place]
    reference = loaded[KADEQL].answer(place)
    for name, one in loaded.items():
        if name != KADEQL:
            try:
                frame_agreement.check(reference, one.arrow(one.answer(place)), question.keys)
            except DisagreementError as error:
                raise DisagreementError(f"{question.name}: {KADEQL} and {name} differ: {error}") from error


def _case(place: int, loaded: Mapping[str, Loaded]) -> Case:
    def asking(one: Loaded) -> Contender:
        def ask() -> None:
            one.answer(place)

        return Contender("", ask)

    return Case(QUESTIONS[place].name, tuple(replace(asking(one), name=name) for name, one in loaded.items()))


def _targets(result: SuiteResult, peaks: Mapping[str, Mapping[str, Weight]]) -> tuple[Target, ...]:
    ours, theirs = result.total(FRAME), result.total(PANDAS)
    over = result.total_ratio(FRAME)
    assert ours is not None, "it answered every question"
    assert theirs is not None, "it answered every question"
    assert over is not None, "both answered every question"
    return (
        Target(f"total against {KADEQL}", over, 1.15, " x"),
        Target(f"{PANDAS}' total against ours", theirs / ours, 5.0, " x", at_least=True),
        *(
            Target(
                f"{task}: peak memory of {name} against {PANDAS}",
                peaks[task][name].peak / peaks[task][PANDAS].peak,
                0.3,
                " x",
            )
            for task in TASKS
            for name in (FRAME, STREAMED)
        ),
    )


def _notes(
    result: SuiteResult, peaks: Mapping[str, Mapping[str, Weight]], able: tuple[str, ...]
) -> tuple[str, ...]:
    missing = [name for name in NAMES if name not in able]
    weighed = (
        f"{task}, peak memory of a process that loads the tables and asks each question once: "
        + ", ".join(
            f"{name} {one.peak / 1e6:,.0f} MB in {one.seconds:.1f} s" for name, one in peaks[task].items()
        )
        + "."
        for task in TASKS
    )
    slow = QUESTIONS[_SLOW].name
    ours, theirs = (
        sum(one.median for one in result.timings if one.contender == name and one.case != slow)
        for name in (FRAME, PANDAS)
    )
    return (
        *weighed,
        f"{STREAMED}: memory_limit {LIMIT / 1e6:.0f} MB, pool_bytes {POOL / 1e6:.0f} MB, answers read batch by batch.",
        f"Without {slow.partition(':')[0]}, where pandas calls Python for each group, its total is {theirs / ours:.1f} x ours.",
        "Ours read a bench on disk; the others hold the tables in memory, Ibis in DuckDB's own storage.",
        f"{DASK} runs medians, ranks and correlations in pandas, part by part after a shuffle.",
        "Answers were compared with that of the text first: pairs by key, numbers to 1e-9; joined rows by their hashes.",
        *([f"Not installed, so left out: {', '.join(missing)}."] if missing else []),
    )


def _weighed(name: str, task: str, files: Files, folder: Path, threads: int) -> Weight:
    """What a process took to load the tables of a task and ask its questions."""
    order = {
        "name": name,
        "task": task,
        "files": {table: str(file) for table, file in files.items()},
        "folder": str(folder),
        "threads": threads,
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.frame_dbbench", json.dumps(order)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return Weight(int(found["peak"]), found["seconds"])


def _alone(order: Mapping[str, object]) -> dict[str, float]:
    """The child's work: load, ask each question once, say how large the process was at most."""
    name, task, files = str(order["name"]), str(order["task"]), order["files"]
    assert isinstance(files, dict)
    one = load(
        name,
        task,
        {str(table): Path(str(file)) for table, file in files.items()},
        Path(str(order["folder"])),
        int(str(order["threads"])),
    )
    started = time.perf_counter()
    for place, question in enumerate(QUESTIONS):
        if question.task == task:
            one.answer(place)
    seconds = time.perf_counter() - started
    one.close()
    return {"peak": _largest(), "seconds": seconds}


def _largest() -> int:
    """The most bytes this process had in memory; `getrusage` would count those of its parent."""
    status = Path("/proc/self/status").read_text("ascii")
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


if __name__ == "__main__":
    print(json.dumps(_alone(json.loads(sys.argv[1]))))

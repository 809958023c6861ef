"""What one question takes of workers' memory: a process of its own with fresh workers, `python -m benchmarks.engines_weigh JSON`.

Workers first load what they need and answer a tiny question; what they, and the process that asks, grow by afterwards while
the question runs is its added memory. Everybody pays for their own caches, and nobody for importing libraries.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import luma_bench as lb
from benchmarks import engines_dask_frames, tpch_data
from benchmarks.engines_workers import growing, pids, workers

DASK, FRAME = "luma dask", "dask.dataframe"
_TINY = "SELECT n_regionkey, count(*) AS n FROM nation GROUP BY n_regionkey ORDER BY n_regionkey"


@dataclass(frozen=True, slots=True)
class Weight:
    """Bytes that the workers grew by at most, the same with the process that asked, and the seconds it took."""

    workers: int
    everything: int
    seconds: float


def weighed(contender: str, question: str, scale: float, data: Path, bench: Path) -> Weight:
    """Start a process that asks once, and take its word.

    Raises
    ------
    RuntimeError
        It failed; with the end of what it wrote.
    """
    order = {
        "contender": contender,
        "question": question,
        "scale": scale,
        "data": str(data),
        "bench": str(bench),
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.engines_weigh", json.dumps(order)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[1],
    )
    if done.returncode:
        raise RuntimeError(f"{contender} could not be weighed on {question}:\n{done.stderr[-2000:]}")
    return Weight(**json.loads(done.stdout.splitlines()[-1]))


def main(order: dict[str, Any]) -> Weight:
    """Weigh one question on fresh workers."""
    with workers() as client:
        if order["contender"] == DASK:
            return _ours(client, order)
        return _frames(client, order)


def _ours(client: Any, order: dict[str, Any]) -> Weight:
    with lb.open(order["bench"], mode="r", cluster=client) as bench:
        client.run(_load_ours, order["bench"])
        bench.kadeql(_TINY, engine="dask", strict=True, cache=False).to_arrow()
        text = tpch_data.text(order["question"])
        return _weigh(client, lambda: bench.kadeql(text, engine="dask", strict=True, cache=False).to_arrow())


def _frames(client: Any, order: dict[str, Any]) -> Weight:
    files = tpch_data.generate(order["scale"], Path(order["data"]))
    client.run(_load_frames, str(files["nation"]))
    read = engines_dask_frames.tables(files)
    read("nation", "n_regionkey").groupby("n_regionkey").size().compute()
    return _weigh(client, lambda: engines_dask_frames.QUESTIONS[order["question"]](read))


def _weigh(client: Any, ask: Any) -> Weight:
    with growing(list(pids(client).values())) as growth:
        began = time.perf_counter()
        ask()
        seconds = time.perf_counter() - began
    return Weight(growth.workers, growth.everything, seconds)


def _load_ours(path: str) -> int:
    """In a worker: load everything that a question loads, and give back what it took."""
    with lb.open(path, mode="r", threads=1, pool_bytes=1 << 20) as bench:
        return len(bench.kadeql(_TINY, cache=False).to_arrow())


def _load_frames(file: str) -> int:
    """The same for dask.dataframe."""
    import dask.dataframe as dd

    return len(dd.read_parquet(file).groupby("n_regionkey").size().compute(scheduler="sync"))


if __name__ == "__main__":
    print(json.dumps(asdict(main(json.loads(sys.argv[1])))))

"""Ladybug as a contender: a database of its own, asked in a process of its own, since what ends it must not end the run.

`python -m benchmarks.graph_ladybug DATABASE THREADS` answers one JSON line for each on its input: a list of a text and its
parameters, answered by the rows, or by a text that says what went wrong.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

NAME = "ladybug"
_BUFFER = 3 << 30


class LadybugError(RuntimeError):
    """It refused a text, or its process ended."""


class Ladybug:
    """A process with one connection."""

    def __init__(self, path: Path, threads: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.graph_ladybug", str(path), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=Path(__file__).parents[1],
        )

    def ask(self, text: str, **params: Any) -> list[list[Any]]:
        """The rows of an answer.

        Raises
        ------
        LadybugError
            There is none.
        """
        assert self._process.stdin is not None, "it was opened with pipes"
        assert self._process.stdout is not None, "it was opened with pipes"
        try:
            self._process.stdin.write(json.dumps([text, params]) + "\n")
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise LadybugError(f"Its process ended, with status {self._process.wait()}.")
        found = json.loads(line)
        if isinstance(found, str):
            raise LadybugError(found)
        return found

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None and self._process.poll() is None:
            self._process.stdin.close()
        self._process.wait(60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def available() -> bool:
    """Whether it is installed."""
    return importlib.util.find_spec("ladybug") is not None


def fill(asked: Ladybug, vertices: Path, edges: Path) -> None:
    """Load `V (id, age)` and `E` from Parquet files of `(id, age)` and `(s, d, …)`."""
    asked.ask("CREATE NODE TABLE V(id INT64, age INT64, PRIMARY KEY(id))")
    asked.ask("CREATE REL TABLE E(FROM V TO V, w DOUBLE)")
    asked.ask(f"COPY V FROM '{vertices}'")
    asked.ask(f"COPY E FROM '{edges}'")


def _serve(path: str, threads: int) -> None:
    import ladybug

    connection = ladybug.Connection(ladybug.Database(path, buffer_pool_size=_BUFFER, max_num_threads=threads))
    for line in sys.stdin:
        text, params = json.loads(line)
        try:
            found = connection.execute(text, params)
            rows: list[list[Any]] | str = []
            while found.has_next():
                rows.append(list(found.get_next()))
        except RuntimeError as error:
            rows = str(error)
        print(json.dumps(rows, default=str), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))

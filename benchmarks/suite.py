"""What a suite gets: how much to do, where to put files, where to print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from rich.console import Console

from benchmarks.harness import SuiteResult


@dataclass(frozen=True, slots=True)
class Request:
    """One run: `scale` is TPC-H's scale factor, `rounds` the timed calls of a slow case, `folder` where files go.

    `texts` is a checkout of ClickBench, or its file of queries; None where there is none.
    """

    scale: float
    rounds: int
    quick: bool
    folder: Path
    out: Console
    threads: int
    texts: Path | None = None

    @property
    def data(self) -> Path:
        """Where generated data stays between runs."""
        return self.folder / "data"

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder on the same disk as the data, gone afterwards."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self.folder, prefix="scratch-") as name:
            yield Path(name)


class Suite(Protocol):
    """A function that times one subject."""

    def __call__(self, request: Request) -> SuiteResult | Sequence[SuiteResult]:
        """Time it and give the figures; several tables where the same data serves them."""
        ...

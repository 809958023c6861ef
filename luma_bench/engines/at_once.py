"""What engines share whose answers are there at once, from indexes and statistics: nothing to stream, watch or stop."""

from __future__ import annotations

from abc import ABC, abstractmethod

import pyarrow as pa

from luma_bench.plan.engine import Inputs, RunningFragment, SqlFragment


class AtOnce(ABC):
    """The part of an `Engine` that is about long runs, for one that has none."""

    @abstractmethod
    def run(self, fragment: SqlFragment, inputs: Inputs) -> pa.Table:
        """The answer."""

    @property
    def looks_up(self) -> bool:
        """True: it scans nothing."""
        return True

    def stream(self, fragment: SqlFragment, inputs: Inputs) -> pa.RecordBatchReader:
        """`run` as a stream."""
        return self.run(fragment, inputs).to_reader()

    def cancel(self) -> int:
        """0: nothing runs long enough to be stopped."""
        return 0

    def running(self) -> tuple[RunningFragment, ...]:
        """Nothing: see `cancel`."""
        return ()

    def progress(self) -> float | None:
        """None: see `cancel`."""
        return None

"""What engines share whose answers are there at once, from indexes and statistics: nothing to stream, watch or stop."""

from __future__ import annotations

from abc import ABC, abstractmethod

import pyarrow as pa

from luma_bench.engines.costs import LOOKUP_SECONDS
from luma_bench.plan.engine import Estimate, Inputs, RunningFragment, SqlFragment

_ESTIMATE = Estimate(LOOKUP_SECONDS)


class AtOnce(ABC):
    """The part of an `Engine` that is about long runs, for one that has none."""

    @abstractmethod
    def run(self, fragment: SqlFragment, inputs: Inputs) -> pa.Table:
        """The answer."""

    @property
    def looks_up(self) -> bool:
        """True: it scans nothing."""
        return True

    @property
    def automatic(self) -> bool:
        """True: nothing is faster where it answers."""
        return True

    @property
    def complete(self) -> bool:
        """False: it answers few statements."""
        return False

    @property
    def explains(self) -> bool:
        """True: it tells its own plan."""
        return True

    def estimate(self, fragment: SqlFragment, inputs: Inputs) -> Estimate | None:
        """A look-up's."""
        del fragment, inputs
        return _ESTIMATE

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

"""What engines share that scan, run by name, and leave what they cannot do to the complete engine."""

from __future__ import annotations

from luma_bench.plan.engine import Estimate, Inputs, RunningFragment, SqlFragment


class Scanning:
    """The members of an `Engine` that most engines beside the embedded one have alike; each overrides what is its own."""

    @property
    def looks_up(self) -> bool:
        """False: it scans."""
        return False

    @property
    def reason(self) -> str:
        """What the run record says of a query that `auto` gives it."""
        return "the fastest by estimate"

    @property
    def automatic(self) -> bool:
        """False: it runs when it is asked for by name."""
        return False

    @property
    def complete(self) -> bool:
        """False: it runs some statements, and leaves the others."""
        return False

    @property
    def explains(self) -> bool:
        """False: EXPLAIN and DESCRIBE are the complete engine's."""
        return False

    def estimate(self, fragment: SqlFragment, inputs: Inputs) -> Estimate | None:
        """None: it cannot tell."""
        del fragment, inputs
        return None

    def running(self) -> tuple[RunningFragment, ...]:
        """Nothing that can be watched."""
        return ()

    def cancel(self) -> int:
        """Stop every running query, open streams too; how many there were."""
        running = self.running()
        for query in running:
            query.stop()
        return len(running)

    def progress(self) -> float | None:
        """The fraction done of the newest running query, None when idle or unknown."""
        running = self.running()
        return running[-1].progress if running else None

"""What a running operator of a model is held to: it stops when asked, keeps to its memory, and says how large its frontiers were."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from luma_bench.errors import CancelledError, ResourceError


@dataclass(slots=True)
class Step:
    """One step of a plan as it ran: what was expected of it and what came, in rows; `seconds` of its own."""

    name: str
    estimated: float | None = None
    rows: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Control:
    """Given to every operator that may run long.

    Attributes
    ----------
    stop
        Set from another thread to end the work.
    memory
        Bytes that the arrays of one operator may take; 0 for no cap.
    batch
        Rows that a batch of bindings should have, about.
    steps
        What ran, for the run record.
    model, bound
        What kind of query it is, and what makes one smaller, for messages.
    deadline
        When it is to end, by `time.perf_counter`; `timeout` is the limit in seconds that it comes from. 0 for none.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    memory: int = 0
    batch: int = 131_072
    steps: list[Step] = field(default_factory=list[Step])
    deadline: float = 0.0
    timeout: float = 0.0
    model: str = "graph"
    bound: str = "Bound the pattern (a start, fewer repeats, LIMIT in an ANY SHORTEST search)"

    def check(self) -> None:
        """Raise when the work is to end; call it at least every tenth of a second or so.

        Raises
        ------
        CancelledError
            It is.
        """
        if self.stop.is_set():
            raise CancelledError(f"The {self.model} query was cancelled.")
        if self.deadline and time.perf_counter() > self.deadline:
            raise CancelledError.timeout(self.timeout)

    def fits(self, nbytes: float, what: str) -> None:
        """Raise when arrays of this size together are more than the operator may take.

        Raises
        ------
        ResourceError
            They are.
        """
        if self.memory and nbytes > self.memory:
            raise ResourceError(
                f"{what} needs {nbytes / 1e6:,.0f} MB, and a {self.model} operator may take {self.memory / 1e6:,.0f} MB.",
                hint=f"{self.bound}, or raise the setting memory_limit.",
            )

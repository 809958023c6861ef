"""Timing contenders side by side: answers are compared first, then rounds run A B C A B C … in one process.

A machine that slows down for a moment slows every contender of that round, so ratios stay honest where absolute
times do not.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any


class DisagreementError(AssertionError):
    """Two contenders answer a case differently: nothing of it is timed."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work of a case.

    `run` is what is timed and gives the answer; `before` runs untimed ahead of every call (it clears what the last
    call left).
    """

    name: str
    run: Callable[[], Any]
    before: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """The same work, done by every contender; `agree` raises `DisagreementError` when two answers differ."""

    name: str
    contenders: tuple[Contender, ...]
    agree: Callable[[Any, Any], None] | None = None
    nbytes: int | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of every timed call of one contender on one case; `nbytes` of input make it a rate.

    `cpu` is what the whole process spent meanwhile, on all cores: a busy machine changes it less than the seconds.
    """

    case: str
    contender: str
    seconds: tuple[float, ...]
    nbytes: int | None = None
    cpu: tuple[float, ...] = ()

    @property
    def median(self) -> float:
        """The middle call, in seconds."""
        return statistics.median(self.seconds)

    @property
    def best(self) -> float:
        """The fastest call, in seconds."""
        return min(self.seconds)

    @property
    def p99(self) -> float:
        """The call that 99 % of all calls are at least as fast as, in seconds."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, math.ceil(0.99 * len(self.seconds)) - 1)]


@dataclass(frozen=True, slots=True)
class Target:
    """What a suite promises: `value` at most (or, with `at_least`, at least) `limit`."""

    name: str
    value: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the promise holds in this run."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """All timings of one suite: every contender is compared with `peer`.

    `tails` shows the 99th percentile in place of the best call; `summed` adds the total and the mean ratio.
    """

    name: str
    title: str
    product: str
    peer: str
    timings: tuple[Timing, ...]
    targets: tuple[Target, ...] = ()
    notes: tuple[str, ...] = ()
    tails: bool = False
    summed: bool = False

    @property
    def cases(self) -> tuple[str, ...]:
        """The names of the cases, in order."""
        return tuple(dict.fromkeys(timing.case for timing in self.timings))

    @property
    def contenders(self) -> tuple[str, ...]:
        """The names of the contenders, in order."""
        return tuple(dict.fromkeys(timing.contender for timing in self.timings))

    def timing(self, case: str, contender: str) -> Timing | None:
        """The timing of one contender on one case; None where it does not take part."""
        return next((t for t in self.timings if (t.case, t.contender) == (case, contender)), None)

    def ratio(self, case: str, contender: str) -> float | None:
        """The contender's median over the peer's; above 1 is slower."""
        mine, reference = self.timing(case, contender), self.timing(case, self.peer)
        return None if mine is None or reference is None else mine.median / reference.median

    def total(self, contender: str) -> float | None:
        """The sum of a contender's medians; None unless it took part in every case."""
        found = [self.timing(case, contender) for case in self.cases]
        medians = [timing.median for timing in found if timing is not None]
        return sum(medians) if len(medians) == len(found) else None

    def total_ratio(self, contender: str) -> float | None:
        """The contender's total over the peer's."""
        mine, reference = self.total(contender), self.total(self.peer)
        return None if mine is None or reference is None else mine / reference

    def cpu_ratio(self, contender: str) -> float | None:
        """The CPU seconds of a contender's calls over the peer's, in the cases that both ran; None when not taken."""
        spent = reference = 0.0
        for case in self.cases:
            mine, theirs = self.timing(case, contender), self.timing(case, self.peer)
            if mine is not None and theirs is not None and mine.cpu and theirs.cpu:
                spent += statistics.median(mine.cpu)
                reference += statistics.median(theirs.cpu)
        return spent / reference if reference else None

    def geomean(self, contender: str) -> float | None:
        """The geometric mean of the contender's ratios."""
        ratios = [ratio for case in self.cases if (ratio := self.ratio(case, contender)) is not None]
        return statistics.geometric_mean(ratios) if ratios else None


def measure(
    cases: Iterable[Case],
    *,
    rounds: int,
    warmup: int = 1,
    on_case: Callable[[Case, Sequence[Timing]], None] | None = None,
) -> tuple[Timing, ...]:
    """Check that the contenders of every case agree, then time them interleaved.

    Parameters
    ----------
    rounds
        Timed calls of each contender; a round calls each once, in order.
    warmup
        Untimed calls of each contender; the first one's answers are compared, so it is at least 1.
    on_case
        Hears the timings of each case as it ends.

    Raises
    ------
    DisagreementError
        Two contenders gave different answers.
    """
    timings: list[Timing] = []
    for case in cases:
        _warm(case, max(1, warmup))
        seconds: dict[str, list[float]] = {contender.name: [] for contender in case.contenders}
        spent: dict[str, list[float]] = {contender.name: [] for contender in case.contenders}
        gc.collect()
        for _ in range(rounds):
            for contender in case.contenders:
                if contender.before is not None:
                    contender.before()
                used, started = time.process_time(), time.perf_counter()
                contender.run()
                seconds[contender.name].append(time.perf_counter() - started)
                spent[contender.name].append(time.process_time() - used)
        done = [
            Timing(case.name, name, tuple(found), case.nbytes, tuple(spent[name]))
            for name, found in seconds.items()
        ]
        timings += done
        if on_case is not None:
            on_case(case, done)
    return tuple(timings)


def _warm(case: Case, warmup: int) -> None:
    for turn in range(warmup):
        answers: list[tuple[str, Any]] = []
        for contender in case.contenders:
            if contender.before is not None:
                contender.before()
            answers.append((contender.name, contender.run()))
        if turn or case.agree is None:
            continue
        first, reference = answers[0]
        for name, answer in answers[1:]:
            try:
                case.agree(reference, answer)
            except DisagreementError as error:
                raise DisagreementError(
                    f"{case.name}: {first} and {name} answer differently: {error}"
                ) from error

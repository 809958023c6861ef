"""What a bench does now: every running statement with its progress, each of which can be stopped by itself."""

from __future__ import annotations

import itertools
import threading
import time
import weakref
from collections.abc import Collection
from dataclasses import dataclass, field

from luma_bench.plan.engine import Engine, RunningFragment
from luma_bench.types.identity import Identity


@dataclass(frozen=True, slots=True)
class RunningQuery:
    """A statement that runs now, or a stream that is not read to its end.

    Attributes
    ----------
    id
        What `bench.cancel(id)` stops.
    text
        The statement.
    elapsed
        Seconds since it began.
    progress
        Rows read over rows to read, at most 1 and never falling; None while it is unknown.
    """

    id: int
    text: str
    elapsed: float
    progress: float | None


@dataclass(slots=True)
class Activity:
    """One statement from its first step to its last, which may be several runs of engines."""

    id: int
    text: str
    identity: Identity
    thread: int = field(default_factory=threading.get_ident)
    started: float = field(default_factory=time.perf_counter)
    shown: float | None = None

    def owns(self, fragment: RunningFragment) -> bool:
        """Whether this statement runs the fragment."""
        return fragment.thread == self.thread and fragment.started >= self.started


class Activities:
    """The running statements of one bench. Thread-safe."""

    def __init__(self, engines: Collection[Engine]) -> None:
        self._engines = engines
        self._numbers = itertools.count(1)
        self._running: dict[int, Activity] = {}
        self._streams: weakref.WeakKeyDictionary[RunningFragment, int] = weakref.WeakKeyDictionary()

    def prepared(self, text: str, identity: Identity) -> Activity:
        """A statement of somebody, which `begin` shows as running in this thread."""
        return Activity(next(self._numbers), text, identity)

    def begin(self, activity: Activity) -> None:
        """It begins."""
        self._running[activity.id] = activity

    def end(self, activity: Activity) -> None:
        """It is over, whatever came of it."""
        self._running.pop(activity.id, None)

    def running(self, identity: Identity) -> tuple[RunningQuery, ...]:
        """What runs now, oldest first: for an owner everything, for others their own statements."""
        now = time.perf_counter()
        found: list[RunningQuery] = []
        fragments = self._fragments()
        for activity in list(self._running.values()):
            if not identity.is_owner and activity.identity != identity:
                continue
            own = [fragment.progress for fragment in fragments if activity.owns(fragment)]
            known = [done for done in (activity.shown, *own) if done is not None]
            # A later step, a cast say, begins anew; what was shown stays.
            activity.shown = max(known) if known else None
            found.append(RunningQuery(activity.id, activity.text, now - activity.started, activity.shown))
        for fragment in self._alone(fragments) if identity.is_owner else ():
            number, elapsed = self._streams[fragment], now - fragment.started
            found += [RunningQuery(number, fragment.text, elapsed, fragment.progress)]
        return tuple(sorted(found, key=lambda item: item.id))

    def cancel(self, number: int, identity: Identity) -> int:
        """Stop one statement or stream that the identity may see; 1, or 0 when it is over already."""
        if all(item.id != number for item in self.running(identity)):
            return 0
        activity = self._running.get(number)
        fragments = self._fragments()
        chosen = [item for item in self._alone(fragments) if self._streams[item] == number]
        if activity is not None:
            chosen = [item for item in fragments if activity.owns(item)]
        for fragment in chosen:
            fragment.stop()
        return int(bool(chosen))

    def _fragments(self) -> list[RunningFragment]:
        return [fragment for engine in self._engines for fragment in engine.running()]

    def _alone(self, fragments: list[RunningFragment]) -> list[RunningFragment]:
        """The streams that their statements left behind, each with a number."""
        active = list(self._running.values())
        alone = [item for item in fragments if not any(activity.owns(item) for activity in active)]
        for fragment in alone:
            if fragment not in self._streams:
                self._streams[fragment] = next(self._numbers)
        return alone

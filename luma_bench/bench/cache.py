"""Two caches: parsed texts, and finished results under everything that could change them."""

from __future__ import annotations

import datetime as dt
import decimal
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping

from luma_bench.bench.result import Result

_SIMPLE = (
    type(None),
    bool,
    int,
    float,
    str,
    bytes,
    decimal.Decimal,
    dt.date,
    dt.datetime,
    dt.time,
    dt.timedelta,
)


class PlanCache[T]:
    """Parsed texts, newest kept; a text means the same at every snapshot, so nothing invalidates an entry."""

    def __init__(self, entries: int = 512) -> None:
        self._entries = entries
        self._held: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, text: str, parse: Callable[[str], T]) -> T:
        """The parsed text, parsed now if it is new."""
        with self._lock:
            found = self._held.get(text)
            if found is not None:
                self._held.move_to_end(text)
                return found
        parsed = parse(text)
        with self._lock:
            self._held[text] = parsed
            while len(self._held) > self._entries:
                self._held.popitem(last=False)
        return parsed


class ResultCache:
    """Finished results within a byte budget, least recently used out first.

    An entry never goes stale: its key holds the snapshot, and a snapshot never changes.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._held: OrderedDict[Hashable, tuple[Result, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Result | None:
        """The result under this key, or None."""
        with self._lock:
            entry = self._held.get(key)
            if entry is None:
                return None
            self._held.move_to_end(key)
            return entry[0]

    def put(self, key: Hashable, result: Result) -> None:
        """Keep a result; one larger than an eighth of the budget is not kept."""
        size = result.to_arrow().nbytes + 1024
        if size * 8 > self.budget:
            return
        with self._lock:
            old = self._held.pop(key, None)
            self._bytes += size - (old[1] if old else 0)
            self._held[key] = (result, size)
            while self._bytes > self.budget:
                _, (_, freed) = self._held.popitem(last=False)
                self._bytes -= freed

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self._bytes = 0


def frozen(params: Mapping[str, object]) -> Hashable | None:
    """Parameters as part of a key: names, types and values; None when a value is not a plain scalar or list of them."""
    items: list[tuple[str, str, Hashable]] = []
    for name in sorted(params):
        value = params[name]
        if isinstance(value, list | tuple) and all(isinstance(item, _SIMPLE) for item in value):
            # The types stand beside the values because 1 == True == 1.0 in Python but not in SQL, and -0.0 == 0.0.
            items.append((name, "list", tuple((type(item).__name__, repr(item)) for item in value)))
        elif isinstance(value, _SIMPLE):
            items.append((name, type(value).__name__, repr(value)))
        else:
            return None
    return tuple(items)

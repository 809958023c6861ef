"""A bounded memory for what was made of a topology and will be asked for again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, cast

MEMO_BYTES = 512 << 20


class Memo:
    """Values by key, the least recently used leave first; what is asked for by two threads is made once. Thread-safe.

    Parameters
    ----------
    limit
        Bytes that the values may take together; a larger one is handed out and not kept.
    """

    __slots__ = ("_held", "_lock", "_making", "limit", "nbytes")

    def __init__(self, limit: int = MEMO_BYTES) -> None:
        self.limit = limit
        self.nbytes = 0
        self._held: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def get[T](self, key: Hashable, make: Callable[[], T], nbytes: Callable[[T], int]) -> T:
        """The value of a key, made when it is not held; `nbytes` says what it takes."""
        with self._lock:
            found = self._hit(key)
            if found is not None:
                return cast("T", found[0])
            mine = self._making.setdefault(key, threading.Lock())
        with mine:
            with self._lock:
                found = self._hit(key)
                if found is not None:
                    return cast("T", found[0])
            try:
                made = make()
            finally:
                with self._lock:
                    self._making.pop(key, None)
            self._keep(key, made, nbytes(made))
            return made

    def peek(self, key: Hashable) -> Any | None:
        """The value of a key; None where it is not held."""
        with self._lock:
            found = self._hit(key)
        return None if found is None else found[0]

    def _hit(self, key: Hashable) -> tuple[Any, int] | None:
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
        return found

    def _keep(self, key: Hashable, value: Any, size: int) -> None:
        with self._lock:
            if size > self.limit or key in self._held:
                return
            self._held[key] = (value, size)
            self.nbytes += size
            while self.nbytes > self.limit:
                _, (_, gone) = self._held.popitem(last=False)
                self.nbytes -= gone

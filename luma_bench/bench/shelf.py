"""Where a Bench handle keeps its prepared statements, by name."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from luma_bench.language import Prepare


@dataclass(frozen=True, slots=True)
class Kept:
    """A prepared statement, and the relations that were handed in with it."""

    statement: Prepare
    tables: Mapping[str, Any]


class Shelf:
    """Prepared statements by name, whatever its case; every thread of the handle sees them. Thread-safe."""

    def __init__(self) -> None:
        self._held: dict[str, Kept] = {}
        self._lock = threading.Lock()

    def put(self, statement: Prepare, tables: Mapping[str, Any]) -> None:
        """Keep a statement and the relations of its call; one of the same name goes."""
        with self._lock:
            self._held[statement.name.casefold()] = Kept(statement, dict(tables))

    def get(self, name: str) -> Kept | None:
        """The statement of this name, None when there is none."""
        return self._held.get(name.casefold())

    def drop(self, name: str) -> bool:
        """Forget a statement; whether there was one."""
        with self._lock:
            return self._held.pop(name.casefold(), None) is not None

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._held.clear()

    @property
    def names(self) -> list[str]:
        """The names that are kept, as they were written, sorted."""
        with self._lock:
            return sorted(kept.statement.name for kept in self._held.values())

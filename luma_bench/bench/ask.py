"""How one call wants its statements run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from luma_bench.storage.store import ResolvedSnapshot


@dataclass(frozen=True, slots=True)
class Ask:
    """The arguments of one call of `Bench.kadeql`.

    Attributes
    ----------
    params
        Values of `$name` parameters.
    engine, strict
        The engine asked for, and whether another one is an error.
    at
        An id, a tag or a time; None for the newest snapshot.
    cache
        Whether the result cache may answer.
    tables
        More relations by name.
    view
        What to read instead of `at`: a snapshot that is resolved already, or a transaction's own view.
    uncommitted
        Whether the view holds rows that no snapshot has; such an answer is never cached.
    """

    params: Mapping[str, object] = field(default_factory=dict[str, object])
    engine: str = "auto"
    strict: bool = False
    at: Any = None
    cache: bool = True
    tables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    view: ResolvedSnapshot | None = None
    uncommitted: bool = False

"""How one call wants its statements run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
    """

    params: Mapping[str, object] = field(default_factory=dict[str, object])
    engine: str = "auto"
    strict: bool = False
    at: Any = None
    cache: bool = True
    tables: Mapping[str, Any] = field(default_factory=dict[str, Any])

"""How one call wants its statements run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from luma_bench.types.identity import Identity
from luma_bench.types.limits import Limits

if TYPE_CHECKING:
    from luma_bench.bench.shelf import Shelf
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
    shelf
        Where PREPARE puts its statements and EXECUTE finds them; None where neither may stand.
    limits
        How long a statement may run and what its result may hold; None for what the settings say.
    caps
        What the rows of a change's RETURNING may hold; its steps have `limits` without them.
    notes
        What the result is to warn of, noted while the statement is bound; in order, each once.
    profile
        Whether to measure what each operator does, past the result cache.
    identity
        Who asks. Nobody is assumed: whoever makes an `Ask` says it.
    """

    params: Mapping[str, object] = field(default_factory=dict[str, object])
    engine: str = "auto"
    strict: bool = False
    at: Any = None
    cache: bool = True
    tables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    view: ResolvedSnapshot | None = None
    uncommitted: bool = False
    shelf: Shelf | None = None
    limits: Limits | None = None
    caps: Limits | None = None
    notes: dict[str, None] = field(default_factory=dict[str, None])
    profile: bool = False
    identity: Identity = field(kw_only=True)

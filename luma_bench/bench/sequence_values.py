"""Values of sequences in queries: where each stands, and what this thread of a bench took last."""

from __future__ import annotations

import threading
from functools import partial

from luma_bench.bench.definitions import unknown_sequence
from luma_bench.language import Query
from luma_bench.plan.engine import SequenceInput
from luma_bench.storage.catalog.sequences import sequences
from luma_bench.storage.store import ResolvedSnapshot, Store
from luma_bench.types.sequence import Sequence


class SequenceValues:
    """The sequences of one store as queries take values of them. `currval` is a thread's own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._here = threading.local()

    def inputs(self, query: Query, view: ResolvedSnapshot) -> tuple[SequenceInput, ...]:
        """What the engine needs of each sequence that a query names.

        Raises
        ------
        KadeQLBindError
            There is no such sequence.
        """
        if not query.sequences:
            return ()
        known = {item.name.casefold(): item for item in sequences(view)}
        taking = {use.alias for use in query.sequences if use.function == "nextval"}
        found: dict[str, SequenceInput] = {}
        for use in query.sequences:
            sequence = known.get(use.name.casefold())
            if sequence is None:
                names = [item.name for item in known.values()]
                raise unknown_sequence(use.name, names, query.whole, use.span)
            found[use.alias] = SequenceInput(
                use.alias,
                sequence,
                use.alias in taking,
                partial(self._store.last_value, sequence),
                partial(self._current, sequence),
                partial(self._advance, sequence),
            )
        return tuple(found.values())

    def _current(self, sequence: Sequence) -> int | None:
        held: dict[str, int] = getattr(self._here, "values", {})
        return held.get(sequence.token)

    def _advance(self, sequence: Sequence, seen: int | None, last: int) -> bool:
        if not self._store.advance(sequence, seen, last):
            return False
        held: dict[str, int] = getattr(self._here, "values", {})
        self._here.values = {**held, sequence.token: last}
        return True

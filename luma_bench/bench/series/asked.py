"""Who asks for a relation about series, of which snapshot, with which parameters; and what is kept between statements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from luma_bench.bench.ask import Ask
from luma_bench.models.graph.memo import Memo
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.scan import ScanCounters

if TYPE_CHECKING:
    from luma_bench.bench.binding import Binder

_INDEX_BYTES = 256 << 20
_ANSWERS_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """What statements about series leave for later ones, under a byte budget each.

    Attributes
    ----------
    index
        The runs of immutable stored chunks; see `SeriesIndex`.
    answers
        Values of constants, types of inputs, and what a WHERE becomes in a scan.
    """

    index: Memo = field(default_factory=lambda: Memo(_INDEX_BYTES))
    answers: Memo = field(default_factory=lambda: Memo(_ANSWERS_BYTES))

    @classmethod
    def within(cls, memory: int) -> Kept:
        """What fits a machine, or a setting, of so many bytes: the index takes a sixteenth of it at most."""
        return cls(Memo(min(_INDEX_BYTES, memory // 16)))


@dataclass(frozen=True, slots=True)
class Asked:
    """Given to everything that reads the inputs of a construct; `binder` runs SQL."""

    binder: Binder
    view: ResolvedSnapshot
    ask: Ask
    counters: ScanCounters
    kept: Kept = field(default_factory=Kept)

    @property
    def lasting(self) -> bool:
        """Whether what is known of names at this view holds for later statements: nothing is the caller's own."""
        return not self.ask.tables and self.ask.view is None and not self.ask.uncommitted

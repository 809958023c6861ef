"""The fingerprints of a notebook's answers, as they go into the metadata of its outputs."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from luma_bench.bench.display import plan_text
from luma_bench.notebook.pinned.fingerprint import MOST_VALUES, fingerprint, statement_digest
from luma_bench.notebook.pinned.order import order_of
from luma_bench.notebook.pinned.pin import METADATA

if TYPE_CHECKING:
    from luma_bench.bench.result import Result
    from luma_bench.notebook.pinned.pins import Pins


class Recorder:
    """Makes each answer's fingerprint once, when it is shown."""

    __slots__ = ("_asked", "_made", "_pins")

    def __init__(self, pins: Pins) -> None:
        self._pins = pins
        self._asked: weakref.WeakKeyDictionary[Result, str] = weakref.WeakKeyDictionary()
        self._made: weakref.WeakKeyDictionary[Result, dict[str, Any]] = weakref.WeakKeyDictionary()

    def asked(self, result: Result, text: str, params: Mapping[str, object]) -> None:
        """Remember the cell's text and parameters that gave an answer."""
        self._asked[result] = statement_digest(text, params)

    def metadata(self, result: Result) -> dict[str, Any]:
        """What goes into the output's metadata; nothing for a printed plan, whose figures change with every run."""
        found = self._made.get(result)
        if found is None:
            found = self._made[result] = self._read(result)
        return found

    def _read(self, result: Result) -> dict[str, Any]:
        table = result.to_arrow()
        if plan_text(table) is not None or not table.num_columns:
            return {}
        made = fingerprint(
            table,
            statement=self._asked.get(result) or statement_digest(result.text, None),
            snapshot=result.run.snapshot,
            order=order_of(result.text, table.column_names),
            # Who pins a notebook wants every answer to be comparable, whatever reading it again costs.
            most_values=None if self._pins.reading else MOST_VALUES,
        )
        return {METADATA: made.to_json()}

"""What the editing services answer: completions, hover texts, problems with their fixes.

Offsets are Python code points into the text that was asked about, half-open. `to_json` turns an answer into plain values;
its argument maps an offset to the units that the reader counts in, such as UTF-16.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "info", "hint"]
"""How much a problem matters: an error will not run; a hint is only an offer."""

Offsets = Callable[[int], int]
"""Maps an offset in code points to one in other units."""


def _same(offset: int) -> int:
    return offset


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that may be written at the cursor.

    Attributes
    ----------
    text
        What to write, quoted where KadeQL needs it.
    kind
        `table`, `view`, `table-variable`, `graph`, `cte`, `alias`, `column`, `field`, `function`, `table-function`, `keyword`,
        `option`, `value`, `snapshot`, `tag`, `parameter`, `label`, `property`, `type`, `condition` (of a join) or `command`.
    detail
        A type or signature, for the same line.
    doc
        A sentence or more, as plain text.
    """

    text: str
    kind: str
    detail: str = ""
    doc: str = ""

    def to_json(self) -> dict[str, str]:
        """The item as plain values."""
        return {"text": self.text, "kind": self.kind, "detail": self.detail, "doc": self.doc}


@dataclass(frozen=True, slots=True)
class Completion:
    """What may stand from `start` to `stop` of the text, the likely things first."""

    start: int
    stop: int
    items: tuple[Item, ...] = ()

    def to_json(self, at: Offsets = _same) -> dict[str, Any]:
        """`from`, `to` and `items` as plain values."""
        return {"from": at(self.start), "to": at(self.stop), "items": [item.to_json() for item in self.items]}


@dataclass(frozen=True, slots=True)
class Hover:
    """What is known of the name or word from `start` to `stop`, as Markdown."""

    start: int
    stop: int
    markdown: str

    def to_json(self, at: Offsets = _same) -> dict[str, Any]:
        """`from`, `to` and `markdown` as plain values."""
        return {"from": at(self.start), "to": at(self.stop), "markdown": self.markdown}


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that mends a problem: `text` instead of what stands from `start` to `stop`."""

    label: str
    start: int
    stop: int
    text: str

    def to_json(self, at: Offsets = _same) -> dict[str, Any]:
        """`label`, `from`, `to` and `text` as plain values."""
        return {"label": self.label, "from": at(self.start), "to": at(self.stop), "text": self.text}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong, or worth a look, from `start` to `stop`; `hint` says what to do, `fixes` do it."""

    start: int
    stop: int
    severity: Severity
    message: str
    hint: str = ""
    fixes: tuple[Fix, ...] = ()

    def to_json(self, at: Offsets = _same) -> dict[str, Any]:
        """`from`, `to`, `severity`, `message`, `hint` and `fixes` as plain values."""
        return {
            "from": at(self.start),
            "to": at(self.stop),
            "severity": self.severity,
            "message": self.message,
            "hint": self.hint,
            "fixes": [fix.to_json(at) for fix in self.fixes],
        }

    def shifted(self, by: int) -> Problem:
        """The same problem in a text that has `by` more code points before it."""
        fixes = tuple(Fix(fix.label, fix.start + by, fix.stop + by, fix.text) for fix in self.fixes)
        return Problem(self.start + by, self.stop + by, self.severity, self.message, self.hint, fixes)

"""A question of the tour's notebooks on graphs and series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TourQuestion:
    """One question: its KadeQL text, its parameters, and what to mind.

    Attributes
    ----------
    trap
        Markdown, two or three sentences.
    """

    number: int
    title: str
    trap: str
    text: str
    params: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def cell(self) -> str:
        """The question as a cell of a notebook."""
        params = f" --params {dict(self.params)!r}" if self.params else ""
        return f"%%kadeql --limit 25{params}\n{self.text}"

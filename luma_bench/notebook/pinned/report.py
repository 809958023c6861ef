"""What `verify` found: each cell that has an answer, and whether another run gave the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from luma_bench.bench import display
from luma_bench.bench.grid import count_text

Status = Literal["equal", "changed", "failed", "unclear", "writes", "left out", "not run"]
Outcome = Literal["equal", "differs", "incomplete"]

_MARKS: dict[Status, str] = {
    "equal": "=", "changed": "≠", "failed": "✗", "unclear": "?", "writes": "✎", "left out": "·", "not run": "·",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CellReport:
    """One cell.

    Attributes
    ----------
    number
        The cell's place among all cells, from 1.
    source
        Its first line that says something.
    status
        `unclear` is a cell of whose answer not enough was kept, `writes` one that writes to a bench that is only read here,
        `left out` one that a tag excludes, `not run` one that comes after a failure, or after one that writes.
    answers
        How many answers were compared.
    details
        What changed, or the error.
    """

    number: int
    source: str
    status: Status
    answers: int = 0
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A notebook that was run again.

    Attributes
    ----------
    notebook
        Its file's name.
    reading
        What it read, in words.
    cells
        Those that have answers, or failed.
    environment
        What of the environment is not as it was when the notebook was pinned.
    notes
        What else its reader should know.
    elapsed
        Seconds.
    """

    notebook: str
    reading: str
    cells: tuple[CellReport, ...]
    environment: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    elapsed: float = 0.0

    @property
    def answers(self) -> int:
        """How many answers were compared."""
        return sum(cell.answers for cell in self.cells)

    @property
    def ok(self) -> bool:
        """Whether there was something to compare, and all of it is equal."""
        return self.outcome == "equal"

    @property
    def outcome(self) -> Outcome:
        """`differs` where an answer changed, a cell failed or nothing could be compared, `incomplete` where only some could."""
        found = {cell.status for cell in self.cells}
        if {"changed", "failed"} & found:
            return "differs"
        if {"unclear", "writes", "not run"} & found:
            return "incomplete"
        return "equal" if self.answers else "differs"

    @property
    def summary(self) -> str:
        """The report in one line."""
        counts = {
            status: sum(cell.status == status for cell in self.cells)
            for status in ("changed", "failed", "unclear", "writes", "not run")
        }
        if not self.answers and not (counts["failed"] or counts["writes"]):
            return f"{self.notebook}: there is no saved answer to compare with. Run the notebook and save it, then verify it."
        counts["writing"] = counts.pop("writes")
        said = [f"{number} {status}" for status, number in counts.items() if number]
        found = f"{', '.join(said)} of {count_text(len(self.cells), 'cell')}" if said else "all equal"
        return f"{self.notebook}: {count_text(self.answers, 'answer')} compared, {found} ({self.reading}, {self.elapsed:.1f} s)."

    def text(self) -> str:
        """The report for a terminal: the summary, then each cell."""
        lines = [self.summary]
        for cell in self.cells:
            lines.append(
                f"{_MARKS[cell.status]} cell {cell.number}  {cell.status:<8}  {display.one_line(cell.source)}"
            )
            lines += [f"    {display.one_line(detail)}" for detail in cell.details]
        lines += [f"! {display.one_line(note)}" for note in self._cautions()]
        return "\n".join(lines)

    def html(self) -> str:
        """The report for a notebook, without the wrapper that carries its style."""
        rows = "".join(
            f'<tr><td class="luma-right">{cell.number}</td><td class="luma-left">{_MARKS[cell.status]} {cell.status}</td>'
            f'<td class="luma-left">{_shown(cell.source)}</td>'
            f'<td class="luma-left">{"<br>".join(_shown(detail) for detail in cell.details)}</td></tr>'
            for cell in self.cells
        )
        heads = "".join(
            f'<th class="luma-left" scope="col">{name}</th>'
            for name in ("cell", "now", "question", "what changed")
        )
        table = f'<table class="luma-table"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        body = (
            f'<div class="luma-scroll" tabindex="0" role="group" aria-label="Pinned cells">{table}</div>'
            if rows
            else ""
        )
        notes = "".join(display.caution_html(display.one_line(note)) for note in self._cautions())
        return f"<div>{_shown(self.summary)}</div>{body}{notes}"

    def to_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            **asdict(self),
            "ok": self.ok,
            "outcome": self.outcome,
            "answers": self.answers,
            "summary": self.summary,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """What `to_json` made."""
        cells = tuple(
            CellReport(one["number"], one["source"], one["status"], one["answers"], tuple(one["details"]))
            for one in data["cells"]
        )
        return cls(
            data["notebook"], data["reading"], cells, tuple(data["environment"]), tuple(data["notes"]), data["elapsed"]
        )  # fmt: skip

    def _cautions(self) -> list[str]:
        apart = [f"Another environment than the notebook was pinned with: {', '.join(self.environment)}."]
        writes = [
            f"Cell {cell.number} writes to a bench that is only read here, so what it and the cells after it answer was not compared."
            for cell in self.cells
            if cell.status == "writes"
        ]
        return [*(apart if self.environment else []), *writes, *self.notes]


def _shown(value: str) -> str:
    return display.escaped(display.one_line(value))

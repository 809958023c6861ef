"""How the notebook shows what is not a result's table: badges, status, run records, snapshots."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.bench import display
from luma_bench.bench.grid import count_text
from luma_bench.types.record import bytes_text, seconds_text

if TYPE_CHECKING:
    from luma_bench.bench.result import Result
    from luma_bench.types.record import RunRecord, Snapshot


class Panel:
    """Something to read, as text and as HTML."""

    __slots__ = ("html", "text")

    def __init__(self, text: str, html: str) -> None:
        self.text = text
        self.html = html

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return display.wrapped(self.html)

    @property
    def bundle(self) -> dict[str, str]:
        """Both forms by their media types."""
        return {"text/plain": self.text, "text/html": self._repr_html_()}


def terminal_width(shell: object) -> int:
    """The width of text output: the terminal's in a terminal, a page's in a notebook."""
    if type(shell).__name__ == "TerminalInteractiveShell":
        return shutil.get_terminal_size().columns
    return display.WIDTH


def bundle(result: Result, limit: int | None, width: int) -> dict[str, str]:
    """The two forms in which a front end may show a result."""
    text = display.text(result, 10 if limit is None else limit, width)
    html = display.html(result, 10 if limit is None else limit)
    return {"text/plain": text, "text/html": html}


def _nodes_panel(run: RunRecord, width: int | None) -> Panel:
    if not run.nodes:
        return Panel("", "")
    nodes = display.nodes_table(run)
    return Panel(
        f"Nodes\n{display.table_text(nodes, None, width)}",
        f'<div class="luma-heading">Nodes</div>{display.table_html(nodes, None)}',
    )


def run_panel(run: RunRecord, width: int) -> Panel:
    """A run record: its figures by name, then its nodes."""
    estimates = ", ".join(f"{engine} {seconds_text(value)}" for engine, value in run.estimates.items())
    facts = {
        "engine": run.engine,
        "reason": run.reason,
        "snapshot": str(run.snapshot),
        "elapsed": seconds_text(run.elapsed) + (" (cached)" if run.cached else ""),
        "rows_out": f"{run.rows_out:,}",
        "rows_read": f"{run.rows_read:,}",
        "bytes_read": bytes_text(run.bytes_read),
        "segments": f"{run.segments_read:,} read, {run.segments_pruned:,} pruned",
        "chunks": f"{run.chunks_read:,} read, {run.chunks_pruned:,} pruned",
        **({"estimates": estimates} if estimates else {}),
    }
    lines = [f"{name:<10}  {display.one_line(value)}" for name, value in facts.items()]
    lines += [f"! {display.one_line(line)}" for line in display.cautions(run)]
    grid = "".join(
        f"<div>{name}</div><div>{display.escaped(display.one_line(value))}</div>"
        for name, value in facts.items()
    )
    cautions = "".join(display.caution_html(line) for line in display.cautions(run))
    nodes = _nodes_panel(run, width)
    text = "\n".join([*lines, *(["", nodes.text] if nodes.text else [])])
    return Panel(text, f'<div class="luma-facts">{grid}</div>{cautions}{nodes.html}')


def snapshot_panel(snapshot: Snapshot) -> Panel:
    """One line for a snapshot, such as a write gives."""
    parts = [
        f"snapshot {snapshot.id}",
        f"{snapshot.operation} {', '.join(snapshot.tables)}".rstrip(),
        snapshot.time.isoformat(" ", "seconds"),
        snapshot.author,
        snapshot.message,
        f"tags: {', '.join(snapshot.tags)}" if snapshot.tags else "",
    ]
    return line_panel(display.one_line(" · ".join(part for part in parts if part)))


def bound_panel(name: str, result: Result) -> Panel:
    """One line for a result that went into a variable."""
    size = f"{count_text(len(result), 'row')} × {count_text(len(result.schema), 'column')}"  # noqa: RUF001
    lead = f"{name} = {size}"
    lines = "\n".join(
        [f"{lead} · {result.run.badge}", *(f"! {line}" for line in display.cautions(result.run))]
    )
    return Panel(lines, display.badge_html(result.run, lead))


def caution_panel(lines: Sequence[str]) -> Panel:
    """Warnings that belong to no run record."""
    return Panel(
        "\n".join(f"! {line}" for line in lines), "".join(display.caution_html(line) for line in lines)
    )


def line_panel(line: str) -> Panel:
    """One line of plain text."""
    return Panel(line, f"<div>{display.escaped(line)}</div>")


def table_panel(heading: str, columns: dict[str, Any], limit: int | None = None) -> Panel:
    """A heading over a small table."""
    table = pa.table(columns)
    body = display.table_text(table, limit)
    return Panel(
        f"{heading}\n{body}",
        f'<div class="luma-heading">{display.escaped(heading)}</div>{display.table_html(table, limit)}',
    )

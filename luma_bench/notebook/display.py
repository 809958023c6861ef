"""How the notebook shows what is not a result's table: badges, errors, status, profiles."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.bench import display
from luma_bench.bench.grid import count_text
from luma_bench.errors import KadeQLError, LumaError

if TYPE_CHECKING:
    from luma_bench.bench.result import Result

# Red marks the kind only: front ends put errors on red, where colours are hard to read.
_RED, _BOLD, _END = "\x1b[31m", "\x1b[1m", "\x1b[0m"


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


def terminal_width(shell: object) -> int:
    """The width of text output: the terminal's in a terminal, a page's in a notebook."""
    if type(shell).__name__ == "TerminalInteractiveShell":
        return shutil.get_terminal_size().columns
    return display.WIDTH


def bundle(result: Result, limit: int | None, width: int, profile: bool) -> dict[str, str]:
    """The two forms in which a front end may show a result."""
    text = display.text(result, 10 if limit is None else limit, width)
    html = display.html(result, 10 if limit is None else limit)
    if profile:
        told = profile_panel(result, width)
        text, html = f"{text}\n\n{told.text}", f"{html}{told._repr_html_()}"
    return {"text/plain": text, "text/html": html}


def profile_panel(result: Result, width: int) -> Panel:
    """The plan that ran, and its nodes with estimated and actual figures."""
    plan = result.explain()
    text, html = f"Plan\n{plan}", f'<div class="luma-heading">Plan</div>{display.plan_html(plan)}'
    if result.run.nodes:
        nodes = display.nodes_table(result.run)
        text += f"\n\nNodes\n{display.table_text(nodes, None, width)}"
        html += f'<div class="luma-heading">Nodes</div>{display.table_html(nodes, None)}'
    return Panel(text, html)


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


def without_traceback[E: LumaError](error: E) -> E:
    """The error, told to IPython as its message, caret and hint instead of a Python traceback.

    IPython asks an exception for `_render_traceback_`; what it returns goes into the error output, so that the cell
    still fails, in a notebook that is executed without a reader too.
    """
    lines = error_lines(error)
    error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]
    return error


def error_lines(error: LumaError) -> list[str]:
    """An error in ANSI colours: what happened, the caret under the place, what to do."""
    first, *rest = error.message.split("\n")
    kind = "KadeQL error" if isinstance(error, KadeQLError) else type(error).__name__
    lines = [f"{_RED}{kind}{_END}: {_BOLD}{display.one_line(first)}{_END}"]
    lines += [
        f"{_BOLD}{line}{_END}"
        if line.strip(" \t^") == "" and "^" in line
        else display.one_line(line, tabs=True)
        for line in rest
    ]
    if error.hint:
        lines += [display.one_line(line) for line in error.hint.split("\n")]
    return lines

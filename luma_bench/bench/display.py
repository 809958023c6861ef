"""A result as people see it: compact text, and compact HTML without scripts that fits light and dark themes.

Both show the first rows, the types under the names, NULL apart from text, the size, and the run's badge with its warnings.
Everything from outside — names, values, reasons, warnings — is escaped.
"""

from __future__ import annotations

import html as markup
from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa

from luma_bench.bench.cells import Cell, visible
from luma_bench.bench.grid import Grid, GridColumn, count_text, make_grid
from luma_bench.bench.result import narrowed
from luma_bench.bench.style import STYLE
from luma_bench.types.record import RunRecord, seconds_text

WIDTH = 120
"""Characters of a line of text output before columns are left out."""
_LONGEST = (80, 40, 24)


class Answered(Protocol):
    """What a display needs of a result."""

    @property
    def run(self) -> RunRecord:
        """What ran."""
        ...

    def to_arrow(self) -> pa.Table:
        """The rows."""
        ...


def text(result: Answered, limit: int | None = 10, width: int | None = WIDTH) -> str:
    """A result as plain text.

    Parameters
    ----------
    result
        A finished result.
    limit
        Rows to show; None for all.
    width
        Characters of a line; columns in the middle are left out to keep to it. None for no limit.
    """
    table = narrowed(result.to_arrow())
    plan = plan_text(table)
    body = plan if plan is not None else table_text(table, limit, width)
    return "\n".join([*([body] if body else []), *notes(result.run)])


def html(result: Answered, limit: int | None = 10) -> str:
    """A result as one HTML fragment with its own scoped style; the same rows as `text`."""
    table = narrowed(result.to_arrow())
    plan = plan_text(table)
    body = plan_html(plan) if plan is not None else table_html(table, limit)
    return wrapped(body + badge_html(result.run))


def titled_text(result: Answered, title: str) -> str:
    """The rows of a result as plain text under a title that says their size."""
    shown = table_text(narrowed(result.to_arrow()), sized=False)
    return "\n".join([title, shown, *notes(result.run)])


def titled_html(result: Answered, title: str) -> str:
    """The rows of a result as HTML under a title that says their size."""
    shown = table_html(narrowed(result.to_arrow()), sized=False)
    return wrapped(f"<p>{escaped(title)}</p>{shown}{badge_html(result.run)}")


def notes(run: RunRecord) -> list[str]:
    """The lines under a result: the badge, then what the reader must know."""
    return [run.badge, *(f"! {line}" for line in cautions(run))]


def cautions(run: RunRecord) -> list[str]:
    """Fallbacks, approximation and warnings of a run, a sentence each."""
    lines = [f"Fell back: {line}" for line in run.fallbacks]
    if run.recall is not None:
        lines.append(f"Approximate: measured recall {run.recall:.3f}.")
    return [*lines, *(line for line in run.warnings if line not in run.fallbacks)]


def plan_text(table: pa.Table) -> str | None:
    """The printed plan when a table is the answer to EXPLAIN, else None."""
    if table.column_names != ["explain_key", "explain_value"]:
        return None
    return "\n".join(str(value).rstrip() for value in table.column(1).to_pylist())


# --- text ---


def table_text(
    table: pa.Table, limit: int | None = 10, width: int | None = WIDTH, *, sized: bool = True
) -> str:
    """A table as aligned text: names, types, rows, and its size unless a title says it.

    To keep to `width`, long values are cut first, then middle columns are left out; numbers and times are never cut.
    """
    if not table.num_columns:
        return ""
    if width is None:
        grid = make_grid(table, limit, None, None)
        return _lines(grid, [_text_column(column) for column in grid.columns], sized)
    *roomy, tightest = (min(longest, width) for longest in _LONGEST)
    for longest in roomy:
        grid = make_grid(table, limit, long_text=longest)
        columns = _with_gap(grid, [_text_column(column) for column in grid.columns])
        if _line_width(columns) <= width:
            return _lines(grid, columns, sized)
    grid = make_grid(table, limit, long_text=tightest)
    columns = [_text_column(column) for column in grid.columns]
    count = len(columns)
    while count > 1 and _line_width(_with_gap(grid.narrowed(count), columns)) > width:
        count -= 1
    return _lines(grid, _with_gap(grid.narrowed(count), columns), sized)


def _lines(grid: Grid, columns: Sequence[list[str]], sized: bool) -> str:
    lines = [" │ ".join(parts).rstrip() for parts in zip(*columns, strict=True)]
    lines.insert(2, "─┼─".join("─" * cell_width(column[0]) for column in columns))
    return "\n".join([*lines, tail_text(grid)] if sized else lines)


def cell_width(value: str) -> int:
    """The columns of a terminal that a text takes: two for wide characters, none for combining ones."""
    if value.isascii():
        return len(value)
    from rich.cells import cell_len

    return cell_len(value)


def tail_text(grid: Grid) -> str:
    """The line under a table: how many rows are not shown, and its size."""
    more = grid.total_rows - grid.rows
    return f"… {count_text(more, 'more row')} ({grid.size})" if more else f"({grid.size})"


def _text_column(column: GridColumn) -> list[str]:
    values = [column.shown_name, column.type, *(cell.text for cell in column.cells)]
    width = max(cell_width(value) for value in values)
    return [_padded(value, width, column.right) for value in values]


def one_line(value: str, *, tabs: bool = False) -> str:
    """Text with control and bidirectional characters as escapes; tabs may stay, for a line with a caret under it."""
    return "\t".join(visible(part) for part in value.split("\t")) if tabs else visible(value)


def _padded(value: str, width: int, right: bool) -> str:
    space = " " * (width - cell_width(value))
    return space + value if right else value + space


def _with_gap(grid: Grid, columns: Sequence[list[str]]) -> list[list[str]]:
    """The padded columns that a narrowed grid keeps, with an ellipsis where it leaves some out."""
    if grid.gap is None:
        return list(columns)
    last = len(grid.columns) - grid.gap
    return [*columns[: grid.gap], ["…"] * len(columns[0]), *(columns[len(columns) - last :] if last else [])]


def _line_width(columns: Sequence[list[str]]) -> int:
    return sum(cell_width(column[0]) for column in columns) + 3 * (len(columns) - 1)


# --- HTML ---


def wrapped(body: str) -> str:
    """A fragment inside the class that scopes its style; dollar signs in it are data, which MathJax must not typeset."""
    return f'<div class="luma-result mathjax_ignore tex2jax_ignore">{STYLE}{body}</div>'


def table_html(table: pa.Table, limit: int | None = 10, *, sized: bool = True) -> str:
    """A table as HTML, without the wrapper that carries its style; its size under it unless a title says it."""
    if not table.num_columns:
        return ""
    grid = make_grid(table, limit)
    # A block of its own parts the name from the type where a page takes the style away.
    heads = [
        f'<th class="{_side(column)}" scope="col"><div>{_shown(column.shown_name)}</div><small>{escaped(column.type)}</small></th>'
        for column in grid.columns
    ]
    columns = [[_td(cell, column) for cell in column.cells] for column in grid.columns]
    if grid.gap is not None:
        heads.insert(
            grid.gap, f'<th class="luma-gap" title="{count_text(grid.hidden, "column")} not shown">…</th>'
        )
        columns.insert(grid.gap, ['<td class="luma-gap">…</td>'] * grid.rows)
    rows = "".join(f"<tr>{''.join(parts)}</tr>" for parts in zip(*columns, strict=True))
    if not grid.total_rows:
        rows = f'<tr><td class="luma-none" colspan="{len(heads)}">no rows</td></tr>'
    more = grid.total_rows - grid.rows
    tail = f"<b>… {count_text(more, 'more row')}</b> · " if more else ""
    left_out = f" · <b>{count_text(grid.hidden, 'column')} not shown</b>" if grid.hidden else ""
    body = f'<div class="luma-scroll" tabindex="0" role="group" aria-label="Rows"><table class="luma-table"><thead><tr>{"".join(heads)}</tr></thead><tbody>{rows}</tbody></table></div>'
    said = f"{tail}{grid.size}{left_out}" if sized else left_out.removeprefix(" · ")
    return f'{body}<div class="luma-size">{said}</div>' if said else body


def badge_html(run: RunRecord, lead: str = "") -> str:
    """The badge line and the cautions under it; `lead` is plain text in front."""
    rest = run.badge.removeprefix(run.engine).lstrip()
    front = f"<code>{escaped(lead)}</code> " if lead else ""
    # A line that is too long breaks between its parts, never between a number and its unit.
    parts = " · ".join(f'<span class="luma-part">{escaped(part)}</span>' for part in rest.split(" · "))
    line = (
        f'<div class="luma-badge">{front}<span class="luma-engine">{escaped(run.engine)}</span> {parts}</div>'
    )
    return line + "".join(caution_html(caution) for caution in cautions(run))


def caution_html(line: str) -> str:
    """One line that the reader must not miss."""
    return f'<div class="luma-caution">{escaped(line)}</div>'


def plan_html(plan: str) -> str:
    """A printed plan."""
    return f'<pre class="luma-plan">{escaped(plan)}</pre>'


def nodes_table(run: RunRecord) -> pa.Table:
    """The run record's plan nodes as a table: estimated and actual rows, bytes, time; figures that no node has are left out."""
    table = pa.table(
        {
            "node": pa.array([node.name for node in run.nodes], pa.string()),
            "engine": pa.array([node.engine for node in run.nodes], pa.string()),
            "rows_estimated": pa.array([node.rows_estimated for node in run.nodes], pa.int64()),
            "rows": pa.array([node.rows for node in run.nodes], pa.int64()),
            "bytes": pa.array([node.nbytes for node in run.nodes], pa.int64()),
            "time": pa.array(
                [None if node.elapsed is None else seconds_text(node.elapsed) for node in run.nodes],
                pa.string(),
            ),
            "detail": pa.array([node.detail or None for node in run.nodes], pa.string()),
        }
    )
    known = [name for name in table.column_names if table.column(name).null_count < table.num_rows]
    return table.select(known)


def _td(cell: Cell, column: GridColumn) -> str:
    if cell.null:
        return f'<td class="{_side(column)} luma-null">NULL</td>'
    title = f' title="{escaped(cell.full)}"' if cell.full is not None else ""
    return f'<td class="{_side(column)}"{title}>{_shown(cell.text)}</td>'


def _side(column: GridColumn) -> str:
    return "luma-right" if column.right else "luma-left"


def _shown(value: str) -> str:
    # <bdi> keeps right-to-left text from reordering what stands beside it.
    return escaped(value) if value.isascii() else f"<bdi>{escaped(value)}</bdi>"


def escaped(value: str) -> str:
    """Text made safe for HTML, inside of attributes too."""
    return markup.escape(value, quote=True)

"""A view's rows as a file, a variable, a KadeQL text, or tab separated text for the clipboard."""

from __future__ import annotations

import keyword
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.bench.cells import column_cells
from luma_bench.errors import ResourceError, UnsupportedError
from luma_bench.notebook.grid.columns import GridColumn
from luma_bench.notebook.grid.pages import rows_at
from luma_bench.notebook.grid.requests import Export
from luma_bench.notebook.grid.views import RowView, column_at

if TYPE_CHECKING:
    from luma_bench.bench.result import Result

MOST_CELLS = 1_000_000
"""Values that go to the clipboard at once."""
MOST_TEXT = 16 << 20
"""Characters that do."""
_ENDINGS = {"csv": ".csv", "parquet": ".parquet", "arrow": ".arrow"}


def exported(
    result: Result,
    columns: Sequence[GridColumn],
    view: RowView,
    asked: Export,
    variables: MutableMapping[str, Any],
) -> dict[str, Any]:
    """Do it, and say where the rows are.

    Raises
    ------
    UnsupportedError
        The name is none, or taken; the result cannot be asked for by a text.
    ResourceError
        It is more than a clipboard should hold.
    LumaError
        The file cannot be written.
    """
    if asked.to == "kadeql":
        from luma_bench.notebook.grid.as_text import view_text

        return {"text": view_text(result.text, columns, view.asked), "rows": view.count}
    start, stop = asked.rows or (0, view.count)
    start, stop = min(start, view.count), min(stop, view.count)
    chosen = [column_at(columns, index) for index in asked.columns or range(len(columns))]
    if asked.to == "clipboard":
        cells = max(0, stop - start) * len(chosen)
        if cells > MOST_CELLS:
            raise ResourceError(
                f"{cells:,} values are too many for the clipboard.",
                hint=f"Mark fewer than {MOST_CELLS:,}, or export a file.",
            )
    table = chosen_rows(result.to_arrow(), chosen, view, start, stop)
    if asked.to == "clipboard":
        return {"text": tab_separated(table, header=asked.header), "rows": table.num_rows}
    if asked.to == "variable":
        name = _bound(result, table, asked, variables)
        return {"name": name, "rows": table.num_rows}
    from luma_bench.engines.duck_export import FileWriter

    path = Path(asked.path or asked.name or f"result{_ENDINGS[asked.to]}").expanduser()
    if not path.suffix:
        path = path.with_suffix(_ENDINGS[asked.to])
    path = path.absolute()
    if path.exists() and not asked.replace:
        raise UnsupportedError(
            f"There is a file {path.name!r} in {path.parent} already.",
            hint="Choose another name, or replace it.",
        )
    written = FileWriter().write(table.to_reader(), path, asked.to)
    return {"path": str(path), "rows": written}


def chosen_rows(
    table: pa.Table, chosen: Sequence[GridColumn], view: RowView, start: int, stop: int
) -> pa.Table:
    """Rows `start` to `stop` of a view, of some columns in their order."""
    part = table.select([column.index for column in chosen])
    rows = view.rows(start, stop)
    return part.slice(start, max(0, stop - start)) if rows is None else rows_at(part, rows)


def tab_separated(table: pa.Table, *, header: bool) -> str:
    """Whole values with tabs between them, a line a row: what spreadsheets paste."""
    from luma_bench.bench.cells import visible

    texts = [
        ["" if cell.null else cell.text for cell in column_cells(column, None)] for column in table.columns
    ]
    lines = ["\t".join(row) for row in zip(*texts, strict=True)]
    if header:
        lines.insert(0, "\t".join(visible(name) for name in table.column_names))
    text = "\n".join(lines)
    if len(text) > MOST_TEXT:
        raise ResourceError(
            f"{len(text):,} characters are too many for the clipboard.",
            hint="Mark fewer rows, or export a file.",
        )
    return text


def _bound(result: Result, table: pa.Table, asked: Export, variables: MutableMapping[str, Any]) -> str:
    """The rows as a Result under a name of the notebook."""
    from luma_bench.bench.result import Result as Made

    name = asked.name or ""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UnsupportedError(f"{name!r} is no name of a variable.", hint="Give letters, digits and _.")
    if name in variables and not asked.replace:
        raise UnsupportedError(
            f"There is a variable {name!r} already.", hint="Choose another name, or replace it."
        )
    made = Made(table, result.run, result.text)
    made._executor = result._executor
    variables[name] = made
    return name

"""The code of a chart: what a reader puts into a cell to draw it again, and to change it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from luma_bench.plot.charts.columns import SOURCE

_NAME = re.compile(r"[^\W\d]\w*\Z")


def code_of(
    text: str | None, source: str, options: Mapping[str, object], zones: Mapping[str, str] | None = None
) -> str:
    """Python that draws a chart.

    Parameters
    ----------
    text
        The question whose rows are drawn; None for the rows of the result.
    source
        What the result is called.
    options
        The arguments of `luma_bench.plot.chart`; those that are None or empty are left out.
    zones
        The zones that columns of moments are to be read in.
    """
    lines = ["from luma_bench.plot import chart", ""]
    rows = source if _NAME.match(source) else SOURCE
    given = [f"{name}={value!r}" for name, value in options.items() if value not in (None, "")]
    if text is not None:
        lines += ["rows = bench.kadeql(", *_literal(text), f"    tables={{{SOURCE!r}: {rows}}},", ")"]
        rows = "rows"
    if zones:
        lines[:1] = ["import pyarrow as pa", lines[0]]
        lines.append("rows = rows.to_arrow()")
        for name, zone in zones.items():
            cast = f"rows[{name!r}].cast(pa.timestamp('us', {zone!r}))"
            lines.append(f"rows = rows.set_column(rows.column_names.index({name!r}), {name!r}, {cast})")
    return "\n".join([*lines, f"chart({rows}, {', '.join(given)})"])


def _literal(text: str) -> list[str]:
    """A text as Python writes it: as it stands where that is possible."""
    plain = all(char.isprintable() or char == "\n" for char in text)
    if '"""' in text or "\\" in text or not plain:
        return [f"    {text!r},"]
    return ['    """', *(f"    {line}" for line in text.split("\n")), '    """,']

"""What a frame says of itself beside its rows: `info`, `memory_usage`, and its rows as text."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, cast

from luma_bench.errors import UnsupportedError
from luma_bench.frame.base import Frame
from luma_bench.frame.rows import python_columns
from luma_bench.plan.expressions import AggregateCall, ColumnRef
from luma_bench.plan.nodes import Aggregate

_COUNTED = 1_690_785
"""Rows up to which `info` counts values, as pandas does."""


class Telling(Frame):
    """A frame in words."""

    __slots__ = ()

    def info(
        self,
        verbose: bool | None = None,
        buf: Any = None,
        max_cols: int | None = None,
        memory_usage: bool | str | None = None,
        show_counts: bool | None = None,
    ) -> None:
        """Print the columns, their types, and how many values are not NULL.

        Parameters
        ----------
        verbose
            Whether columns are listed; by default up to `max_cols`, which is 100.
        buf
            An open text file to print to.
        memory_usage
            Whether to read all rows and say how much memory they take.
        show_counts
            Whether values are counted, which runs a query; by default up to 1,690,785 rows.

        Examples
        --------
        >>> lb.from_dict({"x": [1, None]}).info()
        lb.DataFrame, 2 rows ... 1 column
         #  Column  Non-Null Count  Dtype
         0  x       1 non-null      int64
        """
        rows = len(self)
        names = self.columns
        lines = [
            f"lb.DataFrame, {rows:,} row{'' if rows == 1 else 's'} \u00d7 {len(names)} column{'' if len(names) == 1 else 's'}"
        ]
        listed = verbose if verbose is not None else len(names) <= (max_cols or 100)
        if listed:
            counted = show_counts if show_counts is not None else rows <= _COUNTED
            counts = self._filled() if counted else None
            kinds = [str(field.type) for field in self.schema]
            head = ["#", "Column", *(["Non-Null Count"] if counts else []), "Dtype"]
            body = [
                [str(place), name, *([f"{counts[place]:,} non-null"] if counts else []), kind]
                for place, (name, kind) in enumerate(zip(names, kinds, strict=True))
            ]
            widths = [max(len(row[column]) for row in (head, *body)) for column in range(len(head))]
            lines += [
                (" " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
                for row in (head, *body)
            ]
        if memory_usage:
            lines.append(f"memory usage: {sum(self.memory_usage().values()):,} bytes")
        (buf or sys.stdout).write("\n".join(lines) + "\n")

    def _filled(self) -> list[int]:
        measures = tuple(
            (f"n{place}", AggregateCall("count", ColumnRef(name)))
            for place, name in enumerate(self._plan.names)
        )
        counted = self.with_plan(Aggregate(self._plan, (), measures)).to_arrow()
        return [column[0].as_py() for column in counted.columns]

    def memory_usage(self, index: bool = False, deep: bool = False) -> dict[str, int]:
        """The bytes that each column takes in memory as Arrow; reads all rows, a batch at a time.

        Examples
        --------
        >>> lb.from_dict({"x": [1, 2]}).memory_usage()
        {'x': 16}
        """
        if index:
            raise UnsupportedError(
                "memory_usage(index=True): a frame has no index.", hint="Leave index= out."
            )
        sizes = dict.fromkeys(self._plan.names, 0)
        for batch in self.to_reader():
            for name, column in zip(sizes, batch.columns, strict=True):
                sizes[name] += column.nbytes
        return sizes

    def to_string(
        self, buf: Any = None, *, columns: Sequence[str] | None = None, index: bool = False, **options: Any
    ) -> str | None:
        """The rows as text in columns, as pandas writes them: `options` are pandas' (`header`, `na_rep`, `max_rows`, …).

        Examples
        --------
        >>> print(lb.from_dict({"x": [1, 2], "t": ["a", "b"]}).to_string())
         x t
         1 a
         2 b
        """
        return self._by_pandas("to_string", buf, columns, index, options)

    def to_html(
        self, buf: Any = None, *, columns: Sequence[str] | None = None, index: bool = False, **options: Any
    ) -> str | None:
        """The rows as an HTML table, as pandas writes it; what stands in the rows is escaped.

        Examples
        --------
        >>> "<td>&lt;b&gt;</td>" in lb.from_dict({"t": ["<b>"]}).to_html()
        True
        """
        return self._by_pandas("to_html", buf, columns, index, options)

    def _by_pandas(
        self, method: str, buf: Any, columns: Sequence[str] | None, index: bool, options: dict[str, Any]
    ) -> str | None:
        if index:
            raise UnsupportedError(f"{method}(index=True): a frame has no index.", hint="Leave index= out.")
        frame = self if columns is None else cast("Any", self)[list(columns)]
        return getattr(frame.to_pandas(), method)(buf, index=False, **options)

    def to_markdown(self, buf: Any = None, *, index: bool = False) -> str | None:
        r"""The rows as a table of Markdown: numbers to the right, NULL as nothing.

        Examples
        --------
        >>> print(lb.from_dict({"x": [1, 20], "t": ["a", "b|c"]}).to_markdown())
        |  x | t    |
        | -: | :--- |
        |  1 | a    |
        | 20 | b\|c |
        """
        if index:
            raise UnsupportedError("to_markdown(index=True): a frame has no index.", hint="Leave index= out.")
        table = self.to_arrow()
        numbers = [_is_number(field.type) for field in table.schema]
        cells = [[_cell(value) for value in values] for values in python_columns(table)]
        names = [_cell(name) for name in table.column_names]
        widths = [max(map(len, (name, "---" if right is False else "-:", *values))) for name, right, values in zip(names, numbers, cells, strict=True)]  # fmt: skip

        def line(row: Sequence[str]) -> str:
            shown = [
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(row, widths, numbers, strict=True)
            ]
            return f"| {' | '.join(shown)} |"

        rules = [f"{'-' * (width - 1)}:" if right else f":{'-' * (width - 1)}" for width, right in zip(widths, numbers, strict=True)]  # fmt: skip
        text = "\n".join([line(names), line(rules), *map(line, zip(*cells, strict=True))])
        if buf is None:
            return text
        if hasattr(buf, "write"):
            buf.write(text)
            return None
        from pathlib import Path

        Path(buf).write_text(text, encoding="utf-8")
        return None


def _is_number(type_: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).replace("\\", "\\\\").replace("|", "\\|").replace("\r", " ").replace("\n", "<br>")

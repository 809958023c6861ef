"""Lists that commands print: snapshots and settings, in aligned columns."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from luma_bench import config
from luma_bench.bench.cells import visible
from luma_bench.types.record import Snapshot, bytes_text


def snapshot_lines(found: Sequence[Snapshot]) -> list[str]:
    """Snapshots as aligned lines, in the order given."""
    rows = [("id", "time", "operation", "tables", "author", "tags", "message")]
    rows += [
        (
            str(item.id), item.time.isoformat(" ", "seconds"), item.operation, ", ".join(item.tables), item.author,
            ", ".join(item.tags), item.message,
        )
        for item in found
    ]  # fmt: skip
    return aligned(rows)


def setting_lines(folder: Path | None) -> list[str]:
    """Every setting: its name, its value in force, and where that came from.

    Raises
    ------
    ConfigError
        A setting in `luma.toml` or the environment is wrong.
    """
    settings = config.load(folder)
    written = config.read_toml(folder).get("settings", {}) if folder is not None else {}
    rows = [("setting", "value", "from")]
    for field in fields(config.Settings):
        variable = f"LUMA_{field.name.upper()}"
        source = (
            variable
            if variable in os.environ
            else f"{folder / 'luma.toml'}"
            if folder is not None and field.name in written
            else "default"
        )
        value = getattr(settings, f"effective_{field.name}", getattr(settings, field.name))
        shown = f"{value} ({bytes_text(value)})" if field.name.endswith(("_bytes", "_limit")) else str(value)
        rows.append((field.name, shown or "(empty)", source))
    return aligned(rows)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines whose columns begin under each other, two spaces apart."""
    from luma_bench.bench.display import cell_width

    cells = [[visible(cell) for cell in row] for row in rows]
    widths = [max(cell_width(row[index]) for row in cells) for index in range(len(cells[0]))]
    return [
        "  ".join(
            cell + " " * (width - cell_width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    ]

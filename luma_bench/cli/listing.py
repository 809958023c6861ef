"""Lists that commands print: snapshots, settings, and what the machine has."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from luma_bench import config
from luma_bench.bench.cells import visible
from luma_bench.types.record import Snapshot, bytes_text

_LIBRARIES = (
    "luma-bench",
    "duckdb",
    "pyarrow",
    "zarr",
    "numcodecs",
    "pcodec",
    "sqlalchemy",
    "sqlglot",
    "numpy",
    "pandas",
    "polars",
)
_OPTIONAL = ("jupyterlab", "plotly", "distributed", "cudf-polars-cu13", "cudf-polars-cu12")


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


def doctor_lines() -> list[str]:
    """The machine, the libraries and the engines."""
    settings = config.load(None)
    rows = [
        ("python", f"{platform.python_version()} ({platform.system()} {platform.machine()})"),
        ("threads", str(settings.effective_threads)),
        ("memory for queries", bytes_text(settings.effective_memory_limit)),
        ("memory for decoded columns", bytes_text(settings.effective_pool_bytes)),
        *((name, _version(name) or "not installed") for name in _LIBRARIES),
        *((name, found) for name in _OPTIONAL if (found := _version(name))),
    ]
    return [*aligned(rows), "", *aligned([("engine", "can it run here"), *_engines()])]


def _engines() -> list[tuple[str, str]]:
    """The engines that this version has, each asked by starting it."""
    from luma_bench.engines.duck import DuckEngine

    engine = DuckEngine(config.load(None))
    try:
        return [(engine.name, "yes")]
    finally:
        engine.close()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


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

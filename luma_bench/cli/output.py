"""Results on standard output or into a file: a table for people, and formats for programs."""

from __future__ import annotations

import contextlib
import secrets
import sys
from collections.abc import Generator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.cli.session import UsageProblem

if TYPE_CHECKING:
    from luma_bench.bench.result import Result

FORMATS = ("table", "csv", "json", "ndjson", "parquet", "arrow")
BINARY = ("parquet", "arrow")
_SUFFIXES = {
    ".csv": "csv",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".txt": "table",
}
TERMINAL_ROWS = 40
"""Rows of a table that a terminal shows unless --limit says otherwise."""


def choose_format(given: str | None, output: Path | None) -> str:
    """The format asked for, else the one that the file's name says, else a table.

    Raises
    ------
    UsageProblem
        The format is unknown, or it is binary and would go to a terminal.
    """
    chosen = given or (_SUFFIXES.get(output.suffix.lower()) if output is not None else "table")
    if chosen is None or chosen not in FORMATS:
        raise UsageProblem(
            f"{f'--format {given}' if given else f'{output}: its name'} says no format.\nThe formats are: {', '.join(FORMATS)}."
        )
    if chosen in BINARY and output is None and sys.stdout.isatty():
        raise UsageProblem(
            f"{chosen} is binary and would garble the terminal.\nGive --output FILE, or pipe it into a program."
        )
    return chosen


def show(result: Result, form: str, output: Path | None, limit: int | None) -> None:
    """Write one result; a file appears whole or not at all.

    Parameters
    ----------
    result
        A finished result.
    form
        One of `FORMATS`.
    output
        A file, or None for standard output.
    limit
        Rows of a table to show; None for all, or for what suits a terminal.
    """
    if output is not None:
        with _whole_file(output) as stream:
            _write(result, form, stream, file=True, limit=limit)
    elif form == "table":
        _table(result, limit)
    else:
        _write(result, form, sys.stdout.buffer, file=False, limit=limit)
        sys.stdout.buffer.flush()


def _table(result: Result, limit: int | None) -> None:
    from luma_bench.bench import display
    from luma_bench.bench.result import narrowed

    table = narrowed(result.to_arrow())
    terminal = sys.stdout.isatty()
    plan = display.plan_text(table)
    if plan is not None:
        print(plan)
        return
    if not table.num_columns:
        return
    if not terminal:
        print(display.table_text(table, limit, None))
        return
    _terminal_table(table, TERMINAL_ROWS if limit is None else limit)


def _terminal_table(table: pa.Table, limit: int) -> None:
    """A table as wide as the terminal, its types and its size dimmed."""
    from rich.console import Console
    from rich.text import Text

    from luma_bench.bench.display import table_text

    console = Console(highlight=False)
    lines = table_text(table, limit, console.width).split("\n")
    styles = {0: "bold", 1: "dim", 2: "dim", len(lines) - 1: "dim"}
    for number, line in enumerate(lines):
        console.print(Text(line, style=styles.get(number, "")), overflow="ignore", no_wrap=True, crop=False)


def badge(result: Result) -> None:
    """The badge and the cautions, on standard error: for people at a terminal; cautions always."""
    from luma_bench.bench.display import cautions

    if sys.stderr.isatty():
        print(f"\x1b[2m{result.run.badge}\x1b[0m", file=sys.stderr)
    for line in cautions(result.run):
        print(f"! {line}", file=sys.stderr)


def _write(result: Result, form: str, stream: IO[bytes], *, file: bool, limit: int | None) -> None:
    table = result.to_arrow()
    match form:
        case "table":
            from luma_bench.bench.display import table_text
            from luma_bench.bench.result import narrowed

            stream.write((table_text(narrowed(table), limit, None) + "\n").encode())
        case "csv":
            from pyarrow import csv

            from luma_bench.cli.columns import csv_table

            csv.write_csv(csv_table(table), stream)
        case "json" | "ndjson":
            _write_json(table, stream, lines=form == "ndjson")
        case "parquet":
            import pyarrow.parquet as pq

            pq.write_table(table, stream, compression="zstd")
        case _:
            # The file format holds a footer for random access; a pipe is read once, from the front.
            opened = (
                pa.ipc.new_file(stream, table.schema) if file else pa.ipc.new_stream(stream, table.schema)
            )
            with opened as writer:
                writer.write_table(table)


def _write_json(table: pa.Table, stream: IO[bytes], *, lines: bool) -> None:
    import msgspec

    from luma_bench.cli.columns import json_columns

    encoder = msgspec.json.Encoder(decimal_format="number")
    names = _distinct(table.column_names)
    stream.write(b"" if lines else b"[")
    first = True
    for batch in table.to_batches(max_chunksize=10_000):
        rows = zip(*json_columns(batch), strict=True) if names else iter(())
        for row in rows:
            item: dict[str, Any] = dict(zip(names, row, strict=True))
            stream.write(b"" if lines or first else b",\n ")
            stream.write(encoder.encode(item) + (b"\n" if lines else b""))
            first = False
    stream.write(b"" if lines else b"]\n")


def _distinct(names: list[str]) -> list[str]:
    """Names as the keys of an object: the second `a` of an answer is `a_2`, since an object has each key once."""
    used: set[str] = set()
    for position, name in enumerate(names):
        count, key = 1, name
        while key in used or (count > 1 and key in names):
            count += 1
            key = f"{name}_{count}"
        used.add(key)
        names[position] = key
    return names


@contextlib.contextmanager
def _whole_file(path: Path) -> Generator[IO[bytes]]:
    """A file that takes its name when it is complete."""
    from luma_bench.engines.duck_export import replaceable

    path = replaceable(path)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as stream:
            yield stream
        part.replace(path)
    except FileNotFoundError as error:
        raise UsageProblem(
            f"{str(path)!r} cannot be written: there is no folder {str(path.parent)!r}."
        ) from error
    finally:
        with contextlib.suppress(NotADirectoryError):
            part.unlink(missing_ok=True)

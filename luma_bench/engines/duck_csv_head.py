"""The head of a CSV file of which some rows may be wrong: delimiter, header and names, where DuckDB's guess wants all rows right."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from luma_bench.engines.duck_csv import is_tsv
from luma_bench.errors import SchemaError

_DELIMITERS = (",", ";", "\t", "|")
_BYTES, _ROWS = 1 << 20, 200
_NO_NAME = re.compile(
    r"\s*([-+]?[\d.,]+([eE][-+]?\d+)?|true|false|null|nan|\d{4}-\d\d-\d\d.*)?\s*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Head:
    """What the first rows of a file say."""

    delimiter: str
    header: bool
    names: tuple[str, ...]


def read_head(path: Path, options: Mapping[str, Any], target: Sequence[str] = ()) -> Head:
    """Look at the first rows.

    Parameters
    ----------
    options
        The caller's, as `read_csv` names them; what they say is not guessed.
    target
        The names of the table's columns: a first row that has one of them is a header, and rows without a header have
        them in this order.

    Raises
    ------
    SchemaError
        Two columns have one name, or a name is empty.
    """
    lines = _lines(path, str(options.get("encoding", "utf-8")), int(options.get("skip", 0)))
    quote = str(options.get("quote", '"'))
    delimiter = str(options.get("delim") or ("\t" if is_tsv(path) else _delimiter(lines, quote)))
    first = next(_rows(lines, delimiter, quote), [])
    if "names" in options:
        names = [str(name) for name in options["names"]]
        names += [f"column{i}" for i in range(len(names), len(first))]
        return Head(delimiter, bool(options.get("header", False)), tuple(names))
    known = {name.casefold() for name in target}
    guess = bool(first) and (
        any(cell.strip().casefold() in known for cell in first)
        or not any(_NO_NAME.fullmatch(cell) for cell in first)
    )
    if not options.get("header", guess):
        names = list(target) if len(target) == len(first) else [f"column{i}" for i in range(len(first))]
        return Head(delimiter, False, tuple(names))
    seen: set[str] = set()
    for cell in first:
        if not cell.strip() or cell.casefold() in seen:
            problem = "a column has no name" if not cell.strip() else f"two columns are named {cell!r}"
            raise SchemaError(f"{path}, line 1: {problem}.", hint="Correct the header, or give names=[…].")
        seen.add(cell.casefold())
    return Head(delimiter, True, tuple(first))


def _lines(path: Path, encoding: str, skip: int) -> list[str]:
    with pa.input_stream(str(path), compression="detect") as stream:
        data = stream.read(_BYTES)
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    return text.splitlines(keepends=True)[skip : skip + 4 * _ROWS]


def _rows(lines: Sequence[str], delimiter: str, quote: str) -> Iterator[list[str]]:
    kept = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote or None, quoting=kept)
    return (row for row in reader if row)


def _delimiter(lines: Sequence[str], quote: str) -> str:
    """What gives the most of the first rows as many values as the first row has, and that one more than one."""
    best, found = (0.5, 1), ","
    for delimiter in _DELIMITERS:
        widths = [len(row) for row, _ in zip(_rows(lines, delimiter, quote), range(_ROWS), strict=False)]
        if widths and widths[0] > 1:
            score = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
            if score > best:
                best, found = score, delimiter
    return found

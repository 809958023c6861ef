"""What every command needs first: which bench, which snapshot, which parameters."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from luma_bench.errors import CatalogError, LumaError, TransactionError

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

VARIABLE = "LUMA_BENCH"
"""The environment variable that names the bench."""


class UsageProblem(Exception):
    """The command line itself is wrong: exit code 2."""


def bench_path(given: str | None) -> Path | str:
    """The bench that a command means, a folder or a URL: `--bench`, else `LUMA_BENCH`, else the one `*.luma` folder here.

    Raises
    ------
    UsageProblem
        None is named and the current folder holds none, or several.
    """
    named = given or os.environ.get(VARIABLE)
    if named:
        return named if "://" in named else Path(named).expanduser()
    here = sorted(path for path in Path().glob("*.luma") if path.is_dir())
    if len(here) == 1:
        return here[0]
    found = (
        f"there are {len(here)} (*.luma) here: {', '.join(path.name for path in here)}"
        if here
        else "there is none (*.luma) here"
    )
    raise UsageProblem(
        f"Which bench? No --bench is given, {VARIABLE} is not set, and {found}.\nGive --bench PATH, or set {VARIABLE}."
    )


def open_bench(
    path: Path | str, mode: Literal["a", "r"], *, create: bool = False, cluster: str | None = None
) -> Bench:
    """Open a bench; unless `create`, one that is not there is an error, not a new folder; `cluster` is that of `lb.open`.

    Raises
    ------
    CatalogError
        There is no bench at `path`.
    """
    import luma_bench

    if not create and isinstance(path, Path) and not path.exists():
        raise CatalogError(
            f"There is no bench at {str(path)!r}.",
            hint="`luma-bench import` creates one; --bench PATH names another.",
        )
    return luma_bench.open(path, mode=mode, cluster=cluster)


@contextlib.contextmanager
def whole_transactions(bench: Bench) -> Generator[None]:
    """Within the block, a transaction that is begun is ended too; else it is rolled back, which is an error.

    Raises
    ------
    TransactionError
        The text ended inside of a transaction.
    """
    import sys

    try:
        yield
    except LumaError:
        if bench.in_transaction:
            bench.kadeql("ROLLBACK")
            print("The transaction that the text began was rolled back.", file=sys.stderr)
        raise
    if bench.in_transaction:
        bench.kadeql("ROLLBACK")
        raise TransactionError(
            "The text ended inside of the transaction that it began: its changes were rolled back.",
            hint="End it with COMMIT.",
        )


def read_params(pairs: Sequence[str]) -> dict[str, Any]:
    """Parameters from `name=value` and `name:=json`.

    `name=value` is an integer, a number, true, false or null when it is spelled exactly so, else text; `name:="5"`
    makes anything text, and `name:=[1, 2]` a list.

    Raises
    ------
    UsageProblem
        A pair has no `=`, its name is no name, or its JSON cannot be read.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        found = re.fullmatch(r"\$?([^\W\d]\w*)(:?=)(.*)", pair, re.DOTALL)
        if found is None:
            raise UsageProblem(
                f"--param {pair!r} is not name=value.\nWrite --param lo=3, or --param 'lo:=[1, 2]' for JSON."
            )
        name, sign, value = found.groups()
        try:
            values[name] = json.loads(value) if sign == ":=" else _typed(value)
        except json.JSONDecodeError as error:
            raise UsageProblem(
                f"--param {pair!r}: not JSON: {error}.\nQuote texts: --param '{name}:=\"text\"'."
            ) from error
    return values


def _typed(value: str) -> object:
    """A value as what it is spelled as; 007 stays text, since it is no number's spelling."""
    words: dict[str, object] = {"true": True, "false": False, "null": None}
    if value in words:
        return words[value]
    if re.fullmatch(r"-?(0|[1-9]\d*)", value):
        return int(value)
    if re.fullmatch(r"-?(0|[1-9]\d*)\.\d+([eE][+-]?\d+)?", value):
        return float(value)
    return value


def read_text(text: str | None, file: Path | None) -> str:
    """The statement: an argument, a file, or standard input for `-`.

    Raises
    ------
    UsageProblem
        There is none, or both.
    """
    import sys

    if (text is None) == (file is None):
        raise UsageProblem(
            "Give the question as TEXT or with --file, not both."
            if text
            else "Ask something: TEXT, --file F.sql, or - for standard input."
        )
    if file is not None:
        try:
            return file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageProblem(f"--file {str(file)!r} cannot be read: {error}.") from error
    assert text is not None
    return sys.stdin.read() if text == "-" else text


def names(values: Sequence[str]) -> tuple[str, ...]:
    """Column names given several times or with commas between them."""
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())

"""The command `format`: KadeQL in files, notebooks or standard input, set out anew."""

from __future__ import annotations

import difflib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from luma_bench.cli.options import REFUSED, examples
from luma_bench.cli.session import UsageProblem
from luma_bench.errors import LumaError, UnsupportedError

commands = typer.Typer()

_TEXTS = (".sql", ".kadeql")
_NOTEBOOK = ".ipynb"
_CELL = "%%kadeql"


@commands.command("format", epilog=examples(
    "luma-bench format late.sql",
    "luma-bench format --write queries notebooks/late.ipynb",
    "luma-bench format --check --diff .",
    "echo 'select 42' | luma-bench format -",
))  # fmt: skip
def format_(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Files (.sql, .kadeql, .ipynb with %%kadeql cells) or folders of such; - reads standard input.",
        ),
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; end 1 when a file would change.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what would change.")] = False,
    write: Annotated[bool, typer.Option("--write", "-w", help="Replace the files.")] = False,
) -> None:
    """Set out KadeQL anew: keywords in upper case, a clause a line; nothing else changes."""
    from luma_bench.bench.formatting import Formatter

    if write and (check or diff):
        raise UsageProblem(
            "--write replaces the files, --check and --diff leave them: give one or the other."
        )
    if write and "-" in files:
        raise UsageProblem("Standard input cannot be replaced: leave out --write or -.")
    paths = list(_found(files))
    if len(paths) != 1 and not (check or diff or write):
        raise UsageProblem(f"{len(paths)} files are named: give --write, --diff or --check.")
    formatter = Formatter()
    changed, failed = 0, 0
    for path in paths:
        shown = "standard input" if path is None else str(path)
        try:
            before = sys.stdin.read() if path is None else _read(path)
            after = (_in_notebook if path and path.suffix == _NOTEBOOK else _in_text)(before, formatter)
        except LumaError as error:
            print(f"error: {shown}: {error}", file=sys.stderr)
            failed += 1
            continue
        changed += after != before
        if diff:
            sys.stdout.writelines(_difference(before, after, shown))
        if write and path is not None and after != before:
            _replace(path, after)
            print(f"{shown}: set out anew")
        elif check and after != before:
            print(f"{shown}: would change", file=sys.stderr)
        elif not (check or diff or write):
            sys.stdout.write(after)
    if failed or (check and changed):
        raise typer.Exit(REFUSED)


def _found(files: list[str]) -> Iterator[Path | None]:
    """Every file that is meant, once; None for standard input."""
    seen: set[Path] = set()
    for name in files:
        if name == "-":
            yield None
            continue
        path = Path(name).expanduser()
        if path.is_dir():
            inside = [
                one
                for one in sorted(path.rglob("*"))
                if one.suffix in (*_TEXTS, _NOTEBOOK) and one.is_file() and not _hidden(one, path)
            ]
        elif path.suffix in (*_TEXTS, _NOTEBOOK):
            inside = [path]
        else:
            raise UsageProblem(f"{name!r} is no .sql, .kadeql or .ipynb file and no folder of such.")
        for one in inside:
            if one not in seen:
                seen.add(one)
                yield one


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UnsupportedError(f"it cannot be read: {error.strerror}.", hint="Check its name.") from error
    except UnicodeDecodeError as error:
        raise UnsupportedError("it is no UTF-8 text.", hint="Save it as UTF-8.") from error


def _in_text(text: str, formatter: Callable[[str], str]) -> str:
    """A file's text set out anew; it ends with a line break, and a byte order mark stays."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    done = formatter(text)
    ending = "\r\n" if "\r\n" in text else "\n"
    return f"{mark}{done}{ending}" if done else text


def _in_notebook(text: str, formatter: Callable[[str], str]) -> str:
    """A notebook with its `%%kadeql` cells set out anew; the very same text when none changes."""
    try:
        notebook: dict[str, Any] = json.loads(text)
        cells: list[dict[str, Any]] = notebook["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise UnsupportedError(
            "it is no notebook of format 4.", hint="Open and save it in Jupyter."
        ) from error
    changed = False
    for number, cell in enumerate(cells, 1):
        held: str | list[str] = cell.get("source", "")
        source = held if isinstance(held, str) else "".join(held)
        head, line_break, body = source.partition("\n")
        if cell.get("cell_type") != "code" or head.split(maxsplit=1)[:1] != [_CELL] or not body.strip():
            continue
        try:
            done = f"{head}{line_break}{formatter(body)}"
        except LumaError as error:
            raise UnsupportedError(f"cell {number}: {error.message}", hint=str(error)) from error
        if done != source:
            cell["source"] = done if isinstance(held, str) else done.splitlines(keepends=True)
            changed = True
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n" if changed else text


def _difference(before: str, after: str, name: str) -> Iterator[str]:
    for line in difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), name, f"{name} (set out anew)"
    ):
        yield line if line.endswith("\n") else f"{line}\n"


def _replace(path: Path, text: str) -> None:
    """Put a new text in a file's place: whole, or not at all; links and permissions stay."""
    path = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
        shutil.copymode(path, name)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

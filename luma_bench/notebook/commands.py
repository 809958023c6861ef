"""What `%luma` does: open and close a bench, and say what is in it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from luma_bench.bench.moment import parse_moment
from luma_bench.errors import KadeQLSyntaxError, LumaError, UnsupportedError, choices
from luma_bench.notebook.display import Panel, line_panel, table_panel
from luma_bench.notebook.pinned import commands as pinning

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench
    from luma_bench.notebook.magic import LumaMagics

HELP = """\
%luma                         what is open: the bench, its snapshot, its tables
%luma open PATH [--mode r] [--cluster C]
                              open a bench (created when there is none); it is the variable `bench` too;
                              C is local, or a scheduler's address, for --engine dask
%luma tables                  the tables with their rows and keys
%luma snapshots               every snapshot, newest first
%luma tag NAME [--at S]       name the newest snapshot, or S
%luma pin [--at S] [--tag NAME]
                              read this snapshot, or S, from now on: kept with the notebook; NAME tags it
%luma unpin                   read what is newest again
%luma verify [NOTEBOOK]       run the notebook again elsewhere, and compare each answer with the saved one
%luma close                   close the bench
%luma help                    this list

%%kadeql [name <<] [--at S] [--engine E] [--strict] [--limit N]
         [--params DICT] [--explain] [--profile] [--no-cache]
%kadeql  the same options, then a statement on one line
  name <<         put the result into a variable and show one line about it
  --at S          read an older snapshot: its id, its tag, or a time such as "2013-02-08 06:00"
  --engine E      auto, or an engine's name; --strict makes a fallback an error
  --limit N       rows to show; the result keeps them all
  --params DICT   values of $name parameters; without it, $name is the notebook variable `name`
  --explain       show the plan instead of running
  --profile       run, then show the plan that ran and what each scan read
  --no-cache      do not take the answer from the result cache
A pandas, Polars or Arrow variable is a table by its name."""


def run(magics: LumaMagics, line: str) -> Panel:
    """Run one `%luma` line.

    Raises
    ------
    LumaError
        The command is unknown or incomplete, or the bench refuses it.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise _wrong(line, f"{error}.", "Close the quote.") from error
    command, *rest = words or ["status"]
    if command not in COMMANDS:
        raise _wrong(line, f"There is no %luma {command}.", choices(command, list(COMMANDS), "commands"))
    return COMMANDS[command](magics, line, rest)


def _open(magics: LumaMagics, line: str, words: Sequence[str]) -> Panel:
    import luma_bench

    (path,), options = _read(
        line, words, 1, "%luma open PATH [--mode r] [--cluster C]", ("--mode", "--cluster")
    )
    # A pinned notebook never writes: a bench that it was handed on with can only be read. One that is verified writes to a copy.
    remote = "://" in path
    named = Path(path).expanduser()
    copy = (
        None
        if remote or (options.get("--mode") == "r" and not named.exists())
        else magics.pins.copy_of(named)
    )
    reading = remote or (magics.pins.reading and copy is None) or options.get("--mode", "a") == "r"
    mode: Literal["a", "r"] = "r" if reading else "a"
    if options.get("--mode", mode) not in ("a", "r"):
        raise UnsupportedError(
            f"--mode {options['--mode']} is not a way to open a bench.", hint="Use --mode r to read only."
        )
    place = path if remote else copy or named
    new = mode == "a" and not Path(place).exists()
    magics.take(luma_bench.open(place, mode=mode, cluster=options.get("--cluster")))
    # Not the one at its snapshot: that the notebook is pinned to another bench is said where this one is asked.
    bench = magics.find_bench() or magics.unpinned
    held = (
        ", which the notebook is pinned to," if magics.pins.snapshot_of(magics.unpinned) is not None else ""
    )
    shown = bench.address if copy is None else str(named)
    if new:
        return line_panel(f"Created {shown}; it is open as `bench`.")
    names = bench.tables()
    tables = f"{len(names)} table{'' if len(names) == 1 else 's'}{': ' if names else ''}{', '.join(names[:12])}{', …' if len(names) > 12 else ''}"
    return line_panel(
        f"Opened {shown}{', read-only' if mode == 'r' else ''} at snapshot {bench.snapshot}{held} as `bench` · {tables}"
    )


def _status(magics: LumaMagics, line: str, words: Sequence[str]) -> Panel:
    _read(line, words, 0, "%luma")
    bench = magics.find_bench()
    if bench is None:
        return line_panel("No bench is open. Run %luma open PATH; %luma help lists what there is.")
    inside = " · in a transaction: COMMIT or ROLLBACK ends it" if bench.in_transaction else ""
    return _listed(bench, f"{bench.path} · snapshot {bench.snapshot}{inside}")


def _tables(magics: LumaMagics, line: str, words: Sequence[str]) -> Panel:
    _read(line, words, 0, "%luma tables")
    return _listed(magics.bench, f"Tables at snapshot {magics.bench.snapshot}")


def _listed(bench: Bench, heading: str) -> Panel:
    answer = bench.kadeql("SHOW TABLES").to_arrow()
    return table_panel(heading, {name: answer.column(name) for name in answer.column_names})


def _snapshots(magics: LumaMagics, line: str, words: Sequence[str]) -> Panel:
    _read(line, words, 0, "%luma snapshots")
    found = magics.bench.snapshots()[::-1]
    columns = {
        "id": [snapshot.id for snapshot in found],
        "time": pa.array(
            [snapshot.time.replace(microsecond=0) for snapshot in found], pa.timestamp("s", "UTC")
        ),
        "operation": [snapshot.operation for snapshot in found],
        "tables": [", ".join(snapshot.tables) for snapshot in found],
        "author": [snapshot.author for snapshot in found],
        "message": [snapshot.message for snapshot in found],
        "tags": [", ".join(snapshot.tags) for snapshot in found],
    }
    return table_panel(f"Snapshots of {magics.bench.path}", columns, 50)


def _tag(magics: LumaMagics, line: str, words: Sequence[str]) -> Panel:
    (name,), options = _read(line, words, 1, "%luma tag NAME [--at S]", ("--at",))
    snapshot = magics.bench.tag(name, parse_moment(options["--at"]) if "--at" in options else None)
    return line_panel(f"Tagged snapshot {snapshot.id} as {name!r}.")


def _pin(magics: LumaMagics, line: str, words: Sequence[str]) -> Panel:
    _, options = _read(line, words, 0, pinning.PIN, ("--at", "--tag"))
    return pinning.pin(magics, options)


def _unpin(magics: LumaMagics, line: str, words: Sequence[str]) -> Panel:
    _read(line, words, 0, "%luma unpin")
    return pinning.unpin(magics)


def _verify(magics: LumaMagics, line: str, words: Sequence[str]) -> Panel:
    _read(line, words, len(words[:1]), pinning.VERIFY)
    return pinning.verify(magics, words)


def _close(magics: LumaMagics, line: str, words: Sequence[str]) -> Panel:
    _read(line, words, 0, "%luma close")
    if magics.opened is None:
        return line_panel("No bench was opened here by %luma open.")
    path = magics.opened.path
    magics.release()
    return line_panel(f"Closed {path}.")


def _help(magics: LumaMagics, line: str, words: Sequence[str]) -> Panel:
    from luma_bench.bench.display import plan_html

    return Panel(HELP, plan_html(HELP))


def _read(
    line: str, words: Sequence[str], count: int, usage: str, options: Sequence[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """Exactly `count` plain words, and the options with their values."""
    plain: list[str] = []
    given: dict[str, str] = {}
    pending = list(words)
    while pending:
        word = pending.pop(0)
        if not word.startswith("--"):
            plain.append(word)
            continue
        name, equals, value = word.partition("=")
        if name not in options:
            raise _wrong(line, f"There is no option {name} here.", f"Write {usage}.")
        if not equals and not pending:
            raise _wrong(line, f"{name} needs a value.", f"Write {usage}.")
        given[name] = value if equals else pending.pop(0)
    if len(plain) != count:
        raise _wrong(
            line, "Too many words." if len(plain) > count else "A word is missing.", f"Write {usage}."
        )
    return plain, given


def _wrong(line: str, message: str, hint: str) -> LumaError:
    whole = f"%luma {line}"
    return KadeQLSyntaxError(message, text=whole, span=(0, len(whole)), hint=hint)


COMMANDS: dict[str, Callable[[LumaMagics, str, Sequence[str]], Panel]] = {
    "status": _status,
    "open": _open,
    "tables": _tables,
    "snapshots": _snapshots,
    "tag": _tag,
    "pin": _pin,
    "unpin": _unpin,
    "verify": _verify,
    "close": _close,
    "help": _help,
}
"""Every command by name; `status` is `%luma` alone."""

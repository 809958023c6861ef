"""Errors of Luma Bench as a notebook shows them: what happened, where, what to do, and no inner frames."""

from __future__ import annotations

import linecache
import traceback
from typing import Any

from luma_bench.bench import display
from luma_bench.errors import KadeQLError, LumaError

# Red marks the kind only: front ends put errors on red, where colours are hard to read.
_RED, _BOLD, _END = "\x1b[31m", "\x1b[1m", "\x1b[0m"
_RENDER = "_render_traceback_"


def without_traceback[E: LumaError](error: E) -> E:
    """The error, told to IPython as its message, caret and hint instead of a Python traceback.

    IPython asks an exception for `_render_traceback_`; what it returns goes into the error output, so that the cell
    still fails, in a notebook that is executed without a reader too.
    """
    lines = error_lines(error)
    setattr(error, _RENDER, lambda: lines)
    return error


def error_lines(error: LumaError) -> list[str]:
    """An error in ANSI colours: what happened, the caret under the place, what to do."""
    first, *rest = error.message.split("\n")
    kind = "KadeQL error" if isinstance(error, KadeQLError) else type(error).__name__
    lines = [f"{_RED}{kind}{_END}: {_BOLD}{display.one_line(first)}{_END}"]
    lines += [
        f"{_BOLD}{line}{_END}"
        if line.strip(" \t^") == "" and "^" in line
        else display.one_line(line, tabs=True)
        for line in rest
    ]
    if error.hint:
        lines += [display.one_line(line) for line in error.hint.split("\n")]
    return lines


def show_short(shell: Any) -> None:
    """From now on an error that Python code meets shows the reader's own lines, without the frames inside of Luma Bench.

    `%xmode Verbose` brings the whole traceback back, and `%debug` has it in any case.
    """

    def render(error: LumaError) -> list[str]:
        if shell.InteractiveTB.mode == "Verbose":
            return shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
        return [*_own_lines(shell, error), *error_lines(error)]

    setattr(LumaError, _RENDER, render)


def show_whole() -> None:
    """Undo `show_short`."""
    if hasattr(LumaError, _RENDER):
        delattr(LumaError, _RENDER)


def _own_lines(shell: Any, error: LumaError) -> list[str]:
    """The lines that led into Luma Bench, outermost first, without those of IPython."""
    lines: list[str] = []
    for frame, number in traceback.walk_tb(error.__traceback__):
        room = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if room == "luma_bench":
            break
        if room == "IPython":
            continue
        name = frame.f_code.co_filename
        known = shell.compile.format_code_name(name)
        where = f"{known[0]} {known[1]}" if known is not None else f"File {name}"
        code = display.one_line(linecache.getline(name, number).strip())
        lines.append(f"{display.one_line(where)}, line {number}: {code}")
    return lines

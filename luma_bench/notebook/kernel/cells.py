"""A cell of a KadeQL notebook, read: what of it is KadeQL, what is Python, and what is IPython's.

A bare cell is KadeQL. Lines at its top that begin with `%` or `!` are IPython's, and KadeQL may follow below them.
`%%python` makes the rest Python, `%%kadeql` takes options for the rest, and every other `%%magic` is IPython's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from luma_bench.notebook.names import mentions

Language = Literal["kadeql", "python", "ipython"]

RUNNERS = ("time", "timeit", "prun", "capture")
"""IPython's magics that run the rest of their cell as a cell."""

_PYTHON = re.compile(r"[ \t]*%%python3?(?P<rest>[^\S\n][^\n]*)?(?:\n|\Z)")
_KADEQL = re.compile(r"[ \t]*%%kadeql(?!\w)(?P<line>[^\n]*)(?:\n|\Z)")
_OTHER = re.compile(r"[ \t]*%%(?P<name>\w+)")
_DEBUG = re.compile(r"[ \t]*%%debug(?!\w)[^\n]*(?:\n|\Z)")
_SHOWING = re.compile(r"[ \t]*%(?P<name>luma|kadeql)(?:[ \t]+(?P<rest>[^\n]*?))?[ \t]*")
_SIMPLE = re.compile(r"[ \t]*%python[ \t]+(?P<code>[^\n]+)")
_ABOVE = re.compile(r"[ \t]*(?:[%!](?:[^\n]*\\\n)*[^\n]*)?(?:\n|\Z)")
_HELP = re.compile(r"\s*(?:\?{1,2}\s*%{0,2}[\w.*]+|%{0,2}[\w.*]+\?{1,2})\s*")


@dataclass(frozen=True, slots=True)
class CellParts:
    """A cell in its parts.

    Attributes
    ----------
    above
        The lines at the top that are IPython's, whole.
    line
        What stands after `%%kadeql`, None for a bare cell.
    text
        The statements, or the code.
    start
        Where `text` begins in the cell.
    language
        Whose `text` is; `ipython` is a cell that IPython reads whole.
    """

    above: str
    line: str | None
    text: str
    start: int
    language: Language

    @property
    def head_start(self) -> int:
        """Where the lines of IPython end and the line of `%%kadeql` or `%%python`, or the text, begins."""
        return len(self.above)


def read_cell(code: str) -> CellParts:
    """Read one cell.

    Raises
    ------
    SyntaxError
        Words follow `%%python`, which takes none.
    """
    if _HELP.fullmatch(code):
        return CellParts("", None, code, 0, "ipython")
    position = 0
    while position < len(code):
        if found := _PYTHON.match(code, position):
            if (found["rest"] or "").strip():
                raise SyntaxError("%%python takes nothing after it: the lines below it are Python.")
            return CellParts(code[:position], None, code[found.end() :], found.end(), "python")
        if found := _KADEQL.match(code, position):
            return CellParts(
                code[:position], found["line"].strip(), code[found.end() :], found.end(), "kadeql"
            )
        if _OTHER.match(code, position):
            return CellParts(code[:position], None, code[position:], position, "ipython")
        above = _ABOVE.match(code, position)
        if above is None:
            return CellParts(code[:position], None, code[position:], position, "kadeql")
        position = above.end()
    return CellParts(code, None, "", len(code), "kadeql")


def transformed(lines: Sequence[str]) -> list[str]:
    """A cell as IPython's own transformations take it: the first of them, in a KadeQL notebook.

    KadeQL becomes a call of the kernel; lines keep their numbers, so that a traceback points into the cell.
    """
    code = "".join(lines)
    parts = read_cell(code)
    empty = parts.language == "kadeql" and parts.line is None and not mentions(parts.text).statements
    head = _above_as_python(parts.above, last=empty)
    if parts.language == "ipython":
        return _lines(head + _debugged(parts.text))
    if parts.language == "python":
        return _lines(_python(head, code[parts.head_start : parts.start], parts.text))
    if empty:
        return _lines(head)
    call = f"get_ipython().kernel.kadeql({parts.above!r}, {parts.line!r}, {parts.text!r})\n"
    return [*_lines(head), call]


def _python(head: str, opening: str, body: str) -> str:
    """Python below `%%python`; a magic that runs cells, in its first line, gets a `%%python` of its own."""
    first, newline, rest = body.partition("\n")
    if (magic := _OTHER.match(first)) is not None:
        return f"{head}{first}{newline}{opening}{rest}" if magic["name"] in RUNNERS else head + body
    # A comment stands for the line of `%%python`: an empty one would be taken away, and lines be counted wrongly.
    return f"{head}#\n{body}"


def _debugged(text: str) -> str:
    """A cell of IPython's; `%%debug` takes Python as it is, so the `%%python` below it goes.

    Raises
    ------
    SyntaxError
        KadeQL stands below `%%debug`.
    """
    found = _DEBUG.match(text)
    if found is None or not text[found.end() :].strip():
        return text
    inner = read_cell(text[found.end() :])
    if inner.language != "python" or inner.above.strip():
        raise SyntaxError(
            "%%debug steps through Python: write %%python in the line below it, and Python below that."
        )
    return found[0] + inner.text


def _above_as_python(above: str, *, last: bool) -> str:
    """The lines at the top; `%python CODE` as the code alone, and no indentation, which IPython would read as Python's.

    `last`: nothing that gives a value follows them, so that IPython shows the last one's own.
    """
    *lines, rest = above.split("\n")
    lines.append(rest)
    shown = next((at for at in range(len(lines) - 1, -1, -1) if lines[at].strip()), -1) if last else -1
    found: list[str] = []
    for at, line in enumerate(lines):
        goes_on = at > 0 and lines[at - 1].endswith("\\")
        found.append(_as_python(line, show=at != shown and not goes_on))
    return "".join(f"{line or '#'}\n" for line in found[:-1]) + found[-1]


def _as_python(line: str, *, show: bool) -> str:
    """One line; what a `%luma` or `%kadeql` line gives is shown though it is not the cell's last value."""
    if show and (found := _SHOWING.fullmatch(line)) is not None and not line.endswith("\\"):
        call = f"get_ipython().run_line_magic({found['name']!r}, {found['rest'] or ''!r})"
        return f"get_ipython().kernel.show({call})"
    simple = _SIMPLE.fullmatch(line)
    return line.lstrip(" \t") if simple is None else simple["code"]


def _lines(text: str) -> list[str]:
    if text and not text.endswith("\n"):
        text += "\n"
    return text.splitlines(keepends=True)


def as_magic(code: str, position: int) -> tuple[str, int, int]:
    """A cell as the notebook's Python kernel would hold it, for completion at `position`.

    Returns
    -------
    tuple
        The text, the position in it, and what is to be added to positions in it to get those in `code`.
    """
    try:
        parts = read_cell(code)
    except SyntaxError:
        return code, position, 0
    ends_above = position == parts.head_start and parts.above and not parts.above.endswith("\n")
    if position < parts.head_start or ends_above:
        begins = code.rfind("\n", 0, position) + 1
        if code[begins:].partition("\n")[0].strip():
            return parts.above, position, 0
        # In an empty line a statement may begin.
        return _magic(code, begins, position)
    if parts.language == "python":
        opening = code[: parts.start].rstrip("\n")
        # The same length, so that positions stay.
        blank = "#" + " " * (len(opening) - 1) if opening else ""
        return blank + code[len(opening) :], position, 0
    if parts.language == "ipython":
        return parts.text, position - parts.start, parts.start
    if parts.line is not None:
        return code[parts.head_start :], position - parts.head_start, parts.head_start
    return _magic(code, parts.start, position)


def _magic(code: str, start: int, position: int) -> tuple[str, int, int]:
    opening = "%%kadeql\n"
    shift = start - len(opening)
    return opening + code[start:], position - shift, shift

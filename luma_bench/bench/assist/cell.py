"""Where KadeQL stands in a notebook cell: a whole `%%kadeql` cell, or `%kadeql` lines among Python."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from luma_bench.bench.assist.options import parse_options
from luma_bench.errors import KadeQLSyntaxError

_CELL: Final = re.compile(r"\s*%%kadeql\b")
_LINE: Final = re.compile(r"[ \t]*(?:[^\W\d][\w.]*[ \t]*=[ \t]*)?%kadeql\b")
_OPTION_SPACE: Final = re.compile(r"(?:\s*--[A-Za-z][\w-]*(?:=|\s+)?)*\s*")


@dataclass(frozen=True, slots=True)
class Place:
    """One KadeQL text in a cell, with the options before it.

    Attributes
    ----------
    head, head_start
        What stands after the magic's name on its line, and where; empty for a text without a magic.
    body, body_start
        The KadeQL, and where it begins.
    magic
        Whether a magic stands before it.
    line
        Whether it is a `%kadeql` line, on which options and statement stand together.
    """

    head: str
    head_start: int
    body: str
    body_start: int
    magic: bool = True
    line: bool = False

    @property
    def head_stop(self) -> int:
        """Where the options end."""
        return self.head_start + len(self.head)

    def holds(self, offset: int) -> bool:
        """Whether an offset of the cell is in the options or the text."""
        return (self.magic and self.head_start <= offset <= self.head_stop) or (
            self.body_start <= offset <= self.body_start + len(self.body)
        )


def places(text: str, *, cell: bool) -> tuple[Place, ...]:
    """The KadeQL of a text, in order; the whole text when it is no cell.

    Parameters
    ----------
    cell
        Whether the text is a notebook cell, of which only what follows a `%%kadeql` or `%kadeql` is KadeQL.
    """
    if not cell:
        return (Place("", 0, text, 0, magic=False),)
    if found := _CELL.match(text):
        end = text.find("\n", found.end())
        end = len(text) if end < 0 else end
        body = min(end + 1, len(text))
        return (Place(text[found.end() : end], found.end(), text[body:], body),)
    if "%kadeql" not in text:
        return ()
    lines: list[Place] = []
    start = 0
    for line in text.split("\n"):
        if found := _LINE.match(line):
            body = found.end() + _options_end(line[found.end() :])
            head = line[found.end() : body]
            lines.append(Place(head, start + found.end(), line[body:], start + body, line=True))
        start += len(line) + 1
    return tuple(lines)


def _options_end(rest: str) -> int:
    """Where the statement begins on a `%kadeql` line; where its options end as far as they can be read."""
    try:
        found = parse_options(rest)
    except KadeQLSyntaxError:
        # The options are being typed, or wrong: all that begins with dashes is theirs.
        last = rest.rfind(" --")
        known = _OPTION_SPACE.match(rest)
        stop = max(last + 1, 0 if known is None else known.end())
        space = re.search(r"\s", rest[stop:])
        return len(rest) if space is None else stop + space.start()
    return found.rest_start

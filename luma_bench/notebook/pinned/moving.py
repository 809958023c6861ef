"""A notebook whose benches lie elsewhere: its `%luma open` lines and saved outputs name them there, and what cannot is told."""

from __future__ import annotations

import html
import os
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luma_bench.notebook.pinned.pin import METADATA, MIME, Pin, PinnedBench

_OPEN_LINE = re.compile(r"^(?P<lead>[ \t]*%luma[ \t]+open[ \t]+)(?P<words>[^\n]*)$", re.MULTILINE)
_PYTHON_OPEN = re.compile(r"\b(?:lb|luma_bench)\.open\(")
_VARIABLE = re.compile(r"[$][A-Za-z_]|\{[^}]+\}")
_HOMES = r"(?:/home|/Users)/[\w.-]+|[A-Za-z]:\\+Users\\+[\w.-]+"
_REST = r"[^\s'\"<>|:,;()\[\]{}`]*"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Move:
    """A pinned bench that lies beside the notebook now.

    Attributes
    ----------
    old, new
        The bench as the notebook had it, and as it has it now.
    source
        Where it was published from: a URL stays where it is.
    """

    old: PinnedBench
    new: PinnedBench
    source: str | Path

    def places(self, folder: Path) -> set[str]:
        """The absolute paths that meant the bench, seen from the notebook's former folder."""
        named = [one for one in (self.old.path, self.source) if "://" not in str(one)]
        paths = [_absolute(str(one), folder) for one in named]
        return {*paths, *(os.path.realpath(path) for path in paths)}


def move(content: Any, moves: Sequence[Move], folder: Path) -> list[str]:
    """Make a notebook name its benches where they are now.

    Parameters
    ----------
    content
        The notebook, changed in place.
    folder
        Where it was: relative paths are seen from there.

    Returns
    -------
    list
        A sentence for each cell that opens what could not be rewritten, or that names a folder of this machine.
    """
    local = [one for one in moves if "://" not in one.old.path]
    notes: list[str] = []
    for number, cell in enumerate(content.cells, 1):
        if cell.cell_type != "code":
            continue
        lines = _Lines(number, local, folder)
        cell.source = _OPEN_LINE.sub(lines.rewritten, cell.source)
        notes += lines.notes
        if _PYTHON_OPEN.search(cell.source):
            names = " or ".join(repr(one.new.path) for one in moves)
            notes.append(
                f'Cell {number} opens a bench in Python: in the bundle it is {names}, opened with mode="r".'
            )
        renamed = _renaming(local, folder, "%luma" in cell.source)
        for output in cell.get("outputs", []):
            _move_output(output, local, renamed)
    return [*notes, *_left(content, moves, folder)]


class _Lines:
    """Rewrites the `%luma open` lines of a cell."""

    def __init__(self, number: int, moves: Sequence[Move], folder: Path) -> None:
        self._number = number
        self._moves = moves
        self._folder = folder
        self.notes: list[str] = []

    def rewritten(self, found: re.Match[str]) -> str:
        try:
            words = shlex.split(found["words"])
        except ValueError:
            return found[0]
        at = _path_word(words)
        if at is None or "://" in words[at]:
            return found[0]
        one = self._move_of(words[at])
        if one is None:
            names = " or ".join(repr(each.new.path) for each in self._moves) or "nowhere"
            why = (
                "by a variable: write its path"
                if _VARIABLE.search(words[at])
                else "that the notebook is not pinned to"
            )
            self.notes.append(
                f"Cell {self._number} opens {words[at]!r}, a bench {why}; what it is pinned to is {names} in the bundle."
            )
            return found[0]
        return found["lead"] + shlex.join([*words[:at], one.new.path, *words[at + 1 :]])

    def _move_of(self, word: str) -> Move | None:
        path = _absolute(word, self._folder)
        for one in self._moves:
            if {path, os.path.realpath(path)} & one.places(self._folder):
                return one
        # A notebook or a bench that was moved since: the name tells, where only one bench has it.
        alike = [one for one in self._moves if Path(one.old.path).name == Path(word).name]
        return alike[0] if len(alike) == 1 and not Path(path).exists() else None


def _path_word(words: Sequence[str]) -> int | None:
    """Where the path stands among the words of a line: the first that is no option and no option's value."""
    at = 0
    while at < len(words):
        if not words[at].startswith("--"):
            return at
        at += 1 if "=" in words[at] else 2
    return None


def _absolute(path: str, folder: Path) -> str:
    return os.path.normpath(folder / Path(path).expanduser())


def _renaming(moves: Sequence[Move], folder: Path, commands: bool) -> Callable[[str], str]:
    """What puts the new paths into a text; `commands` where lines of `%luma` gave it, which say relative paths too."""
    names: dict[str, str] = {}
    for one in moves:
        said = one.places(folder) | ({one.old.path} if commands else set[str]())
        names |= {form: one.new.path for path in said for form in (path, html.escape(path))}
    names = {old: new for old, new in names.items() if old != new}
    if not names:
        return lambda text: text
    ordered = sorted(names, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w./\\-])(?:{'|'.join(map(re.escape, ordered))})(?![\w-])")
    return lambda text: pattern.sub(lambda found: names[found[0]], text)


def _move_output(output: Any, moves: Sequence[Move], renamed: Callable[[str], str]) -> None:
    pin = Pin.from_json(output.get("data", {}).get(MIME))
    for key, value in list(output.items()):
        output[key] = _mapped(value, renamed)
    if pin is not None:
        benches = tuple(
            next((one.new for one in moves if one.old.time == bench.time), bench) for bench in pin.benches
        )
        output["data"][MIME] = Pin(benches, pin.environment, pin.pinned_at).to_json()


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with its texts changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_mapped(one, change) for one in value]
    if isinstance(value, dict):
        return type(value)({key: _mapped(one, change) for key, one in value.items()})
    return value


def _left(content: Any, moves: Sequence[Move], folder: Path) -> Iterator[str]:
    """What still names a folder of this machine."""
    places = {str(Path.home()), str(folder), os.path.realpath(folder), str(Path.cwd())}
    places |= {str(Path(path).parent) for one in moves for path in one.places(folder)}
    told = [re.escape(place) for place in sorted(places, key=len, reverse=True) if len(Path(place).parts) > 1]
    pattern = re.compile(rf"(?<![\w./-])(?:{'|'.join([*told, _HOMES])})(?![\w-]){_REST}")

    def found(*values: Any) -> str:
        texts = [text for value in values for text in _texts(value)]
        names = list(dict.fromkeys(one[0] for text in texts for one in pattern.finditer(text)))
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return ", ".join(names[:_SHOWN]) + more

    for number, cell in enumerate(content.cells, 1):
        for what, values in (
            (f"Cell {number}", (cell.source, cell.metadata, cell.get("attachments"))),
            (f"The output of cell {number}", (cell.get("outputs"),)),
        ):
            if names := found(*values):
                yield f"{what} names a folder of this machine: {names}."
    kept = {key: value for key, value in content.metadata.items() if key != METADATA}
    if names := found(kept):
        yield f"The notebook's metadata names a folder of this machine: {names}."


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)

"""Completion on `%luma` lines: commands, their options and values, and the paths of benches and notebooks."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from luma_bench.bench.assist.complete import complete
from luma_bench.notebook.commands import COMMANDS

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

OPTIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"open": ("--mode", "--cluster"), "tag": ("--at",), "pin": ("--at", "--tag")}
)
"""What each command takes behind its words."""

_VALUES: Final = MappingProxyType({"--mode": ("r", "a"), "--cluster": ("local",)})
_WORD: Final = re.compile(r"""(?:'[^']*'?|"[^"]*"?|[^\s'"])+""")
_MOST: Final = 2_000
"""Entries of a folder that are looked at."""


def luma_items(rest: str, bench: Bench | None) -> tuple[str, list[tuple[str, str]]]:
    """What may stand at the end of what follows `%luma `: the fragment that it replaces, and texts with their kinds."""
    words = _WORD.findall(rest)
    fragment = "" if not words or not rest.endswith(words[-1]) else words.pop()
    if not words:
        names = (name for name in COMMANDS if name != "status")
        return fragment, [(name, "command") for name in names if name.startswith(fragment)]
    command = words[0]
    options = OPTIONS.get(command, ())
    option, equals, typed = fragment.partition("=")
    if equals and option in options:
        return typed, _values(option, typed, bench)
    if words[-1] in options:
        return fragment, _values(words[-1], fragment, bench)
    if fragment.startswith("-"):
        unused = (name for name in options if not any(word.startswith(name) for word in words))
        return fragment, [(name, "option") for name in unused if name.startswith(fragment)]
    plain = [
        word for at, word in enumerate(words[1:]) if not word.startswith("-") and words[at] not in options
    ]
    if command == "open" and not plain:
        return fragment, list(_paths(fragment, _is_bench))
    if command == "verify" and not plain:
        return fragment, list(_paths(fragment, _is_notebook))
    return fragment, [] if fragment else [(name, "option") for name in options if name not in words]


def _values(option: str, typed: str, bench: Bench | None) -> list[tuple[str, str]]:
    """What an option's value may be; `--at` has those of `%%kadeql`."""
    if option == "--at":
        text = f"%%kadeql --at {typed}"
        return [(item.text, item.kind) for item in complete(text, len(text), bench, cell=True).items]
    return [(value, "value") for value in _VALUES.get(option, ()) if value.startswith(typed)]


def _paths(typed: str, wanted: Callable[[os.DirEntry[str]], bool]) -> Iterator[tuple[str, str]]:
    """Paths that go on what is typed: what is wanted first, then the folders that may hold some."""
    bare = typed.lstrip("'\"")
    if "://" in bare:
        return
    folder, slash, begun = bare.rpartition("/")
    try:
        with os.scandir(Path(folder + slash).expanduser() if slash else ".") as listed:
            entries = sorted(islice(listed, _MOST), key=lambda entry: entry.name.casefold())
    except (OSError, RuntimeError):
        return  # no such folder or home, or none that may be read
    shown = [
        entry
        for entry in entries
        if entry.name.startswith(begun) and (begun.startswith(".") or not entry.name.startswith("."))
    ]
    found = {entry.name for entry in shown if wanted(entry)}
    yield from ((_quoted(folder + slash + entry.name), "path") for entry in shown if entry.name in found)
    yield from (
        (_quoted(f"{folder}{slash}{entry.name}/"), "path")
        for entry in shown
        if entry.name not in found and entry.is_dir() and not _is_bench(entry)
    )


def _is_bench(entry: os.DirEntry[str]) -> bool:
    """Whether a folder holds a bench, or one that was published."""
    inside = Path(entry.path)
    return entry.is_dir() and any(
        (inside / name).is_file() for name in ("luma.toml", "published/latest.json")
    )


def _is_notebook(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(".ipynb") and entry.is_file()


def _quoted(path: str) -> str:
    """A path as a word of the line; `~` stays bare, since it means the home folder."""
    home, _, rest = path.partition("/") if path.startswith("~") else ("", "", path)
    return f"{home}/{shlex.quote(rest)}" if home else shlex.quote(path)

"""How names, strings and keywords are written where they are offered, and which of them go on what is typed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from luma_bench.bench.assist.values import Item
from luma_bench.language.keywords import RESERVED, TYPE_FUNCTION
from luma_bench.types.sql_text import quoted, string_literal

_PLAIN: Final = re.compile(r"[^\W\d]\w*")
_UNQUOTABLE: Final = frozenset(
    {"keyword", "function", "table-function", "option", "snapshot", "parameter", "type", "command"}
)
_SHORTEST_PART: Final = 2
MOST_ITEMS: Final = 2_000
"""Items that one completion has at most."""


def spelled(name: str, *, label: bool = False) -> str:
    """A name as KadeQL writes it: in quotes where it must be; behind a point, as a `label`, any word is a name."""
    plain = _PLAIN.fullmatch(name) is not None
    free = label or (name.upper() not in RESERVED and name.upper() not in TYPE_FUNCTION)
    return name if plain and free else quoted(name)


def string(value: str) -> str:
    """A text as a string constant."""
    return string_literal(value)


def keyword_items(words: Iterable[str]) -> list[Item]:
    """Keywords as items, in upper case."""
    return [Item(word, "keyword") for word in words]


def matching(items: Iterable[Item], fragment: str, inside: str) -> tuple[Item, ...]:
    """The items that go on a fragment, each once: those that begin with it, then those of which a part does.

    A name that a quote has opened is offered in quotes, keywords in the case of what is typed.
    """
    typed = fragment.lstrip("\"'`").casefold()
    lower = fragment.isalpha() and fragment.islower()
    begins: dict[str, Item] = {}
    parts: dict[str, Item] = {}
    for item in items:
        shown = _shown(item, inside, lower=lower)
        if shown is None:
            continue
        bare = shown.text.lstrip("\"'`").casefold()
        if bare.startswith(typed):
            begins.setdefault(shown.text.casefold(), shown)
        elif len(typed) >= _SHORTEST_PART and item.kind not in ("keyword", "type") and _has_part(bare, typed):
            parts.setdefault(shown.text.casefold(), shown)
        if len(begins) >= MOST_ITEMS:
            break
    return tuple({**begins, **{key: item for key, item in parts.items() if key not in begins}}.values())[
        :MOST_ITEMS
    ]


def _shown(item: Item, inside: str, *, lower: bool) -> Item | None:
    if inside == "name":
        if item.kind in _UNQUOTABLE:
            return None
        if item.text.startswith('"'):
            return item
        return Item(quoted(item.text), item.kind, item.detail, item.doc)
    if inside == "string":
        return item if item.text.startswith("'") else None
    if lower and item.kind == "keyword":
        return Item(item.text.lower(), item.kind, item.detail, item.doc)
    return item


def _has_part(text: str, typed: str) -> bool:
    """Whether a word of a name begins with what is typed: `delay` of `dep_delay`."""
    return f"_{typed}" in text or f".{typed}" in text or f" {typed}" in text


def shortened(items: Iterator[Item], count: int) -> list[Item]:
    """The first of many items."""
    return [item for _, item in zip(range(count), items, strict=False)]

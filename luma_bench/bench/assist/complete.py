"""Completion: what may stand at the cursor of a KadeQL text or cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from luma_bench.bench.assist.cell import Place, places
from luma_bench.bench.assist.known import Known, Variables
from luma_bench.bench.assist.moment import Moment
from luma_bench.bench.assist.offer_items import MOST_SNAPSHOTS
from luma_bench.bench.assist.offers import offers
from luma_bench.bench.assist.options import OPTION_HELP, OPTIONS
from luma_bench.bench.assist.scan import statement_at
from luma_bench.bench.assist.spelling import matching
from luma_bench.bench.assist.values import Completion, Item
from luma_bench.bench.assist.vocabulary import engines
from luma_bench.errors import LumaError

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

LONGEST: Final = 200_000
"""Code points of a text beyond which nothing is offered: reading it at every key would be slow."""

_OPTION: Final = re.compile(r"(?:^|(?<=\s))(--[\w-]*)$")
_VALUE: Final = re.compile(r"(--[A-Za-z][\w-]*)(?:=|\s+)([\"']?[^\s\"']*)$")
_SWITCHES: Final = frozenset(name for name, value in OPTIONS.items() if value is None)


def complete(
    text: str,
    offset: int,
    bench: Bench | None,
    *,
    cell: bool = False,
    params: Iterable[str] = (),
    variables: Variables | None = None,
) -> Completion:
    """What may stand at an offset of a text, the likely things first. It never raises for what a text holds.

    Parameters
    ----------
    text, offset
        The text, finished or not, and the cursor's place in it, in code points.
    bench
        Whose names are offered; None for the language's alone.
    cell
        Whether the text is a notebook cell, of which only what follows `%%kadeql` or `%kadeql` is KadeQL.
    params
        Names that have values for `$name` parameters.
    variables
        The notebook's tables by name, with their schemas where these are known.

    Returns
    -------
    Completion
        Without items where nothing may be said, as in a comment or in Python code.
    """
    offset = max(0, min(offset, len(text)))
    place = next((item for item in places(text, cell=cell) if item.holds(offset)), None)
    if place is None or len(place.body) > LONGEST:
        return Completion(offset, offset)
    if place.magic and offset <= place.head_stop and (not place.line or _in_options(place, offset)):
        return _options(place, offset, bench, params)
    first, last = statement_at(place.body, offset - place.body_start)
    base = place.body_start + first
    moment = Moment(place.body[first:last], offset - base, Known(bench, variables))
    fragment = moment.fragment
    start = base + fragment.start
    try:
        items = matching(offers(moment, params), fragment.text, fragment.inside)
    except LumaError:
        # A bench that was closed, or a snapshot that was collected, while its names were read.
        items = ()
    return Completion(start, offset, items)


def _in_options(place: Place, offset: int) -> bool:
    """Whether an option or its value is typed on a `%kadeql` line, and not the statement behind them."""
    if offset < place.body_start:
        return True
    before = place.head[: offset - place.head_start]
    value = _VALUE.search(before)
    valued = value is not None and OPTIONS.get(value[1]) is not None
    return valued or _OPTION.search(before) is not None


def _options(place: Place, offset: int, bench: Bench | None, params: Iterable[str]) -> Completion:
    """Options and their values on a magic's line."""
    before = place.head[: offset - place.head_start]
    if found := _OPTION.search(before):
        others = f"{before[: found.start(1)]} {place.head[len(before) :]}"
        given = set(re.findall(r"(?<!\S)--[A-Za-z][\w-]*", others))
        items = [
            Item(name, "option", value or "", OPTION_HELP[name])
            for name, value in OPTIONS.items()
            if name not in given
        ]
        return Completion(offset - len(found[1]), offset, matching(items, found[1], "word"))
    value = _VALUE.search(before)
    if value is not None and value[1] in OPTIONS and value[1] not in _SWITCHES:
        typed = value[2]
        quote = typed[:1] if typed[:1] in ("'", '"') else ""
        items = [
            Item(f"{quote}{item.text}{quote}", item.kind, item.detail, item.doc)
            for item in _values(value[1], bench, params)
        ]
        return Completion(offset - len(typed), offset, matching(items, typed, "word"))
    if before.endswith((" ", "\t")) or not before:
        items = [
            Item(name, "option", argument or "", OPTION_HELP[name]) for name, argument in OPTIONS.items()
        ]
        unused = tuple(item for item in items if item.text not in place.head)
        return Completion(offset, offset, unused)
    return Completion(offset, offset)


def _values(option: str, bench: Bench | None, params: Iterable[str]) -> Iterator[Item]:
    """What an option's value may be."""
    if option == "--engine":
        yield from engines(bench)
    elif option == "--params":
        yield Item("{}", "value", "a dict of names and values")
        yield from (Item(name, "value", "variable") for name in params)
    elif option == "--limit":
        yield from (Item(count, "value", "rows") for count in ("10", "50", "100", "1000"))
    elif option == "--at" and bench is not None:
        try:
            entries, _ = bench._store.timeline(None, MOST_SNAPSHOTS)
        except LumaError:
            return  # closed meanwhile
        for entry in entries:
            shot = entry.snapshot
            when = f"{shot.time.astimezone():%Y-%m-%d %H:%M}"
            yield from (
                Item(_word(tag), "tag", f"snapshot {shot.id} · {when}", shot.message) for tag in shot.tags
            )
            yield Item(str(shot.id), "snapshot", f"{when} · {shot.operation}", shot.message)


def _word(value: str) -> str:
    """A value of an option, in quotes where it holds a space."""
    return f'"{value}"' if re.search(r"\s", value) else value

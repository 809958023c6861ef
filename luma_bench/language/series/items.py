"""The SELECT list of a grouped block: its items, and the columns of the block's one relation that their parts become."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.graph.shadows import is_subquery
from luma_bench.language.result_names import labelled
from luma_bench.language.series.aggregates import Call, calls, has_window
from luma_bench.language.series.blocks import Block
from luma_bench.language.series.columns import Mention, mentions, said
from luma_bench.language.series.recognise import Item as FromItem
from luma_bench.language.tokens import Tokens, listed


@dataclass(frozen=True, slots=True)
class Result:
    """An item of the list.

    Attributes
    ----------
    first, last
        The tokens of its expression, half-open, without its label.
    label
        The name that is written for it.
    calls
        The aggregates in it.
    window
        Whether it holds a window function.
    constant
        Whether it can name no column.
    """

    first: int
    last: int
    label: str | None
    calls: tuple[Call, ...]
    window: bool
    constant: bool

    @property
    def is_key(self) -> bool:
        """Whether it is what rows are grouped by."""
        return not (self.calls or self.window or self.constant)


@dataclass(frozen=True, slots=True)
class Source:
    """The relation of a block: the name that it goes by, and the schema and table that it may be called with."""

    alias: str
    path: tuple[str, ...]

    @classmethod
    def of(cls, item: FromItem) -> Source:
        """The source that stands in FROM."""
        path = () if item.aliased else tuple(part.casefold() for part in item.path)
        return cls(item.name.casefold(), path)

    def column(self, mention: Mention) -> str | None:
        """The column that a mention names; None where it is a part of one."""
        skipped = self.qualifier(mention)
        rest = mention.path[skipped:]
        return rest[0] if len(rest) == 1 else None

    def qualifier(self, mention: Mention) -> int:
        """How many names of a mention are the source's own."""
        path = tuple(part.casefold() for part in mention.path)
        if len(path) > 2 and len(self.path) == 2 and path[:2] == self.path:
            return 2
        return 1 if len(path) > 1 and path[0] == self.alias else 0


@dataclass(slots=True)
class Words:
    """What stands in a block, to be looked up by tokens: mentions of columns, and which tokens only name the source."""

    tokens: Tokens
    source: Source
    mentions: dict[int, Mention] = field(default_factory=dict[int, Mention])
    qualifiers: set[int] = field(default_factory=set[int])

    def add(self, first: int, last: int) -> None:
        """Look through some more tokens, outside of subqueries."""
        start = first
        while start < last:
            stop = next((at for at in range(start, last) if is_subquery(self.tokens, at, last)), last)
            for mention in mentions(self.tokens, start, stop):
                self.mentions[mention.first] = mention
                for place in range(2 * self.source.qualifier(mention)):
                    self.qualifiers.add(mention.first + place)
            start = last if stop == last else self.tokens.closing(stop, last) + 1

    def within(self, first: int, last: int) -> list[Mention]:
        """The mentions between two tokens."""
        return [self.mentions[index] for index in range(first, last) if index in self.mentions]

    def said(self, first: int, last: int) -> tuple[str, ...]:
        """What a stretch says, without the names of the source."""
        return tuple(said(self.tokens, index) for index in range(first, last) if index not in self.qualifiers)

    def column(self, first: int, last: int) -> str | None:
        """The column that a whole stretch names."""
        mention = self.mentions.get(first)
        return None if mention is None or mention.last != last else self.source.column(mention)


def results(draft: Draft, block: Block, shape: str) -> tuple[tuple[int, int] | None, list[tuple[int, int]]]:
    """The tokens in the brackets of DISTINCT ON, and those of each item with its label.

    Raises
    ------
    KadeQLSyntaxError
        There is no list, or an item is missing.
    """
    tokens, place = draft.tokens, block.items
    if place is None:
        raise draft.wrong("This needs a SELECT that says what to give.", block.first, shape)
    cursor = Cursor(tokens, *place, draft.scope.last)
    on: tuple[int, int] | None = None
    if cursor.accept("DISTINCT", "ON") and cursor.word == "(":
        close = tokens.closing(cursor.index, place[1])
        on = cursor.index + 1, close
        cursor.index = close + 1
    else:
        cursor.accept("DISTINCT")
        cursor.accept("ALL")
    ranges = listed(tokens, cursor.index, place[1])
    if not ranges or any(first == last for first, last in ranges):
        raise cursor.expected("what to select", shape)
    return on, ranges


def result(words: Words, first: int, last: int) -> Result:
    """The item at some tokens."""
    tokens = words.tokens
    start, stop, label = labelled(tokens, first, last)
    found = tuple(calls(tokens, start, stop))
    return Result(
        start,
        stop,
        label,
        found,
        has_window(tokens, start, stop),
        not words.within(start, stop) and not found,
    )


def refuse_stars(draft: Draft, ranges: list[tuple[int, int]], what: str, shape: str) -> None:
    """An item that gives columns by a pattern cannot be told into keys and aggregates.

    Raises
    ------
    KadeQLSyntaxError
        There is one.
    """
    tokens = draft.tokens
    for first, last in ranges:
        words = tokens.words[first:last]
        starred = words[0] == "*" or any(pair == (".", "*") for pair in pairwise(words))
        if starred or any(pair in (("COLUMNS", "("), ("UNPACK", "(")) for pair in pairwise(words)):
            raise draft.wrong(
                f"{what} needs its columns by name: which are keys, and what is computed of the others.",
                first,
                shape,
            )

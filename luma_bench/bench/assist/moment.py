"""One moment of typing: what stands before the cursor, in which brackets, clause and query it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from luma_bench.bench.assist.known import Known
from luma_bench.bench.assist.outline import Member, Query, Source
from luma_bench.bench.assist.pieces import CLOSING, OPENING, is_operand
from luma_bench.bench.assist.reading import outline
from luma_bench.bench.assist.scan import Scanned, scan
from luma_bench.bench.assist.scope import Scope
from luma_bench.language.lexical import Region, regions

_WORD: Final = re.compile(r"\$?\w*$")
_STRINGS: Final = frozenset({"string", "escaped", "dollar"})
_NAMES: Final = frozenset({"name", "backquoted"})


@dataclass(frozen=True, slots=True)
class Fragment:
    """What of a name, string or parameter stands before the cursor, from `start` on.

    Attributes
    ----------
    inside
        `word`, `name` for one that a quote has opened, `string`, or `comment`.
    """

    start: int
    text: str
    inside: str


def fragment_at(text: str, offset: int) -> Fragment:
    """The fragment that ends at an offset."""
    last: Region | None = None
    for region in regions(text[:offset]):
        last = region
    if last is not None and last.end == offset:
        if not last.closed:
            raw = text[last.start : offset]
            if last.kind in _STRINGS:
                return Fragment(last.start, raw, "string")
            return Fragment(last.start, raw, "name" if last.kind in _NAMES else "comment")
        if last.kind == "line":
            return Fragment(offset, "", "comment")
        if last.kind in _STRINGS or last.kind in _NAMES or last.kind == "block":
            return Fragment(offset, "", "word")
    found = _WORD.search(text, 0, offset)
    start = offset if found is None else found.start()
    return Fragment(start, text[start:offset], "word")


class Moment:
    """A text at the cursor.

    Parameters
    ----------
    typing
        Whether what stands before the cursor is a beginning, so that a quote that is open there closes at the cursor.

    Attributes
    ----------
    index
        The token at the cursor: the fragment's own, or the one behind.
    first, last
        The tokens of the statement, half-open.
    """

    def __init__(self, text: str, offset: int, known: Known, *, typing: bool = True) -> None:
        self.known = known
        self.fragment = fragment_at(text, offset)
        start = self.fragment.start
        if typing and self.fragment.inside == "name":
            # What the open quote would swallow is read as if the name were written out.
            text = f"{text[:start]}{'_' * (offset - start)}{text[offset:]}"
        elif typing and self.fragment.inside == "string":
            text = f"{text[:start]}{'0' * (offset - start)}{text[offset:]}"
        self.text = text
        self.offset = offset
        self.scanned: Scanned = scan(text)
        self.tokens = self.scanned.tokens
        self.index = self.scanned.before(start)
        self.first, self.last = self.scanned.statement(start)
        self.root: Query = outline(self.scanned, self.first, self.last)
        self.query: Query = self.root.within(self.index)
        self.scope = Scope(self.root, known)

    def word(self, back: int = 1) -> str:
        """The word `back` tokens before the cursor, empty before the statement."""
        index = self.index - back
        return self.tokens.words[index] if self.first <= index < len(self.tokens) else ""

    def name(self, back: int = 1) -> str:
        """The name `back` tokens before the cursor as it is written."""
        index = self.index - back
        return self.tokens.names[index] if self.first <= index < len(self.tokens) else ""

    @property
    def begins(self) -> bool:
        """Whether a statement begins at the cursor."""
        return self.index <= self.first

    @property
    def after_point(self) -> bool:
        """Whether a point stands right before the fragment."""
        start = self.fragment.start
        return self.word() == "." and self.tokens.ends[self.index - 1] == start

    @cached_property
    def opener(self) -> int:
        """The innermost open bracket around the cursor by token; -1 for none."""
        return self.opener_before(self.index)

    def opener_before(self, index: int) -> int:
        """The innermost bracket that is open before a token; -1 for none."""
        depth = 0
        for place in range(index - 1, self.first - 1, -1):
            word = self.tokens.words[place]
            if word in CLOSING:
                depth += 1
            elif word in OPENING:
                if depth == 0:
                    return place
                depth -= 1
        return -1

    @property
    def owner(self) -> str:
        """The word before the innermost bracket."""
        return self.tokens.words[self.opener - 1] if self.opener > self.first else ""

    @cached_property
    def member(self) -> Member | None:
        """The SELECT, or what is like one, that the cursor is in."""
        return self.query.member_at(self.index)

    @cached_property
    def clause(self) -> str:
        """The word that begins the clause that the cursor is in; empty before the first."""
        if self.member is None:
            return ""
        before = [word for index, word in self.member.clauses if index < self.index]
        return before[-1] if before else ""

    @property
    def bare(self) -> bool:
        """Whether the cursor is in no bracket of its query."""
        return self.opener < self.query.first

    @property
    def after_operand(self) -> bool:
        """Whether a value or relation stands complete before the cursor."""
        return is_operand(self.scanned, self.index - 1, self.first)

    def given(self) -> set[str]:
        """The names that the call around the cursor has arguments for: those before `=>`."""
        found: set[str] = set()
        if self.opener < 0:
            return found
        for place in range(self.opener + 1, min(self.scanned.match[self.opener], len(self.tokens))):
            if self.tokens.words[place] in ("=>", ":=") and place > 0:
                found.add(self.tokens.names[place - 1].casefold())
        return found

    def call_source(self) -> Source | None:
        """The relation of FROM whose call the cursor is in: TUMBLE, FORECAST, PAGERANK."""
        at: Query | None = self.query
        opener = self.opener
        while opener >= self.first:
            at = self.root
            for query in at.every():
                for member in query.members:
                    for source in member.sources:
                        if source.kind == "call" and source.last == opener:
                            return source
            opener = self.opener_before(opener)
        return None

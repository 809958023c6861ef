"""A grouped block as one relation: its keys become `"@k0"`, its aggregates `"@a0"`, in the user's own text and order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.compose import composed, excerpt
from luma_bench.language.draft import Draft
from luma_bench.language.graph.shadows import is_subquery
from luma_bench.language.result_names import engine_name
from luma_bench.language.rewrite import Edit
from luma_bench.language.series.aggregates import Call, call_at, is_ordered, own_name
from luma_bench.language.series.blocks import Block, Clause, Range
from luma_bench.language.series.items import Result, Source, Words
from luma_bench.language.series.pattern import Fill, Name
from luma_bench.language.tokens import listed
from luma_bench.types.sql_text import quoted

BUCKET: Final = "@t"
"""The key that every row of a sampled block has besides those that are selected: the bucket's start."""


@dataclass(slots=True)
class Column:
    """A key or an aggregate: its name in the relation, the tokens that it is computed from, and what they say.

    Attributes
    ----------
    call
        The aggregate call that it is; None for a key, and for an expression with aggregates in it.
    """

    column: str
    place: Range
    told: tuple[str, ...]
    call: Call | None = None
    fill: Fill | None = None


class Regrouped:
    """Turns one block into a relation, and collects the edits that this takes; nothing is changed before `apply`.

    Parameters
    ----------
    what
        What messages call the construct.
    shape
        How it is written.
    strict
        Whether what a subquery in the block reads must be known: it may name columns of the block.

    Attributes
    ----------
    default
        The fill of an aggregate of which nothing says another one.
    bucket_says
        What the call says that stands for the bucket's start.
    timed
        Whether a column that is no key may be the time, which is known later: it stands for the bucket's start then.
    """

    __slots__ = (
        "_cut",
        "_drafts",
        "_edits",
        "_filled",
        "aggregates",
        "block",
        "bucket_says",
        "default",
        "draft",
        "keys",
        "names",
        "shape",
        "strict",
        "timed",
        "times",
        "what",
        "words",
    )

    def __init__(
        self, draft: Draft, block: Block, source: Source, what: str, shape: str, *, strict: bool
    ) -> None:
        self.draft = draft
        self.block = block
        self.what = what
        self.shape = shape
        self.strict = strict
        self.words = Words(draft.tokens, source)
        for clause in block.clauses:
            if clause.word not in ("FROM", "SAMPLE", "LIMIT", "OFFSET"):
                self.words.add(clause.body, clause.last)
        self.keys: list[Column] = []
        self.aggregates: list[Column] = []
        self.names: set[str] = set()
        self._edits: list[Edit] = []
        self._cut: set[int] = set()
        self._drafts: dict[int, Draft] = {}
        self.bucket_says: tuple[str, ...] | None = None
        self._filled: dict[int, tuple[Range, Range, Fill]] = {}
        self.default: Fill | None = None
        self.timed = False
        self.times: list[Name] = []

    def wrong(
        self, message: str, first: int, last: int | None = None, hint: str | None = None
    ) -> KadeQLSyntaxError:
        """A syntax error at some tokens of the block."""
        tokens = self.draft.tokens
        span = tokens.span(first, first + 1 if last is None else last)
        return KadeQLSyntaxError(
            message, text=tokens.text, span=span, hint=self.shape if hint is None else hint
        )

    def put(self, first: int, last: int, text: str) -> None:
        """Put text in the place of tokens."""
        if last > first:
            self._cut.update(range(first, last))
            self._edits.append(Edit(*self.draft.tokens.span(first, last), text))

    def insert(self, index: int, text: str, *, behind: bool = False) -> None:
        """Put text before a token, or behind it."""
        tokens = self.draft.tokens
        place = tokens.ends[index] if behind else tokens.starts[index]
        self._edits.append(Edit(place, place, text))

    def apply(self) -> None:
        """Make the edits in the draft."""
        self.draft.edits += self._edits
        self.draft.cut |= self._cut
        self.draft.taken |= self._cut

    def key(self, first: int, last: int) -> str:
        """The column of a key, which it becomes unless it is one."""
        told = self.words.said(first, last)
        known = next((item for item in self.keys if item.told == told), None)
        if known is None:
            known = Column(f"@k{len(self.keys)}", (first, last), told)
            self.keys.append(known)
        return known.column

    def bucket(self, first: int, last: int) -> None:
        """Let a call stand for the bucket's start."""
        self.bucket_says = self.words.said(first, last)

    def filled(self, place: Range, inner: Range, fill: Fill) -> None:
        """Let a call stand for the aggregate in it, with a fill."""
        self._filled[place[0]] = place, inner, fill

    def aggregate(self, place: Range, call: Call | None, fill: Fill | None = None) -> str:
        """The column of an aggregate call, or of an expression with some in it; one of the same words and fill is the same."""
        told, fill = self.words.said(*place), fill or self.default
        for item in self.aggregates:
            if item.told == told and (fill is None or item.fill == fill):
                return item.column
        found = Column(f"@a{len(self.aggregates)}", place, told, call, fill)
        self.aggregates.append(found)
        return found.column

    def label(self, item: Result) -> str:
        """` AS name` for an item without a label: the name that the engine gives it."""
        if item.label is not None:
            self.names.add(item.label.casefold())
            return ""
        mention = self.words.mentions.get(item.first)
        if mention is not None and mention.last == item.last:
            name = mention.path[-1]
        else:
            text = composed(excerpt(self.inside(item.first), item.first, item.last).pieces)[0]
            name = engine_name(text, self.draft.inspector)
            if len(item.calls) == 1 and is_ordered(self.draft.tokens, item.calls[0]):
                call = item.calls[0]
                name = own_name(name) if (call.first, call.closing + 1) == (item.first, item.last) else name
        self.names.add(name.casefold())
        return f" AS {quoted(name)}"

    def rewrite(
        self,
        first: int,
        last: int,
        *,
        aliases: bool = False,
        aliases_first: bool = False,
        fill: Fill | None = None,
    ) -> None:
        """Put the relation's columns in the places of keys and aggregates.

        Parameters
        ----------
        aliases
            Whether names of the list may stand there.
        aliases_first
            Whether they hide columns.

        Raises
        ------
        KadeQLSyntaxError
            Something is neither.
        """
        tokens, index = self.draft.tokens, first
        whole = self._known(first, last)
        if whole is not None and last > first:
            alone = self.words.mentions.get(first)
            hidden = aliases_first and alone is not None and alone.path[0].casefold() in self.names
            if not hidden:
                self.put(first, last, quoted(whole))
                return
        while index < last:
            if is_subquery(tokens, index, last):
                close = tokens.closing(index, last) + 1
                if self.strict:
                    raise self.wrong("A subquery may name columns of the block.", index, close)
                index = close
                continue
            if index in self._filled:
                outer, inner, own_fill = self._filled[index]
                found = call_at(tokens, *inner)
                alone = found if found is not None and found.last == inner[1] else None
                self.put(*outer, quoted(self.aggregate(inner, alone, own_fill)))
                index = outer[1]
                continue
            call = call_at(tokens, index, last)
            if call is not None:
                self.put(call.first, call.last, quoted(self.aggregate((call.first, call.last), call, fill)))
                index = call.last
                continue
            end = self._unit(index, last)
            column = None if end is None else self._known(index, end)
            if end is not None and column is not None:
                self.put(index, end, quoted(column))
                index = end
                continue
            mention = self.words.mentions.get(index)
            if mention is None:
                index += 1
                continue
            index = mention.last
            named = aliases and len(mention.path) == 1 and mention.path[0].casefold() in self.names
            column = self._known(mention.first, mention.last)
            if (named and aliases_first) or (named and column is None):
                continue
            name = self.words.source.column(mention)
            if column is None and self.timed and name is not None:
                self.times.append(Name(name, tokens.span(mention.first, mention.last)))
                column = BUCKET
            if column is None:
                shown = tokens.slice(mention.first, mention.last)
                raise self.wrong(
                    f"{shown} is neither grouped by nor in an aggregate here.", mention.first, mention.last
                )
            self.put(mention.first, mention.last, quoted(column))

    def _known(self, first: int, last: int) -> str | None:
        told = self.words.said(first, last)
        return next((item.column for item in self.keys if item.told == told), None)

    def _unit(self, index: int, last: int) -> int | None:
        """The end of a call or a CASE that begins at a token: what stands around it cannot bind to a part of it."""
        tokens = self.draft.tokens
        if tokens.is_name(index) and tokens.follows(index + 1, last, "("):
            end = tokens.closing(index + 1, last) + 1
            return None if tokens.words[end : end + 1] == ["OVER"] else end
        if tokens.words[index] != "CASE":
            return None
        depth = 0
        for place in range(index, last):
            depth += (tokens.words[place] == "CASE") - (tokens.words[place] == "END")
            if depth == 0:
                return place + 1
        return None

    def tail(self, condition: str) -> None:
        """Rewrite the clauses behind GROUP BY; HAVING becomes `condition`, WHERE or AND."""
        tokens = self.draft.tokens
        for clause in self.block.clauses:
            if clause.word in ("HAVING", "QUALIFY"):
                self.rewrite(clause.body, clause.last, aliases=True)
                if clause.word == "HAVING":
                    self.put(clause.first, clause.body, f"{condition} (" if condition == "AND" else condition)
                    if condition == "AND":
                        self.insert(clause.last - 1, ")", behind=True)
            elif clause.word == "WINDOW":
                for index in range(clause.body, clause.last):
                    if tokens.words[index] == "(" and tokens.words[index - 1] == "AS":
                        self.rewrite(index + 1, tokens.closing(index, clause.last))
            elif clause.word == "ORDER" and not self.block.combined:
                for first, last in listed(tokens, clause.body, clause.last):
                    self.order(first, last)
            elif clause.word == "USING":
                raise self.wrong(
                    "USING SAMPLE takes rows before they are grouped.",
                    clause.first,
                    clause.last,
                    "Take the sample in a subquery: FROM (SELECT * FROM t USING SAMPLE 10%) …",
                )

    def order(self, first: int, last: int) -> None:
        """Rewrite an entry of ORDER BY."""
        tokens, stop = self.draft.tokens, last
        if stop - 2 > first and tokens.words[stop - 2] == "NULLS":
            stop -= 2
        if stop - 1 > first and tokens.words[stop - 1] in ("ASC", "DESC"):
            stop -= 1
        self.rewrite(first, stop, aliases=True, aliases_first=True)

    def remove(self, *words: str) -> None:
        """Take clauses out of the text."""
        for clause in self.block.clauses:
            if clause.word in words:
                self.put(clause.first, clause.last, "")

    def inside(self, index: int) -> Draft:
        """The clause of a token, read by itself."""
        clause = next(item for item in self.block.clauses if item.body <= index < item.last)
        found = self._drafts.get(clause.body)
        if found is None:
            found = self._drafts[clause.body] = self._read(clause)
        return found

    def _read(self, clause: Clause) -> Draft:
        inside = self.draft.inside(clause.body, clause.last)
        for mention in self.words.within(clause.body, clause.last):
            if self.words.source.qualifier(mention) == 2:
                # The relation goes by the table's name alone.
                inside.replace(mention.first, mention.first + 2, "")
        return inside

"""The aggregates that a SELECT with a WINDOW JOIN asks for of the right side, each a column of the join's relation."""

from __future__ import annotations

from dataclasses import dataclass, field

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.draft import Draft
from luma_bench.language.part_queries import Range
from luma_bench.language.result_names import labelled
from luma_bench.language.series.aggregates import Call, arguments, calls, result_name
from luma_bench.language.series.blocks import Block
from luma_bench.language.series.columns import Mention, is_column, mentions, said
from luma_bench.language.series.items import Source
from luma_bench.language.series.pattern import Aggregate, Constant, Name
from luma_bench.language.series.recognise import Item
from luma_bench.language.series.using import excluded, listed_items, visible
from luma_bench.language.tokens import listed
from luma_bench.types.sql_text import quoted


@dataclass(slots=True)
class Collected:
    """What a SELECT asks for.

    Attributes
    ----------
    computed
        Expressions over the right side that become columns of it, with their names.
    edits
        The tokens that the aggregates' columns take the place of, and stars without them.
    inserts
        Text behind a token: the names that results have without a label.
    """

    aggregates: tuple[Aggregate, ...] = ()
    computed: list[tuple[Range, str]] = field(default_factory=list[tuple[Range, str]])
    edits: list[tuple[int, int, str]] = field(default_factory=list[tuple[int, int, str]])
    inserts: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])


def collected(draft: Draft, block: Block, left: Item, right: Item, place: Range) -> Collected:
    """The aggregates of a block over the right side of the join that stands at `place`.

    Raises
    ------
    KadeQLSyntaxError
        One reads the left side, or a column of the right side stands outside of one.
    """
    reader = _Reader(draft, left, right)
    for first, last in ((block.first, place[0]), (place[1], block.last)):
        reader.read(first, last)
    found = reader.found
    found.aggregates = tuple(reader.known.values())
    if block.items is not None and found.aggregates:
        _results(draft, block.items, left, found)
    return found


class _Reader:
    """Walks over a block and collects."""

    __slots__ = ("_columns", "_draft", "_left", "_right", "found", "known")

    def __init__(self, draft: Draft, left: Item, right: Item) -> None:
        self._draft = draft
        self._left = Source.of(left)
        self._right = Source.of(right)
        self._columns: dict[tuple[str, ...], str] = {}
        self.known: dict[tuple[str, ...], Aggregate] = {}
        self.found = Collected()

    def read(self, first: int, last: int) -> None:
        """Collect what stands between two tokens."""
        tokens, begin = self._draft.tokens, first
        for call in calls(tokens, first, last):
            self._outside(begin, call.first)
            self._call(call)
            begin = call.last
        self._outside(begin, last)

    def _outside(self, first: int, last: int) -> None:
        tokens = self._draft.tokens
        for begin, end in visible(tokens, first, last, self._right.alias):
            for mention in mentions(tokens, begin, end):
                alone = len(mention.path) == 1 and mention.path[0].casefold() == self._right.alias
                whole = alone and tokens.follows(mention.last, last, ".", "*")
                if not whole and not self._right.qualifier(mention):
                    continue
                shown = tokens.slice(mention.first, mention.last + 2 * whole)
                raise KadeQLSyntaxError(
                    f"{shown} stands outside of an aggregate, and several rows may go with each row.",
                    text=tokens.text,
                    span=tokens.span(mention.first, mention.last + 2 * whole),
                    hint=f"Write avg({shown}), last({shown}) and the like; or ASOF JOIN for the newest row alone.",
                )

    def _call(self, call: Call) -> None:
        tokens = self._draft.tokens
        self._require_right(call)
        key = tuple(said(tokens, index) for index in range(call.first, call.last))
        known = self.known.get(key)
        if known is None:
            function, given = arguments(self._draft, call, self._right.column)
            if given is None and not call.modified:
                given = self._computed(call)
            known = Aggregate(
                column=f"@a{len(self.known)}",
                function=function,
                arguments=given,
                sql=tokens.slice(call.first, call.last),
                span=tokens.span(call.first, call.last),
            )
            self.known[key] = known
        self.found.edits.append((call.first, call.last, quoted(known.column)))

    def _require_right(self, call: Call) -> None:
        """Refuse an aggregate that reads the left side."""
        tokens = self._draft.tokens
        for mention in mentions(tokens, call.first + 1, call.last):
            if self._left.qualifier(mention):
                raise KadeQLSyntaxError(
                    f"{tokens.names[call.first]} reads {tokens.slice(mention.first, mention.last)}, of which each row has one value.",
                    text=tokens.text,
                    span=tokens.span(mention.first, mention.last),
                    hint=f"An aggregate beside WINDOW JOIN reads columns of {self._right.alias}; use others outside of it.",
                )

    def _computed(self, call: Call) -> tuple[Name | Constant, ...]:
        """The arguments of a call, those that are expressions as columns that are computed below the join."""
        tokens = self._draft.tokens
        given: list[Name | Constant] = []
        for first, last in listed(tokens, call.first + 2, call.closing):
            mention: Mention | None = is_column(tokens, first, last)
            column = None if mention is None else self._right.column(mention)
            if column is None:
                key = tuple(said(tokens, index) for index in range(first, last))
                column = self._columns.get(key)
                if column is None:
                    column = self._columns[key] = f"@x{len(self._columns)}"
                    self.found.computed.append(((first, last), column))
            given.append(Name(column, tokens.span(first, last)))
        return tuple(given)


def _results(draft: Draft, items: Range, left: Item, found: Collected) -> None:
    """Let stars leave the aggregates' columns out, and give results the names that they would have."""
    tokens = draft.tokens
    hidden = ", ".join(quoted(one.column) for one in found.aggregates)
    for first, last in listed(tokens, *listed_items(tokens, items)):
        if tokens.words[first] == "*":
            found.edits.append(excluded(tokens, (first, last), hidden))
            continue
        own = tokens.names[first].casefold() == left.name.casefold()
        if own and tokens.follows(first + 1, last, ".", "*"):
            found.edits.append(excluded(tokens, (first + 2, last), hidden))
            continue
        begin, end, label = labelled(tokens, first, last)
        if label is None and any(begin <= place < end for place, _, _ in found.edits):
            name = result_name(draft, begin, end)
            found.inserts.append((end - 1, f" AS {quoted(name)}"))

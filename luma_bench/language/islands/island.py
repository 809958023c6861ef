"""What an island is: a name, how it is recognised in a token stream, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from luma_bench.language.draft import Draft
from luma_bench.language.refusals import Refusal

Finder = Callable[[Draft, int], int | None]
"""From a draft and a trigger's token to the end of the construct's leading words, or None when it is just a name."""

Parser = Callable[[Draft, int, int], None]
"""From a draft, the trigger's token and the end that the finder gave: edit the draft, or raise."""


@dataclass(frozen=True, slots=True)
class Island:
    """A construct of KadeQL inside a query.

    Attributes
    ----------
    name
        What messages call it.
    triggers
        The words, in upper case, that may begin it.
    find
        Whether it stands here, and how far its leading words go.
    parse
        Reads it: edits the draft, or refuses.
    refusal
        Why it does not run, of one that is refused.
    early
        Whether it changes the SELECT around it, and so is read before anything in that SELECT is.
    """

    name: str
    triggers: frozenset[str]
    find: Finder
    parse: Parser
    refusal: Refusal | None = None
    early: bool = False


def refused(triggers: str, find: Finder, refusal: Refusal) -> Island:
    """An island that is recognised and refused, with the caret under its leading words."""

    def parse(draft: Draft, index: int, end: int) -> None:
        raise refusal.error(draft.tokens.text, draft.tokens.span(index, end))

    return Island(refusal.what, frozenset(triggers.split()), find, parse, refusal)

"""What a regular expression says of its groups: their names, and which of them need not take part in a match."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from luma_bench.errors import UnsupportedError


@dataclass(slots=True)
class _Open:
    """A parenthesis on the way: where its body starts, its number when it captures, and what stands in it."""

    start: int
    number: int | None
    branches: bool = False
    inside: list[int] = field(default_factory=list[int])


def groups(pat: str) -> list[str]:
    """The names of the groups of a regular expression, or their numbers from 0.

    Raises
    ------
    UnsupportedError
        It is no regular expression, or has no groups.
    """
    found = _compiled(pat)
    if not found.groups:
        raise UnsupportedError(
            f"The pattern {pat!r} has no groups.", hint="Put parentheses around what to extract."
        )
    named = {place: name for name, place in found.groupindex.items()}
    return [named.get(place + 1, str(place)) for place in range(found.groups)]


def never_empty(pat: str) -> frozenset[int]:
    """The numbers (from 1) of the groups that a match may leave out, and that hold at least a character otherwise.

    Engines give an empty text for a group that took no part: for these it means that.
    """
    left_out: set[int] = set()
    bodies: dict[int, str] = {}
    around = _Open(0, None)
    stack = [around]
    count = place = 0
    while place < len(pat):
        sign = pat[place]
        top = stack[-1]
        if sign == "\\":
            place += 1
        elif sign == "[":
            place = _class_end(pat, place)
        elif sign == "|":
            top.branches = True
        elif sign == "(":
            captures = pat[place + 1 : place + 2] != "?" or pat.startswith(("(?P<", "(?<"), place)
            count += captures
            named = re.compile(r"\(\?P?<\w+>").match(pat, place)
            start = named.end() if named else place + 1
            stack.append(_Open(start, count if captures else None))
        elif sign == ")" and len(stack) > 1:
            closed = stack.pop()
            inside = closed.inside
            if closed.branches:
                left_out.update(inside)
            if closed.number is not None:
                bodies[closed.number] = pat[closed.start : place]
                inside = [*inside, closed.number]
            if pat.startswith(("?", "*", "{0"), place + 1):
                left_out.update(inside)
            stack[-1].inside += inside
        place += 1
    if around.branches:
        left_out.update(around.inside)
    return frozenset(number for number in left_out if not _compiled(bodies[number]).fullmatch(""))


def _class_end(pat: str, start: int) -> int:
    """The place of the bracket that closes a class of characters."""
    place = start + 1
    place += pat.startswith("^", place)
    place += pat.startswith("]", place)  # one that comes first is one of the characters
    while place < len(pat) and pat[place] != "]":
        place += 2 if pat[place] == "\\" else 1
    return place


def _compiled(pat: str) -> re.Pattern[str]:
    try:
        return re.compile(pat)
    except re.error as error:
        raise UnsupportedError(
            f"{pat!r} is no regular expression: {error}.", hint="Escape what is text."
        ) from error

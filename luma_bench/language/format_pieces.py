"""The tokens of a text as the formatter prints them: with their case, the comments around them, and what parts them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.format_match import Pattern
from luma_bench.language.format_words import Words, operand_ends
from luma_bench.language.keywords import split
from luma_bench.language.lexical import INVISIBLE, regions
from luma_bench.language.tokens import NUMBER, STRING, Tokens

_SYMBOLS: Final = frozenset("+-*/%<>=~!@#^&|?:\\")
# Of these and a sign no operator is made: SQL reads a*-1 as a * -1.
_BEFORE_SIGN: Final = frozenset({"*", "/", "+", "-", "<", ">", "=", "<=", ">=", "<>"})
_HEADS: Final = frozenset(split("INTO TABLE EXISTS REFERENCES UPDATE COPY VIEW"))
"""A name behind one of these is a table's, so a list of columns behind it stands apart."""
_CALLED: Final = frozenset(split("CAST TRY_CAST ARRAY COLUMNS"))
_UNPARTED: Final = frozenset({",", ";", ")", "]", "}"})
_OPENING: Final = frozenset({"(", "[", "{"})


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment as written.

    Attributes
    ----------
    leads
        Whether nothing stands before it on its line.
    own_line
        Whether nothing else stands on its line.
    ends_line
        Whether nothing may stand behind it on its line.
    apart
        Whether an empty line stands before it.
    """

    text: str
    leads: bool
    own_line: bool
    ends_line: bool
    apart: bool


@dataclass(slots=True)
class Piece:
    """One token.

    Attributes
    ----------
    text
        What is printed: the source, a keyword in upper case.
    word
        As in `Tokens.words`.
    keyword
        Whether it is a keyword.
    space
        Whether a space parts it from the piece before it on a line.
    before, after
        The comments on lines of their own before it or right before it, and those behind it on its line.
    new_line
        Whether a line break before it is part of the meaning: SQL joins strings on lines of their own.
    apart
        Whether a blank line or a comment parts it from what stands before it; asked for at the begin of a statement.
    """

    text: str
    word: str
    keyword: bool
    space: bool = True
    before: list[Comment] = field(default_factory=list[Comment])
    after: list[Comment] = field(default_factory=list[Comment])
    new_line: bool = False
    apart: bool = False


def pieces_of(tokens: Tokens) -> tuple[list[Piece], list[Comment]]:
    """The pieces of a text, and the comments behind the last of them.

    Raises
    ------
    KadeQLSyntaxError
        Characters stand between the tokens that are neither space nor comment.
    """
    keywords = Words(tokens).keywords
    pieces: list[Piece] = []
    rest: list[Comment] = []
    position = 0
    brackets: list[str] = []
    pattern = Pattern(tokens)
    for index in range(len(tokens) + 1):
        start = tokens.starts[index] if index < len(tokens) else len(tokens.text)
        found, gap = comments_between(tokens.text, position, start), tokens.text[position:start]
        if index == len(tokens):
            last = pieces[-1].after if pieces else rest
            behind = next((at for at, one in enumerate(found) if one.leads), len(found))
            last += found[:behind]
            rest += found[behind:]
            break
        word, keyword = tokens.words[index], keywords[index]
        raw = tokens.text[start : tokens.ends[index]]
        tail = gap[gap.rfind(found[-1].text) + len(found[-1].text) :] if found else gap
        piece = Piece(raw.upper() if keyword else raw, word, keyword)
        _share(found, pieces[-1] if pieces else None, piece, _breaks(tail))
        piece.apart = tail.count("\n") > 1
        if index and word == STRING and tokens.words[index - 1] == STRING:
            piece.new_line = _breaks(gap)
        if word in (")", "]", "}") and brackets:
            brackets.pop()
        depth = len(brackets) + (word in (")", "]", "}"))
        pattern.enter(index, keyword, depth)
        if index:
            adjacent = not gap
            parted = pattern.parted(index, depth, adjacent=adjacent)
            piece.space = _parted(tokens, keywords, index, adjacent, brackets) if parted is None else parted
        if word in _OPENING:
            brackets.append(word)
        pieces.append(piece)
        position = tokens.ends[index]
    return pieces, rest


def comments_between(text: str, start: int, end: int) -> list[Comment]:
    """The comments of a stretch of text that holds nothing else but space.

    Raises
    ------
    KadeQLSyntaxError
        It does hold something else.
    """
    gap = text[start:end]
    if _is_space(gap):
        return []
    places: list[tuple[int, int, bool]] = []
    position = 0
    for region in regions(gap):
        if region.kind not in ("line", "block") or not _is_space(gap[position : region.start]):
            break
        places.append((region.start, region.end, region.kind == "line"))
        position = region.end
    if not _is_space(gap[position:]):
        place = start + position
        raise KadeQLSyntaxError(
            "This text cannot be read.",
            text=text,
            span=(place, place + 1),
            hint="Check its quotes, comments and special characters.",
        )
    if not places:
        return []
    found: list[Comment] = []
    stops = [*(begin for begin, _, _ in places[1:]), len(gap)]
    position = 0
    for (begin, stop, is_line), following in zip(places, stops, strict=True):
        between, behind = gap[position:begin], gap[stop:following]
        leads = _breaks(between) or (start == 0 and position == 0)
        body = gap[begin:stop].rstrip() if is_line else gap[begin:stop]
        own = leads and (is_line or _breaks(behind))
        found.append(Comment(body, leads, own, is_line, between.count("\n") > 1))
        position = stop
    return found


def _breaks(gap: str) -> bool:
    return "\n" in gap or "\r" in gap


def _is_space(gap: str) -> bool:
    return all(char.isspace() or char in INVISIBLE for char in gap)


def _share(found: list[Comment], before: Piece | None, piece: Piece, breaks: bool) -> None:
    """Give the comments of a gap to the piece whose line they stand on; `breaks`: a line break follows them."""
    trails = before is not None and (breaks or any(one.leads or one.ends_line for one in found))
    for comment in found:
        trails = trails and not comment.leads
        if trails and before is not None:
            before.after.append(comment)
            trails = not comment.ends_line
        else:
            piece.before.append(comment)


def _parted(tokens: Tokens, keywords: list[bool], index: int, adjacent: bool, brackets: list[str]) -> bool:
    """Whether a space stands between token `index` and the one before it."""
    first, second = tokens.words[index - 1], tokens.words[index]
    if second in _UNPARTED or first in _OPENING or first == "$":
        return False
    if first == "." or second == ".":
        numbers = NUMBER in (tokens.words[index - 2] if index > 1 and first == "." else first, second)
        return not adjacent if numbers else False
    if "::" in (first, second):
        return not adjacent and first[0] in _SYMBOLS and second[0] in _SYMBOLS
    if ":" in (first, second):
        if brackets[-1:] == ["{"]:
            return first == ":"
        return not adjacent
    if first[0] in _SYMBOLS and second[0] in _SYMBOLS:
        return _between_symbols(tokens, keywords, index, adjacent)
    if second == "(":
        return _parted_from_bracket(tokens, keywords, index - 1, adjacent)
    if second in ("[", "{"):
        return not adjacent or keywords[index - 1] or first == ","
    if first in ("->", "->>", "%", "#", "!", "?") or second in ("->", "->>", "%", "?"):
        return not adjacent
    if first[0] in _SYMBOLS:
        return _is_binary(tokens, keywords, index - 1)
    if adjacent and second[0] not in _SYMBOLS and first not in (",", ")", "]", "}", ";"):
        # x'1F', 0x1F: what stands together may be one token to DuckDB.
        return keywords[index] and first == NUMBER
    return True


def _between_symbols(tokens: Tokens, keywords: list[bool], index: int, adjacent: bool) -> bool:
    """Two symbols: together as they were, since they may be one operator; but for a star and a sign."""
    first, second = tokens.words[index - 1], tokens.words[index]
    if first == "*" and (index < 2 or not operand_ends(tokens, index - 2, keywords[index - 2])):
        return True
    if first in _BEFORE_SIGN and second in ("-", "+") and _is_binary(tokens, keywords, index - 1):
        return True
    return not adjacent


def _is_binary(tokens: Tokens, keywords: list[bool], index: int) -> bool:
    """Whether the symbol has two sides; a star without a left side is a value, and what follows it stands apart."""
    if tokens.words[index] == "*" or index == 0:
        return True
    return tokens.words[index] in (":=", "=>") or operand_ends(tokens, index - 1, keywords[index - 1])


def _parted_from_bracket(tokens: Tokens, keywords: list[bool], index: int, adjacent: bool) -> bool:
    """Whether a space stands between token `index` and the round bracket behind it."""
    word = tokens.words[index]
    if word[0] in _SYMBOLS:
        return _is_binary(tokens, keywords, index)
    if keywords[index]:
        return word not in _CALLED
    if word in (STRING, NUMBER, ")", ",", ";"):
        return not adjacent or word not in (")", STRING, NUMBER)
    if word in ("]", "}"):
        return not adjacent
    place = index
    while place > 1 and tokens.words[place - 1] == ".":
        place -= 2
    before = tokens.words[place - 1] if place else ""
    return place > 0 and before in _HEADS and keywords[place - 1]

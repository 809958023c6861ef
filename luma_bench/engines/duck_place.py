"""Where in a text an error belongs that DuckDB reports without a place: by the names, values and words of its message."""

from __future__ import annotations

import re
from typing import Final

from luma_bench.engines.duck_macros import MACROS
from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.tokens import QUOTED, STRING, Tokens, listed, tokenize

_NAMED: Final = re.compile(r"\"+([^\"]+)\"+|'([^']+)'")
_CAPITALS: Final = re.compile(r"\b[A-Z]{2,}\b")
_BY_WORDS: Final = (
    ("Overflow in addition", ("+",)),
    ("Overflow in subtraction", ("-",)),
    ("Overflow in multiplication", ("*",)),
    ("Division by zero", ("//", "%")),
    ("Set operations", ("UNION", "INTERSECT", "EXCEPT")),
    ("Frame ", ("ROWS", "RANGE", "GROUPS")),
    ("window functions", ("OVER",)),
    ("Sample ", ("TABLESAMPLE", "SAMPLE")),
    ("interval cannot be 0", ("RANGE", "GENERATE_SERIES")),
    ("map key", ("MAP",)),
    ("UTF8 Codepoint", ("CHR",)),
    ("* expression", ("*",)),
    ("regular expression", ("REGEXP_MATCHES",)),
)
_OVER: Final = "Window function macro bodies"
_QUANTILE: Final = "dd_quantile"
_SELECT: Final = "SELECT clause without selection list"
_AFTER_NOTHING: Final = frozenset({"", "FROM", "WHERE", "GROUP", "ORDER", "LIMIT", ")", ";", "UNION"})
_REGEX: Final = re.compile(r"^(?:missing|invalid|unexpected|no argument for|bad) ")


def place_of(message: str, text: str) -> tuple[int, int] | None:
    """The span of what a message speaks of; the whole text where nothing of it can be found, None for no text."""
    try:
        tokens = tokenize(text)
    except KadeQLSyntaxError:
        return None
    if not len(tokens):
        return None
    call = _series_call(message, tokens)
    if call is not None:
        return tokens.span(*call)
    index = _token(message, tokens)
    return tokens.span(0, len(tokens)) if index is None else tokens.span(index)


def _series_call(message: str, tokens: Tokens) -> tuple[int, int] | None:
    """The call of an aggregate of series that a message is about, as half-open tokens."""
    over, quantile = message.startswith(_OVER), message.startswith(_QUANTILE)
    if not over and not quantile:
        return None
    found: list[tuple[int, int]] = []
    for at in range(len(tokens) - 1):
        name = tokens.names[at].casefold()
        if tokens.words[at + 1] != "(" or name not in (MACROS if over else (_QUANTILE,)):
            continue
        close = tokens.closing(at + 1, len(tokens))
        if over and _word(tokens, close + 1) == "OVER":
            return at, close + 1
        if quantile:
            # The one whose numbers are out of range; where they are computed, the first.
            if _out_of_range(tokens, at + 2, close):
                return at, close + 1
            found.append((at, close + 1))
    return found[0] if found else None


def _out_of_range(tokens: Tokens, first: int, last: int) -> bool:
    """Whether the arguments of dd_quantile between two tokens have a number that it does not take."""
    for place, argument in enumerate(listed(tokens, first, last)[1:]):
        try:
            number = float(tokens.slice(*argument).replace(" ", ""))
        except ValueError:
            continue
        if not (0 <= number <= 1) or (place == 1 and number in (0, 1)):
            return True
    return False


def _token(message: str, tokens: Tokens) -> int | None:
    if message.startswith(_SELECT):
        return next((at for at in range(len(tokens)) if tokens.words[at] == "SELECT" and _word(tokens, at + 1) in _AFTER_NOTHING), None)  # fmt: skip
    for said, words in _BY_WORDS:
        if said in message and (found := _only(tokens, words)) is not None:
            return found
    if message.startswith("Duplicate CTE name"):
        return next((at for at in range(len(tokens) - 2, 0, -1) if tokens.words[at] in (",", "WITH") and f'"{tokens.names[at + 1]}"' in message), 0) + 1  # fmt: skip
    for double, single in _NAMED.findall(message):
        found = _named(tokens, (double or single).casefold())
        if found is not None:
            return found
    if _REGEX.match(message):
        return next((at for at, word in enumerate(tokens.words) if word.startswith("REGEXP_")), None)
    return next(
        (tokens.words.index(word) for word in _CAPITALS.findall(message) if word in tokens.words), None
    )


def _named(tokens: Tokens, name: str) -> int | None:
    """The last token that is this name or holds this text."""
    last = name.rsplit(".", 1)[-1]
    for wanted in dict.fromkeys((name, last)):
        for index in range(len(tokens) - 1, -1, -1):
            if tokens.names[index].casefold() == wanted and (
                tokens.words[index] in (STRING, QUOTED) or tokens.names[index]
            ):
                return index
    return None


def _only(tokens: Tokens, words: tuple[str, ...]) -> int | None:
    """The one token of these words; None when there is none or several."""
    found = [index for index, word in enumerate(tokens.words) if word in words]
    return found[0] if len(found) == 1 else None


def _word(tokens: Tokens, index: int) -> str:
    return tokens.words[index] if index < len(tokens) else ""

"""What is probably wrong at the place where a text stops being SQL, and what to write: rules over the words around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from luma_bench.errors import nearest
from luma_bench.language.keywords import QUERY_STARTS, RESERVED, TYPE_FUNCTION, split
from luma_bench.language.tokens import NUMBER, QUOTED, STRING, Tokens

_ORDER: Final = split("SELECT FROM WHERE GROUP HAVING WINDOW QUALIFY ORDER LIMIT OFFSET")
_CLAUSES: Final = frozenset(_ORDER) | frozenset(split("UNION INTERSECT EXCEPT RETURNING ON USING JOIN"))
_JOIN_WORDS: Final = frozenset(split("LEFT RIGHT FULL INNER CROSS NATURAL ASOF SEMI ANTI OUTER POSITIONAL"))
_CONDITION: Final = "a condition"
_QUERY: Final = "a query"
_NEEDS: Final[dict[str, str]] = {
    **dict.fromkeys(split("WHERE HAVING QUALIFY ON AND OR NOT WHEN"), _CONDITION),
    **dict.fromkeys(split("UNION INTERSECT EXCEPT EXPLAIN"), _QUERY),
    **dict.fromkeys(split("FROM JOIN INTO UPDATE"), "a table"),
    **dict.fromkeys(split("LIMIT OFFSET"), "a number of rows"),
    **dict.fromkeys(split("= < > <= >= <> != + - / || % LIKE ILIKE THEN ELSE"), "a value"),
    "BY": "a column or expression",
    "SELECT": "what to select",
    "VALUES": "a row in brackets: VALUES (1, 'a')",
    "IS": "NULL, TRUE, FALSE or DISTINCT FROM",
    "IN": "a list or a query in brackets: IN (1, 2)",
    "BETWEEN": "two values: BETWEEN low AND high",
    "SET": "column = value",
    "AS": "a name",
    "USING": "columns in brackets: USING (id)",
    "OVER": "a window in brackets: OVER (PARTITION BY a ORDER BY b)",
    "CAST": "a value and a type in brackets: CAST(x AS INTEGER)",
    "CASE": "WHEN condition THEN value",
    **dict.fromkeys(split("GROUP ORDER PARTITION"), "BY and a column"),
    "MATCHED": "THEN and what to do: THEN UPDATE SET …, THEN DELETE",
    ",": "another element, or leave the comma out",
    "(": "something in the brackets",
}
TABLE_FUNCTIONS: Final = split("""
TUMBLE HOP CUMULATE SESSION EWMA DOWNSAMPLE DERIVATIVE DIFFERENCES AUTOCORRELATION SEASONAL_RESIDUALS ROBUST_ZSCORE
CHANGE_POINTS MATRIX_PROFILE FORECAST
""")
"""The functions that take a table and a time: NAME(TABLE t, DESCRIPTOR(ts), …)."""
_BEFORE_TABLES: Final = frozenset(split("FROM JOIN , AS . INTO UPDATE TABLE"))
DEFAULT: Final = "A word, a comma or a bracket is missing, or one too many stands, here or right before."


class _Place:
    """The tokens around an error: `index` is the one that was not expected."""

    __slots__ = ("_tokens", "index")

    def __init__(self, tokens: Tokens, index: int) -> None:
        self._tokens = tokens
        self.index = index

    def word(self, offset: int = 0) -> str:
        index = self.index + offset
        return self._tokens.words[index] if 0 <= index < len(self._tokens) else ""

    def shown(self, offset: int = 0) -> str:
        index = self.index + offset
        return self._tokens.slice(index, index + 1) if 0 <= index < len(self._tokens) else ""

    @property
    def first(self) -> str:
        """The first word of the statement."""
        index = self.index
        while index > 0 and self._tokens.words[index - 1] != ";":
            index -= 1
        return self._tokens.words[index] if index < len(self._tokens) else ""

    @property
    def before(self) -> Sequence[str]:
        """The words before the place, nearest first, of the same brackets."""
        found: list[str] = []
        depth = 0
        for index in range(self.index - 1, -1, -1):
            word = self._tokens.words[index]
            depth += (word in (")", "]", "}")) - (word in ("(", "[", "{"))
            if depth < 0 or (depth == 0 and word == ";"):
                break
            if depth == 0 and word not in ("(", "[", "{"):
                found.append(word)
        return found

    @property
    def opener(self) -> tuple[str, str]:
        """The bracket that the place is in, and the word before it."""
        depth = 0
        for index in range(self.index - 1, -1, -1):
            word = self._tokens.words[index]
            depth += (word in (")", "]", "}")) - (word in ("(", "[", "{"))
            if depth < 0:
                return word, self._tokens.words[index - 1] if index else ""
        return "", ""

    def is_operand(self, offset: int) -> bool:
        """Whether a name or value stands there."""
        word = self.word(offset)
        if word in (STRING, QUOTED, NUMBER):
            return True
        index = self.index + offset
        return 0 <= index < len(self._tokens) and bool(self._tokens.names[index]) and word not in RESERVED


def _pairs(at: _Place) -> str | None:
    if at.word(-1) in ("GROUP", "ORDER", "PARTITION") and at.word() != "BY":
        return f"Write {at.word(-1)} BY."
    if at.word(-1) in _JOIN_WORDS and at.is_operand(0):
        return f"Write {at.word(-1)} JOIN {at.shown()} ON …"
    if at.word(-1) == "LATERAL":
        return "LATERAL takes a subquery: LATERAL (SELECT …)."
    if at.word(-1) == "EXCLUDE" and at.word() in RESERVED:
        return "Name the columns: * EXCLUDE (a, b)."
    if at.word() == "VERSION" and at.word(-1) == "AT":
        return "Put it in brackets: AT (VERSION => 3)."
    return None


def _other_systems(at: _Place) -> str | None:
    if at.word(-1) == "TOP" and at.word() == NUMBER:
        return f"Write LIMIT at the end of the query: SELECT … LIMIT {at.shown()}."
    if at.word() == "INTO" and "SELECT" in at.before:
        return "Keep a query's rows with CREATE TABLE x AS SELECT …"
    if at.word() == ":" and at.is_operand(1):
        return f"Write a parameter as ${at.shown(1)}."
    if at.word() == "," and at.word(-2) == "LIMIT":
        return f"Write LIMIT {at.shown(1) or 'n'} OFFSET {at.shown(-1)}."
    if "IF" in at.before[:2] and "IF" in (at.word(-1), at.word(-2)):
        return "Write CASE WHEN condition THEN a ELSE b END, or if(condition, a, b)."
    return None


def _constructs(at: _Place) -> str | None:
    before = at.before
    bracket, owner = at.opener
    if at.word(-1) == "AS" and at.word() in QUERY_STARTS and "WITH" in before:
        return "Put the query in brackets: WITH a AS (SELECT …) SELECT …"
    if before.count("CASE") > before.count("END"):
        if before[0] == "CASE":
            return "Write CASE WHEN condition THEN value … END."
        if "WHEN" in before and "THEN" not in before[: before.index("WHEN")]:
            return "Write WHEN condition THEN value."
        return "Close CASE with END."
    if bracket == "(" and owner in ("CAST", "TRY_CAST"):
        return f"Write {owner}(value AS type)."
    if bracket == "(" and owner == "OVER":
        return "Write OVER ([PARTITION BY a] [ORDER BY b] [ROWS BETWEEN 1 PRECEDING AND CURRENT ROW])."
    if bracket == "(" and owner == "EXISTS":
        return "EXISTS takes a query: EXISTS (SELECT …)."
    if at.word(-1) == "VALUES" and at.word() != "(":
        return "Put each row in brackets: VALUES (1, 'a'), (2, 'b')."
    if at.word(-1) == "USING" and at.is_operand(0):
        return f"Put the columns in brackets: USING ({at.shown()})."
    if "BETWEEN" in before[:4] and "AND" not in before[: before.index("BETWEEN")]:
        return "Write BETWEEN low AND high."
    if at.word() == ")" and at.word(1) in ("", ";") and at.first == "WITH":
        return "A query stands behind the WITH list: WITH a AS (SELECT …) SELECT * FROM a."
    if at.word() == ")" and at.word(-1) == "(":
        return "Give something in the brackets."
    return None


def _clause_order(at: _Place) -> str | None:
    word = at.word()
    if word not in _ORDER:
        return None
    rank = _ORDER.index(word)
    later = next((one for one in at.before if one in _ORDER and _ORDER.index(one) >= rank), None)
    # A query that begins with FROM has SELECT behind it.
    if later is None or (later == word and word == "SELECT"):
        return None
    if later == word:
        return f"A query has one {word}: take one of the two out."
    return f"{word} stands before {later}: SELECT, FROM, WHERE, GROUP BY, HAVING, WINDOW, QUALIFY, ORDER BY, LIMIT."


def _joins(at: _Place) -> str | None:
    before = at.before
    if "JOIN" not in before:
        return None
    since = before[: before.index("JOIN")]
    kind = before[before.index("JOIN") + 1] if len(before) > before.index("JOIN") + 1 else ""
    if at.word() in ("ON", "USING") and kind in ("CROSS", "NATURAL", "POSITIONAL"):
        return f"{kind} JOIN has no condition: leave {at.word()} out, or write JOIN alone."
    ends = at.word() in ("", ")", ";") or at.word() in _CLAUSES
    if ends and since and not {"ON", "USING"} & set(since) and kind not in ("CROSS", "NATURAL", "POSITIONAL"):
        return "Give the JOIN a condition: ON a.id = b.id, or USING (id); CROSS JOIN takes every pair."
    return None


def _missing(at: _Place) -> str | None:
    last = at.word(-1)
    if last in _NEEDS and (at.word() in ("", ")", "]", ",", ";") or at.word() in RESERVED):
        return f"Write {_NEEDS[last]} behind {last}."
    return None


def _names(at: _Place) -> str | None:
    named = at.word(-1) in (".", "FROM", "JOIN", "TABLE", "AS", "INTO", "UPDATE")
    if (at.word() in RESERVED and named) or (
        at.word() in TYPE_FUNCTION and (named or at.word(-1) in (",", "("))
    ):
        return f'To use the word as a name, quote it: "{at.shown()}".'
    if at.is_operand(0) and (at.is_operand(-1) or at.word(-1) in (")", "]", "}", "END", "NULL", "*")):
        return f"A comma, an operator or a keyword is missing before {at.shown()}."
    return None


_RULES: Final[tuple[Callable[[_Place], str | None], ...]] = (
    _pairs, _other_systems, _constructs, _joins, _clause_order, _missing, _names,
)  # fmt: skip


def misread(tokens: Tokens, index: int) -> tuple[str, int, str] | None:
    """A construct of KadeQL that is not complete, or misspelt, where the token at `index` was not expected.

    Returns
    -------
    tuple or None
        What is wrong, the token that it begins at, and what to write; None when it is nothing of the kind.
    """
    place = _Place(tokens, index)
    for back in (0, -1):
        if _is_latest(place, back):
            wrong = "LATEST needs the time, and what tells series apart."
            return wrong, index + back, _latest(place, back)
    if place.word() == "TABLE" and place.word(-1) == "(" and index > 1 and tokens.names[index - 2]:
        near = nearest(place.word(-2), TABLE_FUNCTIONS, 1)
        hint = f"Did you mean {near[0]}?" if near else f"These do: {', '.join(TABLE_FUNCTIONS)}."
        return f"{place.shown(-2)} takes no TABLE.", index - 2, hint
    return None


def _is_latest(at: _Place, back: int) -> bool:
    """Whether LATEST stands there as the word of a construct: no table's name, and no alias before a join's ON."""
    if at.word(back) != "LATEST" or at.word(back - 1) in _BEFORE_TABLES:
        return False
    before = at.before
    if "JOIN" in before and not {"ON", "USING"} & set(before[: before.index("JOIN")]):
        return False
    following = at.word(back + 1)
    return following in ("ON", "BY") or (following == "PARTITION" and at.word(back + 2) == "BY")


def _latest(at: _Place, back: int) -> str:
    """How LATEST ON is written, with the column that stands there."""
    following = at.word(back + 1)
    column = at.shown(back + (3 if following == "PARTITION" else 2))
    named = at.is_operand(back + (3 if following == "PARTITION" else 2))
    time = column if named and following == "ON" else "ts"
    key = column if named and following != "ON" else "key"
    return f"Write LATEST ON {time} PARTITION BY {key}, behind WHERE: the newest row of each {key}."


def syntax_hint(tokens: Tokens, index: int) -> str:
    """What to write where the token at `index` was not expected; `len(tokens)` for the end of the text."""
    place = _Place(tokens, index)
    return next((found for rule in _RULES if (found := rule(place)) is not None), DEFAULT)


def ends_early(tokens: Tokens, index: int, last: int) -> str | None:
    """What is missing when the statement ends behind the token at `index`, its last; None when something else is wrong.

    `last` is where the statement ends.
    """
    if index != last - 1:
        return None
    word = tokens.words[index]
    if word == "NAME" and index and tokens.words[index - 1] == "BY":
        return _QUERY
    if word in _NEEDS and word not in (",", "("):
        return _NEEDS[word]
    hint = _joins(_Place(tokens, last))
    return "ON and a condition" if hint is not None else None

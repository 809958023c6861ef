"""Which bare words of a statement are keywords: those the formatter writes in upper case, and no other.

A word is a keyword by where it stands. DuckDB's reserved words are, but for a name behind a dot, an alias behind AS, or the
name of an argument; every other word only between the neighbours that make it one, so that a name is never touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from luma_bench.language.format_match import MatchWords, defines_graph, definition_keyword
from luma_bench.language.format_series import series_keyword
from luma_bench.language.keywords import QUERY_STARTS, RESERVED, STATEMENT_STARTS, split
from luma_bench.language.tokens import NUMBER, QUOTED, STRING, Tokens

_JOINS: Final = frozenset(split("NATURAL ASOF POSITIONAL CROSS INNER LEFT RIGHT FULL OUTER SEMI ANTI"))
_LEADERS: Final = frozenset(STATEMENT_STARTS) | frozenset(
    split("""
    PREPARE EXECUTE DEALLOCATE START ABORT END CHECKPOINT CALL REFRESH SET RESET USE PRAGMA ATTACH DETACH LOAD INSTALL
    EXPORT IMPORT VACUUM OPTIONAL DESC SAVEPOINT RELEASE
    """)
)
_UNITS: Final = frozenset(
    split("""
    YEAR YEARS QUARTER QUARTERS MONTH MONTHS WEEK WEEKS DAY DAYS HOUR HOURS MINUTE MINUTES SECOND SECONDS MILLISECOND
    MILLISECONDS MICROSECOND MICROSECONDS DECADE DECADES CENTURY CENTURIES MILLENNIUM MILLENNIA
    """)
)
# A word that is a keyword when one of these words stands right before it.
_BEHIND: Final[Mapping[str, frozenset[str]]] = {
    "BY": frozenset(split("GROUP ORDER PARTITION SAMPLE ALL UNION INTERSECT EXCEPT SORTED PARTITIONED")),
    "REPLACE": frozenset({"OR"}),
    "TEMP": frozenset({"CREATE", "REPLACE"}),
    "TEMPORARY": frozenset({"CREATE", "REPLACE"}),
    "RECURSIVE": frozenset({"WITH", "CREATE", "REPLACE"}),
    "VIEW": frozenset(
        split("CREATE REPLACE DROP ALTER RECURSIVE MATERIALIZED ON SHOW TEMP TEMPORARY REFRESH")
    ),
    "SCHEMA": frozenset(split("CREATE REPLACE DROP ALTER ON")),
    "SEQUENCE": frozenset(split("CREATE REPLACE DROP ALTER ON TEMP TEMPORARY")),
    "INDEX": frozenset(split("CREATE REPLACE DROP ALTER UNIQUE VECTOR TEXT")),
    "MACRO": frozenset(split("CREATE REPLACE DROP")),
    "FUNCTION": frozenset(split("CREATE REPLACE DROP")),
    "TYPE": frozenset(split("CREATE REPLACE DROP DATA")),
    "DATA": frozenset({"SET"}),
    "PROPERTY": frozenset(split("CREATE REPLACE DROP")),
    "VECTOR": frozenset(split("CREATE REPLACE DROP")),
    "TEXT": frozenset(split("CREATE REPLACE DROP")),
    "PROCEDURE": frozenset(split("CREATE REPLACE DROP")),
    "GRAPH": frozenset({"PROPERTY"}),
    "SNAPSHOT": frozenset({"TAG"}),
    "TRANSACTION": frozenset({"BEGIN", "START", "COMMIT", "ROLLBACK"}),
    "WORK": frozenset({"BEGIN", "COMMIT", "ROLLBACK"}),
    "READ": frozenset({"BEGIN", "TRANSACTION", "WORK"}),
    "WRITE": frozenset({"READ"}),
    "KEY": frozenset({"PRIMARY", "FOREIGN", "USING"}),
    "SETS": frozenset({"GROUPING"}),
    "ZONE": frozenset({"TIME"}),
    "ORDINALITY": frozenset({"WITH"}),
    "TIES": frozenset({"WITH"}),
    "SAMPLE": frozenset({"USING"}),
    "MATCHED": frozenset({"WHEN", "NOT"}),
    "CONFLICT": frozenset({"ON"}),
    "NOTHING": frozenset({"DO"}),
    "CASCADE": frozenset({"DELETE", "UPDATE"}),
    "TABLES": frozenset({"SHOW", "ALL", "VERTEX", "EDGE"}),
    "SCHEMAS": frozenset({"SHOW"}),
    "VIEWS": frozenset({"SHOW"}),
    "SEQUENCES": frozenset({"SHOW"}),
    "PERCENT": frozenset({NUMBER}),
}
# A word that is a keyword when one of these words stands right behind it.
_BEFORE: Final[Mapping[str, frozenset[str]]] = {
    "PARTITION": frozenset({"BY"}),
    "GROUPING": frozenset({"SETS"}),
    "WITHIN": frozenset({"GROUP"}),
    "NULLS": frozenset({"FIRST", "LAST"}),
    "IGNORE": frozenset({"NULLS"}),
    "RESPECT": frozenset({"NULLS"}),
    "SAMPLE": frozenset({"BY"}),
    "VERTEX": frozenset({"TABLES"}),
    "EDGE": frozenset({"TABLES"}),
    "MATERIALIZED": frozenset({"VIEW"}),
}
_OPERATORS: Final = frozenset(split("BETWEEN LIKE ILIKE GLOB SIMILAR IS ISNULL NOTNULL OVERLAPS ESCAPE"))
_WINDOW: Final = frozenset(split("PARTITION ORDER ROWS RANGE GROUPS"))
_FRAMES: Final = frozenset(split("UNBOUNDED PRECEDING FOLLOWING CURRENT ROW TIES NO OTHERS BETWEEN EXCLUDE"))
_FRAMED: Final = _FRAMES | frozenset(split("ROWS RANGE GROUPS AND GROUP")) | {NUMBER, STRING, ")"}
_ARGUMENT: Final = frozenset({":=", "=>", ":"})
_ENDS: Final = frozenset({"", ",", ";", ")", "]", "}"})
_CLAUSES: Final = _ENDS | frozenset(
    split("FROM WHERE GROUP HAVING ORDER LIMIT OFFSET UNION INTERSECT EXCEPT QUALIFY WINDOW USING ON JOIN")
)


def operand_ends(tokens: Tokens, index: int, keyword: bool) -> bool:
    """Whether the token can be the end of a value, so that an operator behind it has two sides."""
    word = tokens.words[index]
    if word in (")", "]", "}", STRING, QUOTED, NUMBER):
        return True
    if not tokens.names[index]:
        return len(word) > 1 and word[0] == "." and word[1].isdecimal()
    return not keyword or word in ("END", "NULL", "TRUE", "FALSE", "DEFAULT", "ROW")


class Words:
    """Reads the tokens of one text from left to right, and remembers which words were keywords.

    Attributes
    ----------
    keywords
        For each token whether it is a keyword.
    """

    __slots__ = ("_defines", "_first", "_into", "_matches", "_opened", "_opening", "_tokens", "keywords")

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self.keywords = [False] * len(tokens)
        # The open brackets, the opening one of each that is closed, the first word of the present
        # statement, and whether INTO stood in it.
        self._opened: list[int] = []
        self._opening: dict[int, int] = {}
        self._first, self._into = "", False
        self._matches = MatchWords(tokens)
        self._defines = False
        for index, word in enumerate(tokens.words):
            if word in ("(", "[", "{"):
                self._opened.append(index)
            elif word in (")", "]", "}"):
                self._opening[index] = self._opened.pop()
                self._matches.close(len(self._opened))
            elif word == ";":
                self._matches.close(-1)
            elif word not in (STRING, QUOTED) and tokens.names[index]:
                if self._word(index - 1) in ("", ";"):
                    self._first, self._into = word, False
                    self._defines = defines_graph(tokens, index)
                self.keywords[index] = self._is_keyword(index, word)
                self._into = self._into or word == "INTO"

    def _word(self, index: int) -> str:
        return self._tokens.words[index] if 0 <= index < len(self._tokens) else ""

    def _is_keyword(self, index: int, word: str) -> bool:
        before, after = self._word(index - 1), self._word(index + 1)
        if before in (".", "$") or after in _ARGUMENT:
            return False
        graphs = self._matches.keyword(index, self._opened)
        if graphs is None and self._defines:
            named = index + 1 < len(self._tokens) and self._tokens.is_name(index + 1)
            graphs = definition_keyword(word, before, after, named)
        if graphs is not None:
            return graphs
        operand = operand_ends(self._tokens, index - 1, self.keywords[index - 1]) if index else False
        series = series_keyword(self._tokens, index, self.keywords, self._opened, operand=operand)
        if series is not None and not (before == "AS" and self.keywords[index - 1]):
            return series
        if before == "AS" and self.keywords[index - 1]:
            return self._opens_behind_as(index, word, after)
        if word in RESERVED:
            # The type keeps the case that its first word has.
            return not (word == "WITH" and after == "TIME")
        if before in ("", ";"):
            return word in _LEADERS and after not in (".", "=")
        if before in _BEHIND.get(word, ()) and (self.keywords[index - 1] or before == NUMBER):
            return True
        if after in _BEFORE.get(word, ()) and before != ",":
            return True
        if self._in_window() and self._frames(word, before):
            return True
        return self._by_place(index, word, before, after) or self._by_statement(index, word, before, after)

    def _opens_behind_as(self, index: int, word: str, after: str) -> bool:
        """Whether a word behind AS begins a query or a CTE's list, rather than being an alias or a type."""
        if word in ("MATERIALIZED", "NOT"):
            return after in ("(", "MATERIALIZED")
        if self._opened or after in _CLAUSES:
            return False
        return word in QUERY_STARTS or (self._first in ("PREPARE", "CREATE") and word in _LEADERS)

    def _in_window(self) -> bool:
        """Whether the innermost brackets are those of OVER (…) or WINDOW w AS (…)."""
        if not self._opened:
            return False
        opening = self._opened[-1]
        before = self._word(opening - 1)
        return before == "OVER" or (before == "AS" and self._word(opening + 1) in _WINDOW)

    def _frames(self, word: str, before: str) -> bool:
        """Whether the word belongs to a window's frame; it stands inside of the window's brackets."""
        if word in ("ROWS", "RANGE", "GROUPS"):
            return before not in ("BY", ",", "AS")
        return word in _FRAMES and before in _FRAMED

    def _by_place(self, index: int, word: str, before: str, after: str) -> bool:
        operand = operand_ends(self._tokens, index - 1, self.keywords[index - 1])
        if word in _OPERATORS:
            return (operand or before == "NOT") and (after not in _ENDS or word in ("ISNULL", "NOTNULL"))
        if word in _JOINS:
            return after in _JOINS or after == "JOIN"
        if word in ("IF", "EXISTS"):
            return self._asks(index, word, before, after)
        if word in _UNITS:
            return self._measures(index)
        match word:
            case "JOIN":
                return operand or before in _JOINS
            case "OVER" | "FILTER":
                return before == ")" and (after == "(" or (word == "OVER" and after not in _ENDS))
            case "VALUES":
                # Behind a table it is an alias with names for its columns, but for the rows of an INSERT.
                return after == "(" and (not operand or (self._into and not self._opened))
            case "CAST" | "TRY_CAST":
                return after == "("
            case "INTERVAL":
                return after in (STRING, NUMBER, "$", "(") and not operand
            case "EXCLUDE" | "REPLACE" | "RENAME":
                return after not in _ENDS and (before == "*" or (after == "(" and self._follows_star(index)))
            case "ROLLUP" | "CUBE":
                return after == "(" and before in ("BY", ",")
            case "AT":
                return operand and after in ("TIME", "(")
            case "TIME":
                return before == "AT" and after == "ZONE"
            case "TABLESAMPLE":
                return operand
            case _:
                return False

    def _by_statement(self, index: int, word: str, before: str, after: str) -> bool:
        """Words of statements that change something, and of KadeQL's own constructs."""
        first = self._first
        if word in _LEADERS and not self._opened and after not in _ENDS:
            if before in ("EXPLAIN", "ANALYZE"):
                return self.keywords[index - 1]
            # WITH a AS (…) UPDATE …; EXPLAIN (FORMAT json) DELETE …
            if before == ")" and word in ("UPDATE", "MERGE", "MATCH", "INSERT", "DELETE"):
                return self._word(self._opening[index - 1] - 1) in (
                    "AS",
                    "MATERIALIZED",
                    "EXPLAIN",
                    "ANALYZE",
                )
        if word in ("UPDATE", "DELETE", "INSERT"):
            return before in ("THEN", "DO") and first in ("MERGE", "WITH", "INSERT", "PREPARE", "EXPLAIN")
        match word:
            case "SET":
                changes = ("UPDATE", "WITH", "PREPARE", "EXPLAIN", "ALTER", "INSERT", "MERGE")
                return (
                    first in changes
                    and not self._opened
                    and before not in (",", "SET", ".")
                    and after not in _ENDS
                )
            case "NAME":
                return before == "BY" and self._word(index - 2) not in (
                    "GROUP",
                    "ORDER",
                    "PARTITION",
                    "SAMPLE",
                )
            case "BY":
                return before == "MATCHED"
            case "SOURCE" | "TARGET":
                return before == "BY" and self._word(index - 2) == "MATCHED"
            case "ADD" | "RENAME" | "ALTER" | "DROP" | "RESET":
                return first == "ALTER" and before not in (
                    "TABLE",
                    "EXISTS",
                    "COLUMN",
                    "TO",
                    "RENAME",
                    ",",
                    "(",
                )
            case _:
                return False

    def _asks(self, index: int, word: str, before: str, after: str) -> bool:
        """EXISTS (…), and IF [NOT] EXISTS before a name."""
        if word == "IF":
            return after == "EXISTS" or (after == "NOT" and self._word(index + 2) == "EXISTS")
        return after == "(" or before == "IF" or (before == "NOT" and self._word(index - 2) == "IF")

    def _measures(self, index: int) -> bool:
        """Whether INTERVAL and its number stand before a unit."""
        before = index - 1
        if self._word(before) in (STRING, NUMBER):
            return self._word(before - 1) == "INTERVAL"
        if self._word(before - 1) == "$":
            return self._word(before - 2) == "INTERVAL"
        if self._word(before) != ")":
            return self._word(before) == "TO" and self._word(before - 1) in _UNITS
        return self._word(self._opening[before] - 1) == "INTERVAL"

    def _follows_star(self, index: int) -> bool:
        """Whether the brackets before the word are those of EXCLUDE, REPLACE or RENAME behind a star."""
        place = self._opening.get(index - 1, 0) - 1
        return place > 0 and self.keywords[place] and self._word(place) in ("EXCLUDE", "REPLACE", "RENAME")

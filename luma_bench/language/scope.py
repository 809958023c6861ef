"""Where tables stand in a query: one walk over the tokens with a stack of brackets and clauses.

It is not a parser. It answers one question that words alone cannot: does a table reference begin at this token? DuckDB's
parser judges the grammar afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from luma_bench.language.graph.recognise import behind_set, is_match_query, match_at
from luma_bench.language.tokens import Tokens


@dataclass(slots=True)
class _Frame:
    """An open bracket: the clause that the walk is in, and whether a query has begun in it."""

    first: int
    bracket: str = "("
    clause: str = ""
    query: bool = False
    asof: bool = False


class Scope:
    """The walk over tokens `first` to `last` of a query.

    `read_as` names tokens that begin a clause as another word does: the USING of a DELETE is a FROM. With `table` the
    range begins behind a FROM.

    Attributes
    ----------
    starts
        The tokens at which a table reference begins: a name, a string, or a table function's name.
    conditions
        The tokens between the table of an ASOF JOIN and the next clause, outside brackets opened there.
    bodies
        The tokens behind a WITH query's closing bracket that begin no SELECT.
    matches
        The MATCH of every graph query, the first of each.
    """

    __slots__ = (
        "_expect",
        "_frames",
        "_tokens",
        "bodies",
        "conditions",
        "first",
        "last",
        "matches",
        "starts",
    )

    def __init__(
        self,
        tokens: Tokens,
        first: int,
        last: int,
        read_as: Mapping[int, str] | None = None,
        *,
        table: bool = False,
    ) -> None:
        self.first = first
        self.last = last
        self.starts: set[int] = set()
        self.conditions: set[int] = set()
        self.bodies: set[int] = set()
        self.matches: set[int] = set()
        self._tokens = tokens
        self._frames = [_Frame(first, clause="FROM" if table else "", query=True)]
        self._expect = table
        words = tokens.words
        for index in range(first, last):
            word = words[index] if read_as is None else read_as.get(index, words[index])
            step = _STEPS.get(word)
            if step is not None and not (
                index > first and words[index - 1] in _LABELS and word not in _BRACKETS
            ):
                step(self, index)
            else:
                self._other(index)

    def _other(self, index: int) -> None:
        if self._expect:
            self._reference(index)
        elif self._frames[-1].asof:
            self.conditions.add(index)
        elif self._frames[-1].clause == "WITH" and self._tokens.words[index - 1] == ")":
            self.bodies.add(index)

    def _match(self, index: int) -> None:
        """MATCH begins a graph query where a query may begin; anywhere else it is a name."""
        frame, words = self._frames[-1], self._tokens.words
        begin = index - 1 if index > frame.first and words[index - 1] == "OPTIONAL" else index
        opens = (
            begin == frame.first
            or (frame.clause == "WITH" and words[begin - 1] == ")")
            or (frame.clause == "PREFIX" and words[begin - 1] in _DESCRIBING)
            or (frame.clause == "EXPRESSION" and behind_set(self._tokens, begin, frame.first))
        )
        # What begins the whole text can be nothing else, and its reader says best what is missing.
        whole = begin == self.first and match_at(self._tokens, begin, self.last) is not None
        if whole or (opens and is_match_query(self._tokens, begin, self.last)):
            self._begin_match(index)
        else:
            self._other(index)

    def _begin_match(self, index: int) -> None:
        frame, begin = self._frames[-1], index
        if index > frame.first and self._tokens.words[index - 1] == "OPTIONAL":
            begin = index - 1
        self.matches.add(index)
        self.starts.discard(begin)
        self.bodies.discard(begin)
        frame.query, frame.clause, frame.asof, self._expect = True, "MATCH", False, False

    def _reference(self, index: int) -> None:
        following = index + 1
        # `f: flights` names the alias first, so the table is still to come.
        if following < self.last and self._tokens.words[following] == ":":
            return
        if self._tokens.words[index] != ":":
            self.starts.add(index)
            self._expect = False

    def _open(self, index: int) -> None:
        bracket = self._tokens.words[index]
        table = self._expect and bracket == "("
        self._expect = table
        self._frames.append(_Frame(index + 1, bracket, "FROM" if table else ""))

    def _close(self, index: int) -> None:
        if len(self._frames) > 1:
            self._frames.pop()
        self._expect = False

    def _select(self, index: int) -> None:
        frame = self._frames[-1]
        frame.query, frame.clause, frame.asof, self._expect = True, "SELECT", False, False

    def _with(self, index: int) -> None:
        frame = self._frames[-1]
        frame.query, self._expect = True, False
        if index == frame.first:
            frame.clause = "WITH"

    def _from(self, index: int) -> None:
        frame, words = self._frames[-1], self._tokens.words
        if index >= 2 and words[index - 1] == "DISTINCT" and words[index - 2] in ("IS", "NOT"):
            return
        # EXTRACT(year FROM x) and TRIM(FROM x) are no clauses; a subquery may begin with FROM.
        leads = (
            index == frame.first and frame.bracket == "(" and not (index >= 2 and words[index - 2] == "TRIM")
        )
        if frame.query or leads:
            frame.query, frame.clause, frame.asof, self._expect = True, "FROM", False, True

    def _join(self, index: int) -> None:
        frame = self._frames[-1]
        frame.clause, frame.asof, self._expect = "FROM", self._is_asof(index), True

    def _is_asof(self, index: int) -> bool:
        before = self._tokens.words[max(self.first, index - 3) : index]
        return "ASOF" in before

    def _on(self, index: int) -> None:
        if self._frames[-1].clause == "FROM":
            self._frames[-1].clause = "ON"
        self._expect = False

    def _expression(self, index: int) -> None:
        frame = self._frames[-1]
        frame.clause, frame.asof, self._expect = "EXPRESSION", False, False

    def _comma(self, index: int) -> None:
        frame = self._frames[-1]
        self._expect = frame.clause in ("FROM", "ON") and frame.bracket == "("
        if self._expect:
            frame.clause, frame.asof = "FROM", False

    def _table(self, index: int) -> None:
        self._expect = True

    def _prefix(self, index: int) -> None:
        """PIVOT, DESCRIBE and the like begin a query with a table; elsewhere they are operators or sort directions."""
        frame = self._frames[-1]
        postfix = frame.clause in ("FROM", "ON", "SELECT", "EXPRESSION") and not self._expect
        if not postfix:
            frame.clause, frame.query, self._expect = "PREFIX", True, True

    def _keep(self, index: int) -> None:
        """A word that may stand between FROM and the table."""


_Step = Callable[[Scope, int], None]
BODY: Final = "MATCH …"
"""What `read_as` says of a MATCH that begins a query although no word before says so."""
_DESCRIBING: Final = frozenset({"DESCRIBE", "DESC", "SUMMARIZE", "SHOW"})
_BRACKETS: Final = frozenset("()[]{},")
# After AS and a dot any keyword is a label.
_LABELS: Final = frozenset({"AS", "."})
_STEPS: Final[Mapping[str, _Step]] = {
    **dict.fromkeys("([{", Scope._open),
    **dict.fromkeys(")]}", Scope._close),
    ",": Scope._comma,
    "SELECT": Scope._select,
    "MATCH": Scope._match,
    BODY: Scope._begin_match,
    "VALUES": Scope._select,
    "WITH": Scope._with,
    "FROM": Scope._from,
    "JOIN": Scope._join,
    "ON": Scope._on,
    "TABLE": Scope._table,
    "LATERAL": Scope._keep,
    "ONLY": Scope._keep,
    **dict.fromkeys(
        ("WHERE", "GROUP", "HAVING", "QUALIFY", "ORDER", "WINDOW", "LIMIT", "OFFSET"), Scope._expression
    ),
    **dict.fromkeys(("UNION", "INTERSECT", "EXCEPT"), Scope._expression),
    **dict.fromkeys(("PIVOT", "PIVOT_WIDER", "PIVOT_LONGER", "UNPIVOT"), Scope._prefix),
    **dict.fromkeys(("DESCRIBE", "DESC", "SUMMARIZE", "SHOW"), Scope._prefix),
}

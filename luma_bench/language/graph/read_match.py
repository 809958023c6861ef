"""Reading `[OPTIONAL] MATCH … RETURN …` and `GRAPH_TABLE (g MATCH … COLUMNS (…))`, which become SQL over one relation.

The text keeps the user's own order, so that every caret stays right:
`MATCH (a)-[r]->(b) WHERE a.x > b.y RETURN b.z` becomes `FROM (SELECT * FROM "@match …" WHERE "a.x" > "b.y") SELECT "b.z" AS z`.
"""

from __future__ import annotations

from typing import Final

from luma_bench.errors import KadeQLSyntaxError, nearest
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.graph.clauses import ClauseBuilder
from luma_bench.language.graph.cypher import CLAUSES, SEARCHES, begins_clause
from luma_bench.language.graph.items import Results
from luma_bench.language.graph.naming import keep
from luma_bench.language.graph.pattern import Match, Span
from luma_bench.language.graph.raw import Range, RawClause, RawTimes
from luma_bench.language.graph.read_path import read_path
from luma_bench.language.graph.recognise import SETS
from luma_bench.language.graph.variables import Variables
from luma_bench.language.keywords import split
from luma_bench.language.references import frame_end
from luma_bench.types.sql_text import quoted

_SHAPE: Final = "Write MATCH (a)-[r:label]->(b) WHERE a.x = 1 RETURN a.x, b.y."
_TABLE: Final = "Write GRAPH_TABLE (g MATCH (a)-[r:label]->(b) WHERE a.x = 1 COLUMNS (a.x, b.y))."
_TIMES: Final = (
    "Write TIME RESPECTING (r.departs, r.arrives) [STRICT] [WITHIN interval] [STARTING AT moment]."
)
_CLAUSES: Final = split("WHERE RETURN COLUMNS MATCH OPTIONAL ON VALID TIME")
_TAIL: Final = frozenset(split("ORDER LIMIT OFFSET SKIP GROUP HAVING QUALIFY WINDOW USING RETURNING ON"))
_SECOND: Final = {
    "GROUP": (["BY"],),
    "ORDER": (["BY"],),
    "USING": (["SAMPLE"],),
    "ON": (["CONFLICT"],),
    "SKIP": (["0"], ["$"], ["("]),
}
"""What stands behind such a word where it begins a clause."""
_PAIRS: Final = {"ON": "GRAPH", "VALID": "AT", "TIME": "RESPECTING", "OPTIONAL": "MATCH", "STARTING": "AT"}
_STARTS: Final = frozenset(split("WHERE MATCH ON VALID TIME OPTIONAL STRICT WITHIN STARTING"))


def read_match(draft: Draft, index: int) -> None:
    """The graph query whose first MATCH is at a token; the draft gets its island and edits.

    Raises
    ------
    KadeQLError
        It is misspelt, or names what is not in its pattern.
    """
    tokens, scope = draft.tokens, draft.scope
    begin = index - 1 if index > scope.first and tokens.words[index - 1] == "OPTIONAL" else index
    stop = _query_end(draft, begin)
    cursor = Cursor(tokens, begin, stop, scope.last)
    reader = _Reader(draft, cursor, "RETURN")
    reader.clauses()
    returned = cursor.index
    cursor.index += 1
    end = _clause_at(cursor, _TAIL)
    tail = (end, _query_tail(cursor, end))
    reader.finish((begin, returned + 1), Cursor(tokens, cursor.index, end, scope.last), tail, ("", ""))


def read_table(draft: Draft, index: int) -> None:
    """The GRAPH_TABLE at a token; the draft gets its island and edits.

    Raises
    ------
    KadeQLError
        It is misspelt, or names what is not in its pattern.
    """
    tokens, scope = draft.tokens, draft.scope
    close = tokens.closing(index + 1, scope.last)
    cursor = Cursor(tokens, index + 2, close, scope.last)
    reader = _Reader(draft, cursor, "COLUMNS")
    reader.graph, reader.graph_span = cursor.placed_table()
    cursor.accept(",")
    reader.clauses()
    cursor.index += 1
    if cursor.word != "(":
        raise cursor.expected("( after COLUMNS", _TABLE)
    opening = cursor.index
    columns = tokens.closing(opening, close)
    if columns + 1 != close:
        cursor.index = columns + 1
        raise cursor.expected(") behind the columns", _TABLE)
    listed = Cursor(tokens, opening + 1, columns, scope.last)
    reader.finish((index, opening + 1), listed, (columns, columns), ("(", ")"), close)


def no_pattern(cursor: Cursor) -> KadeQLSyntaxError:
    """The error of a statement that begins with MATCH, or OPTIONAL MATCH, and has no pattern behind it."""
    if cursor.accept("OPTIONAL") and cursor.word != "MATCH":
        return cursor.expected("MATCH after OPTIONAL", _SHAPE)
    cursor.index += 1
    hint = SEARCHES.get(cursor.word, _SHAPE)
    return cursor.expected("a pattern that begins with a node in round brackets", hint)


class _Reader:
    """Reads the clauses of one graph query, and writes its SQL."""

    __slots__ = ("_clauses", "_cursor", "_draft", "_end", "_variables", "graph", "graph_span")

    def __init__(self, draft: Draft, cursor: Cursor, end: str) -> None:
        self._draft = draft
        self._cursor = cursor
        self._end = end
        self._variables = Variables(draft.tokens)
        self._clauses: list[RawClause] = []
        self.graph: str | None = None
        self.graph_span: Span | None = None

    def clauses(self) -> None:
        """Every MATCH with what follows it, up to RETURN or COLUMNS."""
        cursor = self._cursor
        while cursor.word != self._end:
            first = cursor.index
            optional = cursor.accept("OPTIONAL")
            if not cursor.accept("MATCH"):
                raise self._expected()
            clause = RawClause(optional, len(self._clauses))
            self._clauses.append(clause)
            while True:
                clause.paths.append(read_path(cursor, self._variables, clause.place, optional=optional))
                if not cursor.accept(","):
                    break
            while self._option(clause):
                pass
            clause.tokens = (first, cursor.index)

    def _expected(self) -> KadeQLSyntaxError:
        cursor = self._cursor
        shape = _SHAPE if self._end == "RETURN" else _TABLE
        if not self._clauses:
            return cursor.expected("MATCH and a pattern", shape)
        if self._end == "COLUMNS" and cursor.word == "RETURN":
            return cursor.expected("COLUMNS (…)", f"GRAPH_TABLE gives its columns with COLUMNS (…). {_TABLE}")
        if (elsewhere := CLAUSES.get(cursor.word)) is not None:
            return cursor.expected(f"WHERE, MATCH or {self._end}", elsewhere)
        near = nearest(cursor.word, _CLAUSES, 1) if cursor.value else []
        what = f"an edge, a comma, WHERE, MATCH or {self._end}"
        return cursor.expected(what, f"Did you mean {near[0]}?" if near else shape)

    def _option(self, clause: RawClause) -> bool:
        """Read what may follow the paths of a clause, each once and in any order; False at anything else."""
        cursor = self._cursor
        if cursor.word == "WHERE" and clause.where is None:
            cursor.index += 1
            clause.where = self._expression("a condition after WHERE")
        elif cursor.accept("ON", "GRAPH"):
            place = cursor.index
            name, span = cursor.placed_table()
            if self.graph is not None and self.graph.casefold() != name.casefold():
                cursor.index = place
                raise cursor.expected(f"one graph, {self.graph}", "A query matches in one graph.")
            self.graph, self.graph_span = name, span
        elif clause.valid_at is None and cursor.accept("VALID", "AT"):
            clause.valid_at = self._expression("a moment after VALID AT")
        elif clause.times is None and cursor.word == "TIME":
            clause.times = self._times()
        else:
            return False
        return True

    def _times(self) -> RawTimes:
        """TIME RESPECTING and what follows."""
        cursor = self._cursor
        first = cursor.index
        cursor.expect("TIME RESPECTING", "TIME", "RESPECTING", hint=_TIMES)
        if cursor.word != "(":
            raise cursor.expected("( and the expressions of departure and arrival", _TIMES)
        close = cursor.tokens.closing(cursor.index, cursor.end)
        inner = Cursor(cursor.tokens, cursor.index + 1, close, cursor.stop)
        depart = _upto_comma(inner)
        inner.expect("a comma and the expression of the arrival", ",", hint=_TIMES)
        arrive = _upto_comma(inner)
        if not inner.done:
            raise inner.expected(") behind the arrival", _TIMES)
        cursor.index = close + 1
        times = RawTimes(depart, arrive, False, None, None, (first, 0))
        while True:
            if not times.strict and cursor.accept("STRICT"):
                times.strict = True
            elif times.within is None and cursor.accept("WITHIN"):
                times.within = self._expression("an interval after WITHIN")
            elif times.starting_at is None and cursor.accept("STARTING", "AT"):
                times.starting_at = self._expression("a moment after STARTING AT")
            else:
                times.tokens = (first, cursor.index)
                return times

    def _expression(self, what: str) -> Range:
        """The tokens up to where something else of the query begins."""
        cursor = self._cursor
        first = cursor.index
        while (
            not cursor.done
            and not self._stops()
            and not begins_clause(cursor.tokens, first, cursor.index, cursor.end)
        ):
            opens = cursor.word in ("(", "[", "{")
            behind = cursor.tokens.closing(cursor.index, cursor.end) if opens else cursor.index
            cursor.index = behind + 1
        if cursor.index == first:
            raise cursor.expected(what)
        return first, cursor.index

    def _stops(self) -> bool:
        cursor, words = self._cursor, self._cursor.tokens.words
        word = cursor.word
        if words[cursor.index - 1] in (".", "AS"):
            return False
        if word == self._end:
            return True
        if word not in _STARTS:
            return False
        second = _PAIRS.get(word)
        return second is None or cursor.tokens.follows(cursor.index + 1, cursor.end, second)

    def finish(
        self, head: Range, results: Cursor, tail: Range, frame: tuple[str, str], close: int | None = None
    ) -> None:
        """Make the island, and put SQL in its place.

        Parameters
        ----------
        head
            The tokens up to the list of results.
        frame
            What stands around the SQL.
        close
            The bracket that ends GRAPH_TABLE, behind that of COLUMNS.
        """
        draft, tokens = self._draft, self._draft.tokens
        builder = ClauseBuilder(draft, self._variables, head[0])
        clauses = tuple(builder.clause(clause) for clause in self._clauses)
        # The text that stays is read before the list, so that columns are named in the order of the text.
        stretches = builder.texts()
        listed = Results(draft, self._variables, builder.columns)
        listed.read(results, tail, steady=builder.steady)
        end = tail[1] if close is None else close + 1
        span = tokens.starts[head[0]], tokens.ends[end - 1]
        text = tokens.text[slice(*span)]
        match = Match(
            alias="",
            graph=self.graph,
            graph_span=self.graph_span or tokens.span(self._clauses[0].tokens[0]),
            clauses=clauses,
            uses=builder.columns.uses,
            star=tuple(builder.columns.stars),
            duplicates=listed.duplicates,
            params=frozenset(),
            volatile=False,
            span=span,
            text=text,
            averages=tuple(listed.averages),
        )
        match = keep(draft, match, contextual=builder.parts.contextual)
        relation = quoted(match.alias)
        # Behind the bracket of COLUMNS a word may follow at once.
        apart = "" if close is None else " "
        if not stretches:
            draft.replace(*head, f"{frame[0]}FROM {relation} SELECT{apart}")
        else:
            opening, closing = ("(", ")") if len(stretches) > 1 else ("", "")
            glue = f"{frame[0]}FROM (SELECT * FROM {relation} WHERE "
            at = head[0]
            for item in stretches:
                draft.replace(at, item.first, glue + opening + item.before)
                glue, at = f"{item.after}{closing} AND ", item.last
            draft.replace(at, head[1], glue.removesuffix(" AND ") + f") SELECT{apart}")
        draft.taken.update(range(*head))
        for item in stretches:
            draft.taken.difference_update(range(item.first, item.last))
        draft.taken.update(builder.removed)
        if close is not None:
            draft.replace(tail[0], close + 1, frame[1])


def _upto_comma(inner: Cursor) -> Range:
    """The tokens up to a comma or the end."""
    first = inner.index
    while not inner.done and inner.word != ",":
        opens = inner.word in ("(", "[", "{")
        inner.index = inner.tokens.closing(inner.index, inner.end) + 1 if opens else inner.index + 1
    if inner.index == first:
        raise inner.expected("an expression over an edge", _TIMES)
    return first, inner.index


def _query_end(draft: Draft, begin: int) -> int:
    """Where the query that begins at a token ends: with the bracket around it, before a set operation, or with the text."""
    tokens, last = draft.tokens, frame_end(draft.tokens, begin, draft.scope.last)
    index = begin
    while index < last:
        if tokens.words[index] in SETS and tokens.words[index - 1] not in ("AS", "."):
            return index
        opens = tokens.words[index] in ("(", "[", "{")
        index = tokens.closing(index, last) + 1 if opens else index + 1
    return last


def _clause_at(cursor: Cursor, words: frozenset[str]) -> int:
    """The first token from the cursor on at which a clause behind the list of results begins, or the end."""
    tokens, index = cursor.tokens, cursor.index
    if tokens.follows(index, cursor.end, "DISTINCT", "ON", "("):
        index = tokens.closing(index + 2, cursor.end) + 1
    while index < cursor.end:
        word = tokens.words[index]
        pair = _SECOND.get(word)
        if (
            word in words
            and tokens.words[index - 1] not in ("AS", ".")
            and (word != "SKIP" or tokens.words[index - 1] not in (",", "RETURN"))
            and (pair is None or tokens.words[index + 1 : index + 2] in pair)
        ):
            return index
        index = tokens.closing(index, cursor.end) + 1 if word in ("(", "[", "{") else index + 1
    return cursor.end


def _query_tail(cursor: Cursor, first: int) -> int:
    """Where the clauses of the query end that begin at `first`: RETURNING and ON CONFLICT are an INSERT's own."""
    inner = Cursor(cursor.tokens, first, cursor.end, cursor.stop)
    return _clause_at(inner, frozenset({"RETURNING", "ON"}))

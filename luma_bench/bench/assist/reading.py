"""From the tokens of a statement that is being typed to its outline: see `outline`."""

from __future__ import annotations

from typing import Final

from luma_bench.bench.assist.outline import Cte, Member, Output, Pattern, Query, Source, Variable
from luma_bench.bench.assist.pieces import (
    OPENING,
    alias_at,
    element_of,
    goes_on,
    is_plain_name,
    names_in,
    output_of,
    path_at,
)
from luma_bench.bench.assist.scan import Scanned
from luma_bench.language.graph.read_algorithm import ALGORITHMS
from luma_bench.language.graph.recognise import MODES, SELECTORS
from luma_bench.language.keywords import RESERVED, split
from luma_bench.language.row_ids import ROWS_FUNCTION
from luma_bench.language.syntax_hints import TABLE_FUNCTIONS
from luma_bench.language.tokens import STRING

_QUERIES: Final = frozenset(split("SELECT WITH FROM VALUES PIVOT UNPIVOT MATCH OPTIONAL DESCRIBE SUMMARIZE"))
_SETS: Final = frozenset(split("UNION INTERSECT EXCEPT"))
_CLAUSES: Final = frozenset(
    split(
        "SELECT FROM WHERE GROUP HAVING QUALIFY WINDOW ORDER LIMIT OFFSET JOIN ON USING SET VALUES RETURNING RETURN WHEN PIVOT UNPIVOT"
    )
)
_EXTENSIONS: Final = frozenset(split("SAMPLE LATEST FILL TOLERANCE DIRECTION"))
_LISTS: Final = frozenset(split("SELECT RETURN RETURNING"))
_TABLE_CALLS: Final = frozenset(TABLE_FUNCTIONS)
_TARGETS: Final = frozenset(split("UPDATE INTO TRUNCATE"))
_BEFORE_SOURCE: Final = frozenset(split("LATERAL ONLY TABLE"))


def outline(scanned: Scanned, first: int, last: int) -> Query:
    """The outline of the statement at tokens `first` up to, not with, `last`."""
    return _Reader(scanned).query(first, last, None)


class _Reader:
    def __init__(self, scanned: Scanned) -> None:
        self.scanned = scanned
        self.tokens = scanned.tokens
        self.words = scanned.tokens.words

    def query(self, first: int, last: int, parent: Query | None) -> Query:
        """A query or a whole statement; in brackets, `last` is the closing one."""
        made = Query(first, last, parent)
        if parent is not None:
            parent.children.append(made)
        index = self._with(made, first, last)
        start = index
        while index < last:
            if self.words[index] in OPENING:
                index = min(self.scanned.match[index], last)
            elif self.words[index] in _SETS and not self._label(index, start):
                self._member(made, start, index)
                start = index + 1
                while start < last and self.words[start] in ("ALL", "DISTINCT", "BY", "NAME"):
                    start += 1
                index = start - 1
            index += 1
        self._member(made, start, last)
        return made

    def _with(self, query: Query, first: int, last: int) -> int:
        """Read the WITH list at `first`; where the query behind it begins."""
        words = self.words
        if first >= last or words[first] != "WITH":
            return first
        index = first + 1
        if index < last and words[index] == "RECURSIVE":
            index += 1
        while index < last and self.tokens.is_name(index):
            entry = Cte(self.tokens.names[index], index, None)
            index += 1
            if index < last and words[index] == "(":
                entry.columns = names_in(self.scanned, index)
                index = min(self.scanned.match[index], last) + 1
            while index < last and words[index] in ("USING", "KEY", "AS", "NOT", "MATERIALIZED"):
                index += 1
            query.ctes.append(entry)
            if index < last and words[index] == "(":
                close = min(self.scanned.match[index], last)
                entry.query = self.query(index + 1, close, query)
                index = close + 1
            if index < last and words[index] == ",":
                index += 1
            else:
                break
        return index

    # --- one SELECT ---

    def _member(self, query: Query, first: int, last: int) -> None:
        member = Member(first, last)
        query.members.append(member)
        words = self.words
        index, clause, item = first, "", -1
        if first < last and words[first] in ("EXPLAIN", "PREPARE", "CREATE", "INSERT", "COPY"):
            index = self._prefix(query, member, first, last)
        while index < last:
            word = words[index]
            if word in OPENING:
                close = min(self.scanned.match[index], last)
                self._bracket(query, member, index, close)
                index = close + 1
                continue
            if self._label(index, first):
                index += 1
                continue
            if word == "MATCH" and self._is_match(index, first, last):
                member.kind = "match"
                member.clauses.append((index, word))
                index = self._pattern(query, member, index, last)
                clause = word
                continue
            if word in _TARGETS and (index == first or word == "INTO"):
                member.clauses.append((index, word))
                clause = word
                at = index + 2 if words[index + 1 : index + 2] == ["TABLE"] else index + 1
                query.target, index = self._source(query, member, at, last)
                member.sources += [query.target] if query.target else []
                continue
            if word == "," and clause in ("FROM", "JOIN", "ON"):
                clause = "FROM"
                index = self._from(query, member, index + 1, last)
                continue
            if word == "," and item >= 0:
                member.outputs.append(output_of(self.scanned, item, index))
                item = index + 1
            elif self._clause(index, last):
                if 0 <= item < index:
                    member.outputs.append(output_of(self.scanned, item, index))
                item = -1
                member.clauses.append((index, word))
                clause = word
                if word in _LISTS:
                    item = self._list(index + 1, last)
                    index = item
                    continue
                reads = word in ("FROM", "JOIN", "PIVOT", "UNPIVOT") or (
                    word == "USING" and self._reads_using(member, index, last)
                )
                if reads:
                    deletes = words[first] == "DELETE" and query.target is None and word == "FROM"
                    index = self._from(query, member, index + 1, last)
                    if deletes and member.sources:
                        query.target = member.sources[0]
                    continue
            index += 1
        if 0 <= item < last:
            member.outputs.append(output_of(self.scanned, item, last))

    def _list(self, index: int, last: int) -> int:
        """Where the first item behind SELECT begins."""
        while index < last and self.words[index] in ("DISTINCT", "ALL"):
            index += 1
            if index + 1 < last and self.words[index] == "ON" and self.words[index + 1] == "(":
                index = min(self.scanned.match[index + 1], last) + 1
        return index

    def _prefix(self, query: Query, member: Member, first: int, last: int) -> int:
        """Step to the query in EXPLAIN, PREPARE, CREATE … AS, INSERT and COPY; its own brackets are read on the way."""
        words, index = self.words, first
        while index < last:
            word = words[index]
            if word in OPENING:
                close = min(self.scanned.match[index], last)
                self._bracket(query, member, index, close)
                index = close
            elif word == "INTO":
                member.clauses.append((index, word))
                query.target, index = self._source(query, member, index + 1, last, called=False)
                continue
            elif index > first and word in _QUERIES and words[index - 1] not in ("OR", "."):
                return self._with(query, index, last)
            index += 1
        return index

    def _label(self, index: int, first: int) -> bool:
        """Whether the word at a token is a name because of what stands before it."""
        if index <= first or not self.tokens.names[index]:
            return False
        before = self.words[index - 1]
        if before == "AS":
            return self.words[index] not in RESERVED
        return before in (".", "$") and self.tokens.ends[index - 1] == self.tokens.starts[index]

    def _clause(self, index: int, last: int) -> bool:
        word = self.words[index]
        if word in _EXTENSIONS:
            return goes_on(self.scanned, index, last)
        if word == "FROM" and index >= 2 and self.words[index - 1] == "DISTINCT":
            return self.words[index - 2] not in ("IS", "NOT")
        return word in _CLAUSES

    def _reads_using(self, member: Member, index: int, last: int) -> bool:
        """Whether USING names a table, as in DELETE and MERGE, and not the columns of a join."""
        first = self.words[member.first] if member.first < member.last else ""
        return first in ("DELETE", "MERGE") and index + 1 < last and self.words[index + 1] != "("

    def _bracket(self, query: Query, member: Member, opening: int, close: int) -> None:
        """What stands in brackets: a query, or parts that may hold some."""
        if opening + 1 < close and self.words[opening + 1] in _QUERIES and self.words[opening] == "(":
            self.query(opening + 1, close, query)
            return
        index = opening + 1
        while index < close:
            if self.words[index] in OPENING:
                end = min(self.scanned.match[index], close)
                self._bracket(query, member, index, end)
                index = end
            index += 1

    # --- what it reads ---

    def _from(self, query: Query, member: Member, index: int, last: int) -> int:
        """Read one relation of FROM; where it ends."""
        source, index = self._source(query, member, index, last)
        if source is not None:
            member.sources.append(source)
        return index

    def _source(
        self, query: Query, member: Member, index: int, last: int, *, called: bool = True
    ) -> tuple[Source | None, int]:
        """The relation that begins at a token and where it ends; without `called` a bracket behind a name is no call."""
        words, tokens = self.words, self.tokens
        while index < last and words[index] in _BEFORE_SOURCE:
            index += 1
        before = ""
        if index + 1 < last and tokens.is_name(index) and words[index + 1] == ":":
            before, index = tokens.names[index], index + 2
        if index >= last:
            return None, index
        if words[index] == "(":
            close = min(self.scanned.match[index], last)
            if index + 1 < close and words[index + 1] in _QUERIES:
                source = Source("query", "", before, index, close, self.query(index + 1, close, query))
            else:
                self._joined(query, member, index + 1, close)
                return None, close + 1
            index = close + 1
        elif words[index] == STRING:
            source = Source("file", tokens.names[index], before or tokens.names[index], index, index + 1)
            index += 1
        elif is_plain_name(self.scanned, index):
            path, end = path_at(self.scanned, index, last)
            if called and end < last and words[end] == "(":
                close = min(self.scanned.match[end], last)
                source = self._call(query, member, index, end, close)
                source.alias = before or source.alias
                index = close + 1
            else:
                source = Source("table", ".".join(path), before or path[-1], index, end)
                index = end
        else:
            return None, index
        if words[index : index + 2] == ["AT", "("]:
            index = min(self.scanned.match[index + 1], last) + 1
        if not before:
            alias, index = alias_at(self.scanned, index, last)
            source.alias, source.aliased = alias or source.alias, bool(alias)
        else:
            source.aliased = True
        if source.aliased and index < last and words[index] == "(":
            source.columns = names_in(self.scanned, index)
            index = min(self.scanned.match[index], last) + 1
        if words[index : index + 2] == ["AT", "("]:
            index = min(self.scanned.match[index + 1], last) + 1
        return source, index

    def _joined(self, query: Query, member: Member, first: int, last: int) -> None:
        """Relations in brackets: `(a JOIN b USING (id))`."""
        index, expects = first, True
        while index < last:
            if expects:
                before = index
                index = self._from(query, member, index, last)
                expects = False
                if index > before:
                    continue
            if self.words[index] in OPENING:
                close = min(self.scanned.match[index], last)
                self._bracket(query, member, index, close)
                index = close
            elif self.words[index] in ("JOIN", ","):
                expects = True
            index += 1

    def _call(self, query: Query, member: Member, first: int, opening: int, close: int) -> Source:
        """A function where a table stands."""
        name = self.tokens.names[opening - 1]
        source = Source("call", name.upper(), name, first, opening)
        start = opening + 1
        if source.name == "GRAPH_TABLE":
            self._graph_table(query, member, source, start, close)
            return source
        if source.name in ALGORITHMS and start < close and self.words[start] == "GRAPH":
            source.graph = ".".join(path_at(self.scanned, start + 1, close)[0])
        if source.name in _TABLE_CALLS or name.casefold() == ROWS_FUNCTION:
            source.inner, start = self._source(query, member, start, close)
        while start < close:
            if self.words[start] in OPENING:
                end = min(self.scanned.match[start], close)
                self._bracket(query, member, start, end)
                start = end
            start += 1
        return source

    # --- graphs ---

    def _graph_table(self, query: Query, member: Member, source: Source, start: int, close: int) -> None:
        path, index = path_at(self.scanned, start, close)
        source.graph = ".".join(path)
        if index < close and self.words[index] == ",":
            index += 1
        if index < close and self.words[index] == "MATCH":
            index = self._pattern(query, None, index, close, source.graph)
        if self.words[index : index + 2] == ["COLUMNS", "("]:
            end = min(self.scanned.match[index + 1], close)
            source.outputs = self._items(index + 2, end)
            query.patterns[-1].last = end

    def _items(self, first: int, last: int) -> list[Output]:
        found: list[Output] = []
        start = index = first
        while index < last:
            if self.words[index] in OPENING:
                index = min(self.scanned.match[index], last)
            elif self.words[index] == ",":
                found.append(output_of(self.scanned, start, index))
                start = index + 1
            index += 1
        if last > start:
            found.append(output_of(self.scanned, start, last))
        return found

    def _is_match(self, index: int, first: int, last: int) -> bool:
        if index > first and self.words[index - 1] not in ("OPTIONAL", ")"):
            return False
        behind = self.words[index + 1] if index + 1 < last else ""
        named = index + 2 < last and self.words[index + 2] == "="
        return index == first or behind == "(" or behind in SELECTORS or behind in MODES or named

    def _pattern(self, query: Query, member: Member | None, index: int, last: int, graph: str = "") -> int:
        """Read a graph pattern from its MATCH; where RETURN or COLUMNS stands, or the end."""
        pattern = Pattern(index, last, graph)
        query.patterns.append(pattern)
        if member is not None:
            member.pattern = pattern
        words, place, conditions = self.words, index + 1, False
        while place < last:
            word = words[place]
            if word in ("RETURN", "COLUMNS") and words[place - 1] not in ("AS", "."):
                break
            if word in ("WHERE", "TIME", "VALID"):
                conditions = True
                if member is not None:
                    member.clauses.append((place, word))
            elif word == "ON" and words[place + 1 : place + 2] == ["GRAPH"]:
                pattern.graph = ".".join(path_at(self.scanned, place + 2, last)[0])
            elif word in OPENING:
                close = min(self.scanned.match[place], last)
                if conditions or word == "{":
                    self._bracket(query, Member(place, close), place, close)
                else:
                    self._element(query, pattern, place, close)
                place = close
            elif self.tokens.is_name(place) and words[place + 1 : place + 2] == ["="] and not conditions:
                pattern.variables.append(Variable(self.tokens.names[place], "path", (), place))
            place += 1
        if member is None or place < last:
            pattern.last = place
        return place

    def _element(self, query: Query, pattern: Pattern, opening: int, close: int) -> None:
        if opening + 1 < close and self.words[opening + 1] == "(":
            index = opening + 1
            while index < close:
                if self.words[index] in OPENING:
                    end = min(self.scanned.match[index], close)
                    self._element(query, pattern, index, end)
                    index = end
                index += 1
            return
        if self.words[opening] == "{":
            return
        pattern.variables.append(element_of(self.scanned, opening))
        for index in range(opening + 1, close):
            if self.words[index] == "(":
                self._bracket(query, Member(index, close), index, min(self.scanned.match[index], close))

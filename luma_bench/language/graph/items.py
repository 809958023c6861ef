"""RETURN and COLUMNS: the list of results, under the names that DuckDB would give them in the user's own text."""

from __future__ import annotations

import re
from typing import Final

from luma_bench.errors import KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.graph import aggregates
from luma_bench.language.graph.conditions import require_whole
from luma_bench.language.graph.mentions import Mention, mentions
from luma_bench.language.graph.pattern import WEIGHT, Average, Duplicates
from luma_bench.language.graph.raw import Range
from luma_bench.language.graph.rewriting import Columns
from luma_bench.language.graph.variables import Variables
from luma_bench.language.result_names import COUNT_STAR, labelled
from luma_bench.language.rewrite import Edit, rewritten
from luma_bench.language.tokens import listed
from luma_bench.types.sql_text import quoted

_N: Final = quoted(WEIGHT)
_OF_NUMBERS: Final = frozenset({"sum", "avg"})
_SHAPE: Final = "Write RETURN a.x, b.y AS z, count(*), or RETURN *."


class Results:
    """The list of results of one pattern, with what follows it.

    Attributes
    ----------
    duplicates
        What the query does with equal matches, once it is read.
    averages
        The averages that are computed of values and how often each stands.
    """

    __slots__ = ("_columns", "_draft", "_variables", "averages", "duplicates")

    def __init__(self, draft: Draft, variables: Variables, columns: Columns) -> None:
        self._draft = draft
        self._variables = variables
        self._columns = columns
        self.duplicates = Duplicates.NEEDED
        self.averages: list[Average] = []

    def read(self, cursor: Cursor, tail: Range, *, steady: bool) -> None:
        """The list from the cursor to its end, and `tail`, the clauses behind it.

        Parameters
        ----------
        steady
            Whether the text before the list is the same for equal matches.

        Raises
        ------
        KadeQLSyntaxError
            It is empty, or names what is no variable.
        """
        tokens, draft = cursor.tokens, self._draft
        first = cursor.index
        distinct = cursor.accept("DISTINCT")
        if distinct and tokens.follows(cursor.index, cursor.end, "ON", "("):
            close = tokens.closing(cursor.index + 1, cursor.end)
            self._rewrite(cursor.index + 2, close)
            cursor.index = close + 1
        else:
            cursor.accept("ALL")
        ranges = listed(tokens, cursor.index, cursor.end)
        for start, end in ranges:
            require_whole(tokens, (start, end), cursor.stop)
        if not ranges or any(start == end for start, end in ranges):
            raise cursor.expected("what to return", _SHAPE)
        if ranges[-1][1] < cursor.end:
            # SQL allows a comma behind the last result, and nothing may stand behind it.
            draft.replace(ranges[-1][1], cursor.end, "")
        found = aggregates.calls(tokens, cursor.index, tail[1])
        part = (first, tail[1])
        self.duplicates = aggregates.duplicates(tokens, found, part, distinct=distinct)
        if not steady:
            self.duplicates = Duplicates.NEEDED
        counted = {}
        if self.duplicates is Duplicates.COUNTED:
            counted = {call.first: call for call in found if aggregates.counted(tokens, call)}
        self._refuse_lists(found)
        grouped = any(not call.window for call in found)
        explicit = tokens.words[tail[0] : tail[0] + 2] == ["GROUP", "BY"] and tail[1] > tail[0]
        ending = " GROUP BY ALL" if grouped and not explicit else ""
        names: set[str] = set()
        for start, end in ranges:
            last = end == ranges[-1][1]
            added = self._item(start, end, names) + (ending if last else "")
            if added:
                place = tokens.ends[end - 1]
                draft.edits.append(Edit(place, place, added))
        if tail[1] > tail[0]:
            self._tail(tail, frozenset(names))
        for call in counted.values():
            self._count(call)

    def _refuse_lists(self, found: list[aggregates.Call]) -> None:
        """A sum over matches of what is a list in each of them."""
        tokens = self._draft.tokens
        for call in found:
            index = call.opening + 1
            if call.name not in _OF_NUMBERS or call.closing != index + 3 or tokens.words[index + 1] != ".":
                continue
            variable = self._variables.by_name.get(tokens.names[index].casefold())
            if variable is not None and variable.grouped:
                shown, name = tokens.slice(index, call.closing), tokens.slice(call.first, call.opening)
                raise KadeQLUnsupportedError(
                    f"{variable.written} repeats in the pattern, so {shown} is a list.",
                    text=tokens.text,
                    span=tokens.span(call.first, call.closing + 1),
                    hint=f"Of each path: list_{call.name}({shown}); of all matches: {name}(list_{call.name}({shown})).",
                )

    def _item(self, first: int, last: int, names: set[str]) -> str:
        """Rewrite a result; the name to add behind it, where it has none of its own and would get another."""
        tokens, draft = self._draft.tokens, self._draft
        text = tokens.slice(first, last)
        if text == "*":
            draft.replace(first, last, self._all(first))
            return ""
        found = mentions(tokens, self._variables, first, last)
        star = next((mention for mention in found if mention.kind == "star"), None)
        if star is not None:
            if (star.first, star.last) != (first, last):
                raise KadeQLSyntaxError(
                    "All properties of a variable are a result of their own.",
                    text=tokens.text,
                    span=tokens.span(star.first, star.last),
                    hint=f"Write RETURN {tokens.slice(star.first, star.last)}, or name the properties.",
                )
            self._columns.star(star.variable)
            prefix = re.escape(star.variable).replace("'", "''")
            draft.replace(first, last, f"COLUMNS('^{prefix}\\.([^@].*)$') AS '\\1'")
            return ""
        self._columns.rewrite(found)
        alias = labelled(tokens, first, last).label
        if alias is not None:
            names.add(alias.casefold())
            return ""
        name = self._name(first, last, found)
        names.add(name.strip('"').casefold())
        return f" AS {name}" if found or name == quoted(COUNT_STAR) else ""

    def _all(self, index: int) -> str:
        """What `*` gives: the key of every element that has a name."""
        tokens = self._draft.tokens
        elements = [item for item in self._variables.by_name.values() if item.kind != "path"]
        if not elements:
            raise KadeQLSyntaxError(
                "The pattern names no node and no edge that * could give.",
                text=tokens.text,
                span=tokens.span(index),
                hint="Name one: (a), or -[r]->.",
            )
        span = tokens.span(index)
        given = ((self._columns.named(item.name, "", None, span), item.written) for item in elements)
        return ", ".join(f"{column} AS {written}" for column, written in given)

    def _name(self, first: int, last: int, found: list[Mention]) -> str:
        """The name that DuckDB would give a result, quoted where it needs to be."""
        tokens = self._draft.tokens
        whole = found[0] if len(found) == 1 and found[0].first == first else None
        if whole is not None and whole.kind in ("property", "element"):
            end = whole.last
            while tokens.follows(end, last, ".") and end + 1 < last and tokens.is_name(end + 1):
                end += 2
            if end == last:
                return quoted(tokens.names[last - 1])
        text = tokens.slice(first, last)
        if tokens.words[first] == "COUNT" and "".join(tokens.words[first + 1 : last]) in ("(*)", "()"):
            return quoted(COUNT_STAR)
        return quoted(text)

    def _tail(self, tail: Range, names: frozenset[str]) -> None:
        """Rewrite the clauses behind the list; SKIP is OFFSET's other name."""
        tokens = self._draft.tokens
        self._columns.rewrite(mentions(tokens, self._variables, *tail, names))
        for index in range(*tail):
            if tokens.words[index] == "SKIP" and tokens.words[index + 1 : index + 2] in (["0"], ["$"], ["("]):
                self._draft.replace(index, index + 1, "OFFSET")

    def _rewrite(self, first: int, last: int) -> None:
        self._columns.rewrite(mentions(self._draft.tokens, self._variables, first, last))

    def _count(self, call: aggregates.Call) -> None:
        """Compute an aggregate from values and how often each stands."""
        draft = self._draft
        end = call.closing if call.filter_end is None else call.filter_end
        if call.name == "count" and not call.arguments:
            if call.filter_end is None:
                draft.replace(call.first, end + 1, f"coalesce(sum({_N}), 0)::BIGINT")
                return
            draft.replace(call.first, call.closing + 1, f"coalesce(sum({_N})")
            draft.replace(end, end + 1, "), 0)::BIGINT")
        elif call.name == "count":
            draft.replace(call.first, call.opening + 1, "coalesce(sum(CASE WHEN (")
            closing = f") IS NOT NULL THEN {_N} END)"
            if call.filter_end is None:
                draft.replace(call.closing, call.closing + 1, f"{closing}, 0)::BIGINT")
                return
            draft.replace(call.closing, call.closing + 1, closing)
            draft.replace(end, end + 1, "), 0)::BIGINT")
        elif call.name == "sum":
            # list_sum gives one value the type that sum gives many.
            draft.replace(call.first, call.opening + 1, "sum(list_sum([")
            draft.replace(call.closing, call.closing + 1, f"]) * {_N})")
        else:
            self._average(call, end)

    def _average(self, call: aggregates.Call, end: int) -> None:
        """`avg(x)`: the weighted sum by the weights of the rows that have a value."""
        draft, tokens = self._draft, self._draft.tokens
        value = self._again(call.opening + 1, call.closing)
        kept = "" if call.filter_end is None else f" {self._again(call.closing + 1, call.filter_end)})"
        behind = f"::DOUBLE / sum(CASE WHEN ({value}) IS NOT NULL THEN {_N} END){kept})"
        draft.replace(call.first, call.opening + 1, "(sum(list_sum([")
        weighed = f"]) * {_N})"
        if call.filter_end is None:
            draft.replace(call.closing, call.closing + 1, weighed + behind)
        else:
            draft.replace(call.closing, call.closing + 1, weighed)
            draft.replace(end, end + 1, f"{tokens.words[end]}{behind}")
        found = mentions(tokens, self._variables, call.opening + 1, call.closing)
        columns = tuple(dict.fromkeys(f"{mention.variable}.{mention.what}" for mention in found))
        self.averages.append(Average(self._again(call.first, end + 1), f"avg({value}){kept}", columns))

    def _again(self, first: int, last: int) -> str:
        """The text of some tokens as it was rewritten."""
        start, end = self._draft.tokens.span(first, last)
        edits = [edit for edit in self._draft.edits if start <= edit.start < end and edit.end <= end]
        return rewritten(self._draft.tokens.text, start, end, edits)[0]

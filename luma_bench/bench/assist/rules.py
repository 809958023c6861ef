"""What runs, and is likely not meant: comparisons with NULL, queries of WITH that nothing reads, joins of every pair."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from luma_bench.bench.assist.outline import Member, Query, Source
from luma_bench.bench.assist.pieces import CLOSING
from luma_bench.bench.assist.scan import Scanned
from luma_bench.bench.assist.scope import Scope
from luma_bench.bench.assist.spelling import spelled
from luma_bench.bench.assist.values import Fix, Problem
from luma_bench.language.keywords import split

MOST_COLUMNS: Final = 200
"""Columns up to which a star is offered to be written out."""

_UNEQUAL: Final = frozenset({"<>", "!="})
_COMPARED: Final = _UNEQUAL | {"=", "=="}
_ASSIGNING: Final = frozenset(split("CREATE ALTER COPY EXECUTE PREPARE SET"))
_CONDITIONS: Final = frozenset(split("WHERE ON JOIN USING QUALIFY"))
_AFTER_LIST: Final = (
    frozenset(split("FROM WHERE GROUP HAVING ORDER LIMIT UNION INTERSECT EXCEPT QUALIFY RETURN")) | CLOSING
)


def advice(scanned: Scanned, first: int, last: int, scope: Scope) -> Iterator[Problem]:
    """What of a statement, tokens `first` up to `last`, is worth a look."""
    root = scope.root
    yield from _null_compared(scanned, first, last, root)
    yield from _unread(scanned, root)
    yield from _every_pair(scanned, root)
    yield from _every_row(scanned, first, root)
    yield from _written_otherwise(scanned, first, last)
    if _keeps_columns(scanned, first, last):
        yield from _stars(scanned, scope)


def _null_compared(scanned: Scanned, first: int, last: int, root: Query) -> Iterator[Problem]:
    """X = NULL is never true."""
    tokens = scanned.tokens
    if tokens.words[first] in _ASSIGNING:
        return
    for index in range(first + 1, last):
        sign = tokens.words[index - 1]
        if tokens.words[index] != "NULL" or sign not in _COMPARED:
            continue
        query = root.within(index)
        member = query.member_at(index)
        clause = [word for at, word in member.clauses if at < index][-1:] if member is not None else []
        if clause in (["SET"], ["INTO"]) or tokens.words[index - 2] == "DEFAULT":
            continue
        unequal = sign in _UNEQUAL
        right = "IS NOT NULL" if unequal else "IS NULL"
        start, stop = tokens.starts[index - 1], tokens.ends[index]
        yield Problem(
            start,
            stop,
            "warning",
            f"{sign} NULL is never true: NULL equals nothing.",
            f"Write {right}.",
            (Fix(f"Change to {right}", start, stop, right),),
        )


def _unread(scanned: Scanned, root: Query) -> Iterator[Problem]:
    """A query of WITH that nothing reads."""
    tokens = scanned.tokens
    for query in root.every():
        for entry in query.ctes:
            own = range(entry.first, entry.first + 1 if entry.query is None else entry.query.last + 1)
            folded = entry.name.casefold()
            named = (
                index not in own and tokens.names[index].casefold() == folded
                for index in range(query.first, min(query.last, len(tokens)))
            )
            if not any(named):
                start, stop = tokens.span(entry.first)
                yield Problem(
                    start, stop, "warning", f"Nothing reads {entry.name}.", "Take it out, or read it."
                )


def _every_pair(scanned: Scanned, root: Query) -> Iterator[Problem]:
    """Relations with a comma between them, and no condition."""
    tokens = scanned.tokens
    for query in root.every():
        for member in query.members:
            words = {word for _, word in member.clauses}
            if member.kind != "select" or words & _CONDITIONS or len(member.sources) < 2:
                continue
            second = member.sources[1]
            if not all(_is_table(source) for source in member.sources[:2]) or not _follows_comma(
                scanned, member, second
            ):
                continue
            left, right = (source.alias or "a query" for source in member.sources[:2])
            start, stop = tokens.starts[second.first], tokens.ends[second.last - 1]
            yield Problem(
                start,
                stop,
                "warning",
                f"Every row of {left} meets every row of {right}.",
                "Give a condition: JOIN … ON …; write CROSS JOIN where it is meant.",
            )


def _is_table(source: Source) -> bool:
    return source.kind in ("table", "query")


def _follows_comma(scanned: Scanned, member: Member, source: Source) -> bool:
    before = source.first - 1
    return before > member.first and scanned.tokens.words[before] == ","


def _every_row(scanned: Scanned, first: int, root: Query) -> Iterator[Problem]:
    """UPDATE and DELETE without WHERE."""
    tokens = scanned.tokens
    for member in root.members[:1]:
        verb = tokens.words[member.first] if member.first < len(tokens) else ""
        if verb not in ("UPDATE", "DELETE") or any(
            word in ("WHERE", "USING", "FROM") for at, word in member.clauses if at > member.first + 1
        ):
            continue
        what = "changes" if verb == "UPDATE" else "takes away"
        yield Problem(
            *tokens.span(member.first),
            "info",
            f"Without WHERE it {what} every row.",
            "Older snapshots keep the rows as they are."
            if verb == "UPDATE"
            else "TRUNCATE says so more plainly; older snapshots keep the rows.",
        )


def _written_otherwise(scanned: Scanned, first: int, last: int) -> Iterator[Problem]:
    """What is taken here, and by few others: == and a comma behind the last item."""
    tokens = scanned.tokens
    for index in range(first, last):
        word = tokens.words[index]
        if word == "==":
            yield Problem(
                *tokens.span(index),
                "hint",
                "SQL writes = here.",
                "",
                (Fix("Change to =", *tokens.span(index), "="),),
            )
        elif word == "," and (index + 1 == last or tokens.words[index + 1] in _AFTER_LIST):
            yield Problem(
                *tokens.span(index), "hint", "Nothing stands behind this comma.", "",
                (Fix("Take the comma out", *tokens.span(index), ""),),
            )  # fmt: skip


def _keeps_columns(scanned: Scanned, first: int, last: int) -> bool:
    """Whether a statement's columns are kept, or meet those of a table by their places: CREATE VIEW, and INSERT but BY NAME."""
    words = scanned.tokens.words[first:last]
    if words[0] == "INSERT":
        return not any(pair == ("BY", "NAME") for pair in pairwise(words))
    return words[0] == "CREATE" and "VIEW" in words[:4]


def _stars(scanned: Scanned, scope: Scope) -> Iterator[Problem]:
    """A star that stands for other columns once its table has more, which may be written out."""
    for query in scope.root.every():
        for member in query.members:
            for output in member.outputs if member.kind == "select" else ():
                alone = (
                    output.last - output.first in (1, 3) and output.star is not None and not output.excluded
                )
                if not alone:
                    continue
                columns = [
                    (source.alias, column.name)
                    for source in member.sources
                    if not output.star or source.alias.casefold() == output.star.casefold()
                    for column in scope.columns(source, query)
                ]
                if not 0 < len(columns) <= MOST_COLUMNS or any(
                    not scope.columns(source, query) for source in member.sources
                ):
                    continue
                single = len(member.sources) == 1 and not output.star
                names = [
                    spelled(name) if single else f"{spelled(alias)}.{spelled(name)}"
                    for alias, name in columns
                ]
                start, stop = scanned.tokens.span(output.first, output.last)
                yield Problem(
                    start,
                    stop,
                    "hint",
                    f"The star stands for {len(names)} column{'' if len(names) == 1 else 's'}.",
                    "It stands for more once a table that it reads has more.",
                    (Fix("List the columns", start, stop, ", ".join(names)),),
                )

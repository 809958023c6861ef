"""Hover: what is known of the name or word at a place of a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from luma_bench.bench.assist import telling, vocabulary
from luma_bench.bench.assist.catalog import table_facts
from luma_bench.bench.assist.cell import Place, places
from luma_bench.bench.assist.columns import Col
from luma_bench.bench.assist.complete import LONGEST
from luma_bench.bench.assist.facts import ColumnFacts
from luma_bench.bench.assist.known import Known, Variables
from luma_bench.bench.assist.moment import Moment
from luma_bench.bench.assist.options import OPTION_HELP, OPTIONS
from luma_bench.bench.assist.outline import Variable
from luma_bench.bench.assist.pieces import path_at
from luma_bench.bench.assist.scan import statement_at
from luma_bench.bench.assist.scope import variable_of
from luma_bench.bench.assist.summaries import summaries
from luma_bench.bench.assist.values import Hover
from luma_bench.bench.assist.words import WORDS
from luma_bench.errors import LumaError
from luma_bench.language.shapes import OPERATORS, SHAPES
from luma_bench.language.tokens import NUMBER, STRING

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

_FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "GROUP": ("GROUP BY",),
    "ORDER": ("ORDER BY",),
    "SAMPLE": ("SAMPLE BY",),
    "LATEST": ("LATEST ON",),
    "TIME_BUCKET_GAPFILL": ("GAPFILL",),
    "LOCF": ("GAPFILL",),
    "INTERPOLATE": ("GAPFILL",),
    "WALK": ("TRAIL",),
    "ACYCLIC": ("TRAIL",),
    "SIMPLE": ("TRAIL",),
}
"""Words that belong to a construct of another name."""


def hover(
    text: str,
    offset: int,
    bench: Bench | None,
    *,
    cell: bool = False,
    variables: Variables | None = None,
) -> Hover | None:
    """What is known of what stands at an offset; None where nothing is. It never raises for what a text holds.

    Parameters
    ----------
    text, offset
        The text, finished or not, and a place in it, in code points.
    bench
        Whose tables are told of; None for the language alone.
    cell, variables
        As for `complete`.
    """
    offset = max(0, min(offset, len(text)))
    place = next((item for item in places(text, cell=cell) if item.holds(offset)), None)
    if place is None or len(place.body) > LONGEST:
        return None
    if place.magic and offset < place.head_stop and offset < place.body_start:
        return _option(place, offset)
    first, last = statement_at(place.body, offset - place.body_start)
    base = place.body_start + first
    moment = Moment(place.body[first:last], offset - base, Known(bench, variables), typing=False)
    index = _token(moment, offset - base)
    if index is None:
        return None
    moment.index = index + 1
    moment.query = moment.root.within(index + 1)
    try:
        found = _told(moment, index)
    except LumaError:
        # A bench that was closed, or a view that reads what is gone: there is nothing to tell.
        return None
    if found is None:
        return None
    start, stop = moment.tokens.span(index)
    return Hover(base + start, base + stop, found)


def _option(place: Place, offset: int) -> Hover | None:
    start = place.head_start
    for part in place.head.split():
        start = place.head.index(part, start - place.head_start) + place.head_start
        name = part.partition("=")[0]
        if start <= offset <= start + len(part) and name in OPTIONS:
            value = OPTIONS[name]
            shown = name if value is None else f"{name} {value}"
            return Hover(
                start, start + len(name), f"{telling.code(shown)}\n\n{telling.plain(OPTION_HELP[name])}"
            )
        start += len(part)
    return None


def _token(moment: Moment, offset: int) -> int | None:
    """The token at an offset, a name before a mark where both touch it; None in comments and between tokens."""
    tokens = moment.tokens
    touching = [
        index
        for index in range(
            max(moment.scanned.before(offset) - 1, 0), min(moment.scanned.before(offset) + 1, len(tokens))
        )
        if tokens.starts[index] <= offset <= tokens.ends[index]
    ]
    named = [index for index in touching if tokens.names[index] or tokens.words[index] in (STRING, NUMBER)]
    found = named or [index for index in touching if tokens.starts[index] <= offset < tokens.ends[index]]
    return found[-1] if found and moment.first <= found[-1] < moment.last else None


def _told(moment: Moment, index: int) -> str | None:
    tokens = moment.tokens
    word, name = tokens.words[index], tokens.names[index]
    if word == STRING:
        return _snapshot(moment, index)
    if not name:
        return _snapshot(moment, index) or _operator(word)
    behind = tokens.words[index + 1] if index + 1 < len(tokens) else ""
    called = behind == "("
    return (
        _graph(moment, index)
        or _relation(moment, index)
        or (_function(word, name) if called else None)
        or _member(moment, index)
        or (None if called else _column(moment, index))
        or _word(moment, index)
    )


def _graph(moment: Moment, index: int) -> str | None:
    """Graphs, labels and variables of patterns."""
    tokens, name = moment.tokens, moment.tokens.names[index]
    before = tokens.words[index - 1] if index > moment.first else ""
    opened = before == "(" and index >= 2 and tokens.words[index - 2] == "GRAPH_TABLE"
    if before == "GRAPH" or opened:
        graph = moment.known.graph(name)
        return None if graph is None else telling.graph_text(graph)
    pattern = moment.scope.pattern(moment.query, moment.index)
    if pattern is None:
        return None
    labelled = [
        item
        for item in pattern.variables
        if any(label.casefold() == name.casefold() for label in item.labels)
    ]
    if before in (":", "|", "IS") and labelled:
        only = Variable(labelled[0].name, labelled[0].part, (name,), labelled[0].first)
        return telling.element_text(only.part, name, (), moment.scope.properties(only, pattern))
    variable = None if before == "." else variable_of(pattern, name)
    if variable is None:
        return None
    return telling.element_text(
        variable.part, variable.name, variable.labels, moment.scope.properties(variable, pattern)
    )


def _relation(moment: Moment, index: int) -> str | None:
    """A relation by its name or alias, where one is named."""
    tokens = moment.tokens
    for query in moment.root.every():
        for entry in query.ctes:
            if entry.first == index:
                return telling.relation_text("query of WITH", entry.name, moment.scope.entry(entry))
        for member in query.members:
            for source in member.sources:
                named = (
                    source.inner
                    if source.inner is not None and source.inner.first <= index < source.inner.last
                    else source
                )
                if named.first <= index < named.last and named.kind == "table":
                    return _named_relation(moment, named.name, index)
    target = moment.root.target
    if target is not None and target.first <= index < target.last:
        return _named_relation(moment, target.name, index)
    name = tokens.names[index].casefold()
    ahead = index + 1 < len(tokens) and tokens.words[index + 1] == "."
    if ahead and not (index > moment.first and tokens.words[index - 1] == "."):
        for relation in moment.scope.visible(moment.query, moment.index):
            if relation.alias.casefold() == name:
                if relation.source.kind == "table":
                    return _named_relation(moment, relation.source.name, relation.source.first)
                return telling.relation_text("relation", relation.alias, relation.columns)
    return None


def _named_relation(moment: Moment, name: str, index: int) -> str | None:
    entry = moment.scope.cte(moment.query, index, name)
    if entry is not None:
        return telling.relation_text("query of WITH", entry.name, moment.scope.entry(entry))
    kind = moment.known.kind(name)
    if kind is None:
        return None
    if kind == "table-variable" or moment.known.bench is None:
        return telling.relation_text("notebook table", name, moment.known.columns(name) or ())
    shown = name[5:] if name[:5].casefold() == "main." else name
    return telling.table_text(table_facts(moment.known.bench, shown, statistics=False))


def _function(word: str, name: str) -> str | None:
    told = vocabulary.tables().get(word)
    if told is not None and told.kind != "table":
        return telling.function_text(told)
    scalar = vocabulary.scalars().get(name.casefold())
    if scalar is not None:
        return telling.function_text(scalar)
    return None if told is None else telling.function_text(told)


def _member(moment: Moment, index: int) -> str | None:
    """A column behind a point: of a relation, a field of a struct, a property."""
    tokens = moment.tokens
    if index <= moment.first or tokens.words[index - 1] != ".":
        return None
    first = index
    while first - 2 >= moment.first and tokens.words[first - 1] == "." and tokens.names[first - 2]:
        first -= 2
    path, _ = path_at(moment.scanned, first, index + 1)
    if len(path) < 2:
        return None
    found = moment.scope.members(moment.query, moment.index, path[:-1]) or ()
    column = next((item for item in found if item.name.casefold() == path[-1].casefold()), None)
    return None if column is None else _column_told(moment, column)


def _column(moment: Moment, index: int) -> str | None:
    """A column by its name alone."""
    folded = moment.tokens.names[index].casefold()
    for relation in moment.scope.visible(moment.query, moment.index):
        for column in relation.columns:
            if column.name.casefold() == folded:
                return _column_told(moment, column)
    target = moment.query.target or moment.root.target
    if target is not None:
        for column in moment.known.columns(target.name) or ():
            if column.name.casefold() == folded:
                return _column_told(moment, column)
    return None


def _column_told(moment: Moment, column: Col) -> str:
    return telling.column_text(column, _facts(moment.known, column))


def _facts(known: Known, column: Col) -> ColumnFacts | None:
    """What a stored column holds: that of tables whose every row the identity sees."""
    table = known.table(column.table) if column.table else None
    if table is None or known.bench is None or known.pinned is None or column.name not in table.names:
        return None
    stored = table.column(column.name)
    facts = ColumnFacts(stored.name, column.type, stored.nullable, column.key)
    bounds = summaries(known.bench, known.pinned, table, (stored.name,)).get(stored.name)
    return facts if bounds is None else replace(facts, nulls=bounds[0], min=bounds[1], max=bounds[2])


def _snapshot(moment: Moment, index: int) -> str | None:
    """The snapshot that AT (VERSION => 3) or AT (TAG => 'x') names."""
    tokens, bench = moment.tokens, moment.known.bench
    if bench is None or index < moment.first + 2 or tokens.words[index - 1] != "=>":
        return None
    by = tokens.words[index - 2]
    if by not in ("VERSION", "TAG"):
        return None
    written = tokens.names[index] or tokens.slice(index, index + 1)
    at = int(written) if by == "VERSION" and written.isdigit() else written
    return telling.snapshot_text(bench._store.resolve(at).snapshot)


def _operator(word: str) -> str | None:
    told = OPERATORS.get(word)
    return None if told is None else f"{telling.code(told[0])}\n\n{telling.plain(told[1])}"


def _word(moment: Moment, index: int) -> str | None:
    """A keyword: the statement that it begins, else its construct."""
    tokens, word = moment.tokens, moment.tokens.words[index]
    if index == moment.first or (index > moment.first and tokens.words[index - 1] == "EXPLAIN"):
        told = _statement(moment, index)
        if told is not None and word != "SELECT":
            return told
    for name in (word, *_FORMS.get(word, ())):
        if name in WORDS:
            return telling.word_text(name, WORDS[name])
    operator = next((OPERATORS[key] for key in (word, f"IS {word}") if key in OPERATORS), None)
    return None if operator is None else f"{telling.code(operator[0])}\n\n{telling.plain(operator[1])}"


def _statement(moment: Moment, index: int) -> str | None:
    """The kind of statement that begins at a token: the longest name of one that its words are."""
    words = [
        word
        for word in moment.tokens.words[index : moment.last]
        if word not in ("OR", "REPLACE", "RECURSIVE")
    ]
    for kind, shape in SHAPES.items():
        parts = kind.value.split()
        if words[: len(parts)] == parts:
            return telling.statement_text(kind.value, shape.syntax, shape.meaning, shape.examples)
    return None

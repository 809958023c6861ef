"""What may be written at a moment of typing: the rules, from the narrowest place to any expression."""

from __future__ import annotations

import zoneinfo
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from luma_bench.bench.assist import vocabulary
from luma_bench.bench.assist.join_items import join_conditions, shared_columns
from luma_bench.bench.assist.moment import Moment
from luma_bench.bench.assist.offer_items import (
    column_item,
    detail,
    graph_items,
    parameter_items,
    relation_items,
    snapshot_items,
    times_first,
)
from luma_bench.bench.assist.spelling import keyword_items, spelled, string
from luma_bench.bench.assist.values import Item
from luma_bench.bench.assist.words import AFTER_VALUE, FIRST, FOLLOWERS, IN_VALUE, PAIRS
from luma_bench.language.graph.read_algorithm import ALGORITHMS
from luma_bench.language.keywords import split
from luma_bench.language.row_ids import ROWS_FUNCTION
from luma_bench.language.series.windows import WINDOW_FUNCTIONS
from luma_bench.language.syntax_hints import TABLE_FUNCTIONS

MOST_TABLES: Final = 50
"""Tables whose columns are offered before a text names any and nothing is typed."""

_BEFORE_TABLE: Final = frozenset(
    split("FROM JOIN INTO DESCRIBE DESC SUMMARIZE REFERENCES LATERAL TRUNCATE PIVOT UNPIVOT")
)
_READING: Final = frozenset(split("FROM JOIN LATERAL DESCRIBE SUMMARIZE"))
_PART_FROM: Final = frozenset(split("EXTRACT TRIM SUBSTRING OVERLAY"))
_WINDOWED: Final = WINDOW_FUNCTIONS | frozenset(TABLE_FUNCTIONS)
_QUERY_STARTS: Final = split("SELECT FROM WITH MATCH VALUES")
_ALIASED: Final = frozenset(split("GROUP HAVING QUALIFY ORDER WHERE"))
_TABLE_CLAUSES: Final = frozenset(split("FROM JOIN INTO UPDATE USING"))
_ELEMENT: Final = frozenset({":", "|", "IS"})


def offers(moment: Moment, params: Iterable[str]) -> Iterator[Item]:
    """Everything that may stand at the cursor, the likely things first; nothing is filtered by what is typed."""
    inside = moment.fragment.inside
    if inside == "comment":
        return
    if inside == "string":
        yield from _strings(moment)
    elif moment.fragment.text.startswith("$"):
        yield from parameter_items(moment, params)
    elif moment.after_point:
        yield from _members(moment)
    elif moment.begins:
        yield from keyword_items(FIRST)
    else:
        narrow = next((found for rule in _RULES if (found := rule(moment)) is not None), None)
        yield from _anywhere(moment, params) if narrow is None else narrow


# --- narrow places: each gives None where it does not apply ---


def _patterns(moment: Moment) -> Iterable[Item] | None:
    """Labels and properties in a graph pattern, and graphs."""
    word = moment.word()
    if word == "GRAPH" and moment.word(2) in ("ON", "(", "PROPERTY", "DESCRIBE", "SHOW"):
        return graph_items(moment)
    if word == "(" and moment.owner == "GRAPH_TABLE":
        return graph_items(moment)
    pattern = moment.scope.pattern(moment.query, moment.index)
    if pattern is None or moment.opener < 0:
        return None
    opener = moment.opener
    braces = moment.tokens.words[opener] == "{"
    element = moment.opener_before(opener) if braces else opener
    variable = next((item for item in pattern.variables if item.first == element + 1), None)
    if variable is None:
        return None
    if braces:
        if word not in ("{", ","):
            return None
        return [
            column_item(column, "property", ": ") for column in moment.scope.properties(variable, pattern)
        ]
    if word not in _ELEMENT:
        return None
    return [
        Item(spelled(label), "label", f"{variable.part} of {graph.name}", f"Rows of {item.table}.")
        for graph in moment.scope.graphs(pattern)
        for item in (graph.vertices if variable.part == "vertex" else graph.edges)
        for label in item.labels
    ]


def _snapshots(moment: Moment) -> Iterable[Item] | None:
    """AT (VERSION => …)."""
    if moment.opener < 0 or moment.owner != "AT":
        return None
    if moment.word() == "(":
        return [
            Item("VERSION => ", "option", "a snapshot's id"),
            Item("TAG => ", "option", "a snapshot's tag"),
            Item("TIMESTAMP => ", "option", "the newest snapshot at or before a time"),
        ]
    if moment.word() != "=>":
        return None
    by = moment.word(2)
    return (
        [item for item in snapshot_items(moment) if (item.kind == "tag") == (by == "TAG")]
        if by in ("VERSION", "TAG")
        else []
    )


def _types(moment: Moment) -> Iterable[Item] | None:
    cast = moment.word() == "AS" and moment.owner in ("CAST", "TRY_CAST")
    if moment.word() != "::" and not cast:
        return None
    return [Item(name, "type") for name in vocabulary.TYPES]


def _calls(moment: Moment) -> Iterable[Item] | None:
    """Inside the brackets of a graph algorithm, a window or a series function."""
    owner, word = moment.owner, moment.word()
    if owner == "DESCRIPTOR" and word == "(":
        source = moment.call_source()
        inner = None if source is None else source.inner
        columns = () if inner is None else moment.scope.columns(inner, moment.query)
        return times_first(columns)
    if owner == "FILL" and word in ("(", ",") and moment.clause in ("SAMPLE", "FILL"):
        return keyword_items(split("NULL PREV LINEAR NONE"))
    if owner not in ALGORITHMS and owner not in _WINDOWED:
        return None
    told = vocabulary.tables().get(owner)
    if word == "(":
        return keyword_items(["GRAPH" if owner in ALGORITHMS else "TABLE"])
    if word in ("=>", ":="):
        return _option_values(moment, owner, moment.name(2))
    source = moment.call_source()
    inner = None if source is None else source.inner
    columns = () if inner is None else moment.scope.columns(inner, moment.query)
    described = "DESCRIPTOR" in moment.tokens.words[moment.opener : moment.index]
    if owner in _WINDOWED and (word == "BY" or (word == "," and not described)):
        listed = [column_item(column) for column in columns]
        return listed if word == "BY" else [*keyword_items(["DESCRIPTOR"]), *listed]
    if word == "," and owner in WINDOW_FUNCTIONS:
        return [*keyword_items(["INTERVAL"]), Item("OFFSET => ", "option"), Item("ZONE => ", "option")]
    if word == ",":
        given = moment.given()
        options = [
            Item(f"{name} => ", "option", doc=meaning)
            for name, meaning, _ in (() if told is None else told.options)
            if name not in given
        ]
        return (
            [*[column_item(column) for column in columns], *options] if owner in TABLE_FUNCTIONS else options
        )
    return None


def _option_values(moment: Moment, owner: str, name: str) -> list[Item]:
    """What an argument by name may be."""
    told = vocabulary.tables().get(owner)
    options = () if told is None else told.options
    among = next((choices for option, _, choices in options if option == name.casefold()), ())
    if among:
        return [Item(choice, "value") for choice in among]
    source = moment.call_source()
    graph = None if source is None or owner not in ALGORITHMS else moment.known.graph(source.graph)
    if graph is None or name.casefold() in (
        "source",
        "target",
        "damping",
        "tolerance",
        "iterations",
        "k",
        "seed",
    ):
        return []
    return [
        column_item(column, "property") for item in graph.edges for column in moment.known.properties(item)
    ]


def _tables(moment: Moment) -> Iterable[Item] | None:
    """Where a relation's name is expected."""
    word, before = moment.word(), moment.word(2)
    if word == "FROM" and moment.owner in _PART_FROM and moment.opener > moment.query.first:
        return None
    if word == "FROM" and before == "DISTINCT" and moment.word(3) in ("IS", "NOT"):
        return None
    listed = word == "," and moment.clause in ("FROM", "JOIN", "ON") and moment.bare
    changed = word in ("UPDATE", "COPY") and moment.index == moment.first + 1
    changed = changed or (word == "USING" and moment.tokens.words[moment.first] in ("DELETE", "MERGE"))
    if word == "TABLE":
        if before == "CREATE" or before == "REPLACE":
            return []
        changed = True
    if word == "(" and moment.owner.casefold() == ROWS_FUNCTION:
        return relation_items(moment, stored=True)
    if word == "VIEW" and before in ("DROP", "ALTER"):
        return [item for item in relation_items(moment) if item.kind == "view"]
    if word not in _BEFORE_TABLE and not listed and not changed:
        return None
    relations = relation_items(
        moment,
        stored=(word == "FROM" and before == "DELETE")
        or word in ("INTO", "UPDATE", "TRUNCATE", "REFERENCES")
        or (word == "TABLE" and before != "("),
    )
    if (word in _READING and before != "DELETE") or listed:
        return [*relations, *vocabulary.table_items(), *keyword_items(split("LATERAL TABLE"))]
    return relations


def _pairs(moment: Moment) -> Iterable[Item] | None:
    """Where one of few words must follow."""
    word = moment.word()
    if word not in PAIRS:
        return None
    alone = word in (
        "SHOW",
        "DROP",
        "ALTER",
        "CREATE",
        "COMMENT",
        "TAG",
        "INSERT",
        "DELETE",
        "MERGE",
        "EXPLAIN",
    )
    if alone and moment.index != moment.first + 1 and not (word == "EXPLAIN" or moment.clause == "WHEN"):
        return None
    if word == "REPLACE" and moment.word(2) != "OR":
        return None
    if word in ("ANY", "SHORTEST") and moment.scope.pattern(moment.query, moment.index) is None:
        return None
    if word == "TIME" and moment.clause not in ("MATCH", "WHERE"):
        return None
    return keyword_items(PAIRS[word])


def _targets(moment: Moment) -> Iterable[Item] | None:
    """Columns of the table that a statement changes: behind SET, and in the list of INSERT."""
    target = moment.query.target or moment.root.target
    if target is None:
        return None
    word = moment.word()
    sets = moment.clause == "SET" and word in ("SET", ",") and moment.bare
    names = word in ("(", ",") and moment.opener == target.last and moment.clause in ("INTO", "UPDATE")
    if not sets and not names:
        return None
    return [column_item(column) for column in moment.known.columns(target.name) or ()]


def _naming(moment: Moment) -> Iterable[Item] | None:
    """Behind AS a name is made up; in CREATE … AS a query begins."""
    if moment.word() != "AS":
        return None
    creates = moment.tokens.words[moment.first] in ("CREATE", "PREPARE") and moment.bare
    return keyword_items(_QUERY_STARTS) if creates else []


_RULES: Final = (_patterns, _snapshots, _types, shared_columns, _calls, _tables, _pairs, _targets, _naming)


# --- any place ---


def _anywhere(moment: Moment, params: Iterable[str]) -> Iterator[Item]:
    if moment.after_operand:
        yield from keyword_items(FOLLOWERS.get(moment.clause, ()) if moment.bare else ())
        yield from keyword_items(AFTER_VALUE)
        return
    if moment.word() == "(" and moment.opener >= 0:
        yield from keyword_items(("SELECT", "FROM"))
    yield from join_conditions(moment)
    if moment.clause in _ALIASED and moment.member is not None:
        for output in moment.member.outputs:
            if output.name and not output.path:
                yield Item(spelled(output.name), "alias", "of this query")
    if moment.word() in ("LIMIT", "OFFSET", "SKIP"):
        yield from parameter_items(moment, params)
        return
    yield from _columns(moment)
    if moment.scope.pattern(moment.query, moment.index) is not None:
        yield from vocabulary.path_items()
    yield from vocabulary.scalar_items()
    yield from keyword_items(IN_VALUE)
    yield from parameter_items(moment, params)
    if moment.fragment.text:
        yield from keyword_items(FIRST)
        yield from keyword_items(dict.fromkeys(word for words in FOLLOWERS.values() for word in words))


def _columns(moment: Moment) -> Iterator[Item]:
    """Columns, variables and names of relations that an expression may name; only those that go on what is typed."""
    typed = moment.fragment.text.lstrip('"`').casefold()
    pattern = moment.scope.pattern(moment.query, moment.index)
    if pattern is not None:
        for variable in pattern.variables:
            if variable.name:
                yield Item(spelled(variable.name), "alias", variable.part)
    relations = [
        (relation, [column for column in relation.columns if typed in column.name.casefold()])
        for relation in moment.scope.visible(moment.query, moment.index)
    ]
    seen = Counter(column.name.casefold() for _, columns in relations for column in columns)
    for relation, columns in relations:
        for column in columns:
            # A name that two relations have is offered with the relation's own before it.
            owner = relation.alias if seen[column.name.casefold()] > 1 and relation.alias else ""
            shown = f"{spelled(owner)}.{spelled(column.name)}" if owner else spelled(column.name)
            yield Item(shown, "column", detail(column, relation.alias), column.comment or "")
    for relation, _ in relations:
        if relation.alias and relation.columns:
            yield Item(spelled(relation.alias), "alias", "relation")
    if relations or pattern is not None:
        return
    names = [name for name, _ in moment.known.relations()]
    for name in names if typed else names[:MOST_TABLES]:
        for column in moment.known.columns(name) or ():
            if typed in column.name.casefold():
                yield Item(spelled(column.name), "column", detail(column, name), column.comment or "")


def _members(moment: Moment) -> Iterator[Item]:
    """What may stand behind a point."""
    path: list[str] = []
    back = 1
    while moment.word(back) == "." and moment.name(back + 1):
        path.insert(0, moment.name(back + 1))
        back += 2
    if not path:
        return
    schema = path[0] if len(path) == 1 else ""
    if schema.casefold() in map(str.casefold, moment.known.schemas()) and moment.clause in _TABLE_CLAUSES:
        prefix = f"{schema}.".casefold()
        names = [
            (name, kind) for name, kind in moment.known.relations() if name.casefold().startswith(prefix)
        ]
        yield from (Item(spelled(name[len(prefix) :], label=True), kind) for name, kind in names)
        return
    found = moment.scope.members(moment.query, moment.index, tuple(path))
    kind = "field" if len(path) > 1 else "column"
    if found is None and len(path) == 1:
        # A schema's tables, else the columns of everything that the text reads.
        prefix = f"{path[0]}.".casefold()
        names = [name for name, _ in moment.known.relations() if name.casefold().startswith(prefix)]
        yield from (Item(spelled(name[len(prefix) :]), "table") for name in names)
        if not names:
            for relation in moment.scope.visible(moment.query, moment.index):
                yield from (column_item(column, label=True) for column in relation.columns)
        return
    yield from (column_item(column, kind, label=True) for column in found or ())


def _strings(moment: Moment) -> Iterator[Item]:
    """What a string may hold: a tag, a time zone, a choice of an option."""
    word, before = moment.word(), moment.word(2)
    if word == "=>" and before == "TAG":
        yield from (item for item in snapshot_items(moment) if item.kind == "tag")
    elif word == "ZONE" or (word == "=>" and before == "ZONE"):
        yield from (
            Item(string(zone), "value", "time zone") for zone in sorted(zoneinfo.available_timezones())
        )
    elif word == "=>" and moment.opener >= 0:
        values = _option_values(moment, moment.owner, moment.name(2))
        yield from (Item(string(item.text), "value") for item in values if item.kind == "value")

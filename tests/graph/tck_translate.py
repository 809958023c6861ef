"""Cypher queries as KadeQL: what one spells differently from the other, and reasons for what KadeQL has not.

Labels become the labels of tables (see `tck_world`), a MATCH becomes TRAIL, and elements are returned by their keys.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from tck_cypher import Clause, EdgePattern, Item, NodePattern, PathPattern, Unmapped, clauses_of, split
from tck_world import World

Kind = Literal["node", "edge", "edges", "path", "nodes", "value"]

_FUNCTIONS = {
    "type": "label", "length": "path_length", "relationships": "edges", "collect": "list", "nodes": "nodes",
    "count": "count", "sum": "sum", "min": "min", "max": "max", "avg": "avg", "coalesce": "coalesce", "abs": "abs",
}  # fmt: skip
_WORDS = {
    "AND", "OR", "NOT", "XOR", "IS", "NULL", "TRUE", "FALSE", "IN", "DISTINCT", "ASC", "DESC", "ASCENDING",
    "DESCENDING", "ORDER", "BY", "LIMIT", "SKIP",
}  # fmt: skip


@dataclass
class Column:
    """A column of the answer: its name, what it holds, and how many columns of KadeQL's answer make it."""

    name: str
    kind: Kind
    width: int = 1


@dataclass
class Translated:
    text: str
    columns: list[Column]


@dataclass
class _Scope:
    world: World
    graph: str
    kinds: dict[str, Kind] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    made: int = 0
    kept: str = ""
    """What the last WITH keeps."""

    def fresh(self, letter: str) -> str:
        self.made += 1
        return f"{letter}{self.made}__"


def translate(query: str, world: World, graph: str) -> Translated:
    """The query in KadeQL.

    Raises
    ------
    Unmapped
        KadeQL has no such thing.
    """
    scope = _Scope(world, graph)
    clauses = clauses_of(query)
    if clauses[-1].word != "RETURN":
        raise Unmapped("a query that returns nothing")
    parts: list[str] = []
    for clause in clauses[:-1]:
        if clause.word == "CREATE":
            raise Unmapped("CREATE in a query")
        if clause.word in ("WITH", "RETURN"):
            _carried(clause, scope, last=clause is clauses[-2])
        else:
            parts.append(_match(clause, scope, first=not parts))
    if not parts:
        raise Unmapped("a query that begins with no MATCH")
    text, columns = _returned(clauses[-1], scope)
    whole = " ".join([*parts, text])
    if scope.kept:
        whole = f"SELECT * EXCLUDE (kept__) FROM ({whole}) WHERE kept__"
    return Translated(whole, columns)


def _carried(clause: Clause, scope: _Scope, *, last: bool) -> None:
    """A WITH that only hands variables on is nothing in KadeQL; a condition of the last one stands around the query."""
    plain = all(len(item.tokens) == 1 and item.name == item.tokens[0] for item in clause.items)
    if clause.distinct or clause.tail or (clause.where and not last) or not plain:
        raise Unmapped("WITH that computes, filters or limits")
    if clause.where:
        scope.kept = _expression(clause.where, scope)
    kept = {item.name for item in clause.items}
    if "*" in kept:
        return
    if not kept <= set(scope.kinds):
        raise Unmapped("WITH of what is no element")
    scope.gone |= set(scope.kinds) - kept


def _match(clause: Clause, scope: _Scope, *, first: bool) -> str:
    edges = [edge for path in clause.paths for edge in path.edges]
    trails = [path for path in clause.paths if path.edges]
    across = len(trails) > 1
    if across and clause.word == "OPTIONAL MATCH":
        raise Unmapped("one trail over several paths of an OPTIONAL MATCH")
    where: list[str] = []
    texts: list[str] = []
    for path in clause.paths:
        if across and path.edges and path.variable is None:
            path.variable = scope.fresh("p")
        texts.append(_path(path, scope, len(edges)))
    for at, one in enumerate(trails):
        # Cypher walks no edge twice in a whole MATCH, KadeQL in a path.
        where += [
            f"NOT list_has_any(edges({one.variable}), edges({two.variable}))" for two in trails[at + 1 :]
        ]
    text = f"{clause.word} {', '.join(texts)}" + (f" ON GRAPH {scope.graph}" if first else "")
    if clause.where:
        where.insert(0, f"({_expression(clause.where, scope)})")
    return text + (f" WHERE {' AND '.join(where)}" if where else "")


def _path(path: PathPattern, scope: _Scope, edges: int) -> str:
    text = f"{path.variable} = " if path.variable else ""
    text += "TRAIL " if path.edges and (edges > 1 or any(e.repeats for e in path.edges)) else ""
    if path.variable:
        _declare(path.variable, "path", scope)
    return text + "".join(
        _node(item, scope) if isinstance(item, NodePattern) else _edge(item, scope) for item in path.elements
    )


def _declare(name: str, kind: Kind, scope: _Scope) -> None:
    if name in scope.gone:
        raise Unmapped("a name that WITH took away and a later MATCH gives again")
    scope.kinds.setdefault(name, kind)


def _node(node: NodePattern, scope: _Scope) -> str:
    name = node.variable or (scope.fresh("n") if node.properties else "")
    if node.variable:
        _declare(node.variable, "node", scope)
    labels = "|".join(scope.world.labels_for(node.labels))
    return f"({name}{':' + labels if labels else ''}{_where(name, node.properties)})"


def _edge(edge: EdgePattern, scope: _Scope) -> str:
    name = edge.variable or (scope.fresh("e") if edge.properties else "")
    if edge.variable:
        _declare(edge.variable, "edges" if edge.repeats else "edge", scope)
    types = "|".join(scope.world.types_for(edge.types))
    inner = f"[{name}{':' + types if types else ''}{_where(name, edge.properties)}]"
    text = {"->": f"-{inner}->", "<-": f"<-{inner}-", "-": f"-{inner}-"}[edge.direction]
    if edge.repeats is None:
        return text
    least, most = edge.repeats
    if most is not None and most < least:
        raise Unmapped("a quantifier that holds no number, which KadeQL refuses")
    return text + f"{{{least},{'' if most is None else most}}}"


def _where(name: str, properties: dict[str, str]) -> str:
    tests = [f"{name}.{key} = {_text(value)}" for key, value in properties.items()]
    if any("$" in test for test in tests):
        raise Unmapped("a parameter")
    return f" WHERE {' AND '.join(tests)}" if tests else ""


def _text(value: str) -> str:
    """A constant; KadeQL quotes text with single quotes alone, and doubles them."""
    if value[:1] not in ("'", '"'):
        return value
    inner = re.sub(r"\\(.)", r"\1", value[1:-1])
    return "'" + inner.replace("'", "''") + "'"


def _returned(clause: Clause, scope: _Scope) -> tuple[str, list[Column]]:
    items = clause.items
    if len(items) == 1 and items[0].tokens == ["*"]:
        items = [
            Item([name], name)
            for name in sorted(scope.kinds)
            if not name.endswith("__") and name not in scope.gone
        ]
    texts: list[str] = []
    columns: list[Column] = []
    for at, item in enumerate(items):
        kind, expressions = _item(item.tokens, scope)
        columns.append(Column(item.name, kind, len(expressions)))
        texts += [f"{text} AS c{at}_{place}" for place, text in enumerate(expressions)]
    tail = _tail(clause.tail, items, scope)
    if scope.kept:
        if tail or clause.distinct or any("(" in item.tokens for item in items):
            raise Unmapped("WITH that filters what is ordered or aggregated")
        texts.append(f"({scope.kept}) AS kept__")
    return f"RETURN {'DISTINCT ' if clause.distinct else ''}{', '.join(texts)}{tail}", columns


def _item(tokens: Sequence[str], scope: _Scope) -> tuple[Kind, list[str]]:
    if len(tokens) == 1 and tokens[0] in scope.kinds:
        kind = scope.kinds[tokens[0]]
        if tokens[0] in scope.gone:
            raise Unmapped("a name that WITH took away")
        return kind, [f"nodes({tokens[0]})", f"edges({tokens[0]})"] if kind == "path" else [tokens[0]]
    plain = len(tokens) == 4 and tokens[1] == "(" and tokens[2] in scope.kinds
    if plain and tokens[0].lower() in ("nodes", "relationships") and scope.kinds[tokens[2]] == "path":
        return ("nodes" if tokens[0].lower() == "nodes" else "edges"), [_expression(tokens, scope)]
    if plain and tokens[0].lower() == "collect" and scope.kinds[tokens[2]] in ("node", "edge"):
        return ("nodes" if scope.kinds[tokens[2]] == "node" else "edges"), [f"list({tokens[2]})"]
    return "value", [_expression(tokens, scope)]


def _expression(tokens: Sequence[str], scope: _Scope) -> str:
    """An expression word by word."""
    found: list[str] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        before = tokens[at - 1] if at else ""
        after = tokens[at + 1] if at + 1 < len(tokens) else ""
        if token in scope.kinds and after == ":":
            labels = []
            while at + 1 < len(tokens) and tokens[at + 1] == ":":
                labels.append(tokens[at + 2])
                at += 2
            found.append(_labelled(token, labels, scope))
        elif token[:1] in ("'", '"'):
            found.append(_text(token))
        elif re.match(r"[A-Za-z_`]", token):
            found.append(_word(token, before, after, tokens[at + 2] if at + 2 < len(tokens) else "", scope))
        elif token in ("{", "=~") or token.startswith("$"):
            raise Unmapped(
                {"{": "a map or a subquery", "=~": "a regular expression"}.get(token, "a parameter")
            )
        elif token == ")" and after in ("-", "<") and tokens[at + 2 : at + 3] in (["-"], ["["]):
            raise Unmapped("a pattern as a condition")
        else:
            found.append(token)
        at += 1
    return re.sub(r" ?([.()\[\],]) ?", r"\1", " ".join(found)).replace(",", ", ").replace(")AND", ") AND")


def _word(token: str, before: str, after: str, second: str, scope: _Scope) -> str:
    """A name or a key word of an expression."""
    if before == ".":
        return token.strip("`")
    if after == "(" and token.upper() not in ("AND", "OR", "NOT", "IN", "XOR"):
        if token.lower() not in _FUNCTIONS:
            raise Unmapped(f"the function {token.lower()}")
        if token.lower() == "count" and scope.kinds.get(second) == "path":
            raise Unmapped("count of a path")
        if token.lower() == "type" and scope.kinds.get(second) != "edge":
            raise Unmapped("type of what is no edge")
        return _FUNCTIONS[token.lower()]
    if token in scope.kinds:
        compared = {before, after} & {"=", "<>", ".", "IS", "is"} or before in ("(", "DISTINCT")
        if token in scope.gone or not compared:
            raise Unmapped("an element inside of an expression")
        return token
    if token.upper() not in _WORDS:
        raise Unmapped(
            f"{token.upper()} in an expression" if token.isupper() else "a name that no MATCH gives"
        )
    return token.upper()


def _labelled(name: str, labels: list[str], scope: _Scope) -> str:
    """`v:A` as a condition."""
    if scope.kinds[name] == "node":
        wanted = scope.world.labels_for(labels)
    elif scope.kinds[name] == "edge":
        wanted = scope.world.types_for(labels)
    else:
        raise Unmapped("labels of what is no element")
    return f"(label({name}) IN ({', '.join(repr(label) for label in wanted)}))"


def _tail(tokens: Sequence[str], items: Sequence[Item], scope: _Scope) -> str:
    """ORDER BY, SKIP and LIMIT; a sort key that is an item is named by its place."""
    text = ""
    rest = list(tokens)
    while rest:
        word = rest[0].upper()
        stop = next(
            (at for at, t in enumerate(rest[1:], 1) if t.upper() in ("SKIP", "LIMIT", "ORDER")), len(rest)
        )
        body, rest = rest[1:stop], rest[stop:]
        if word != "ORDER":
            text += f" {'OFFSET' if word == 'SKIP' else 'LIMIT'} {_expression(body, scope)}"
            continue
        keys = []
        for part in split(body[1:]):
            way = part[-1].upper() if part[-1].upper() in ("ASC", "DESC", "ASCENDING", "DESCENDING") else ""
            bare = part[:-1] if way else part
            places = [at for at, item in enumerate(items) if bare in (item.tokens, [item.name])]
            key = f"c{places[0]}_0" if places else _expression(bare, scope)
            keys.append(f"{key}{' DESC' if way.startswith('DESC') else ''}")
        text += f" ORDER BY {', '.join(keys)}"
    return text

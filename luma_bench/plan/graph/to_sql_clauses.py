"""One MATCH of a pattern as a query: its nodes and edges as relations, its paths, and how they hold together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from luma_bench.language.graph.pattern import (
    Clause,
    Direction,
    Duplicates,
    EdgePattern,
    Expression,
    Mode,
    NodePattern,
    PathPattern,
)
from luma_bench.plan.graph.to_sql_elements import Option, Output, column, during, ends, key, number
from luma_bench.plan.graph.to_sql_parts import Parts
from luma_bench.plan.graph.to_sql_paths import EdgeRelation, PathQuery, PathWants, carried
from luma_bench.plan.graph.to_sql_walks import Walk
from luma_bench.types.graph import VertexTable
from luma_bench.types.sql_text import quoted


@dataclass(slots=True)
class ClauseQuery:
    """One MATCH: its nodes' tables narrowed to those that its edges lead to, its relations, and its paths joined."""

    query: Parts
    clause: Clause
    place: int
    given: set[str]
    """The variables that an earlier path gave the columns of."""
    tables: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    options: dict[int, tuple[Option, ...]] = field(default_factory=dict[int, tuple[Option, ...]])
    """By the identity of an edge pattern."""
    impossible: frozenset[str] = frozenset()
    """Nodes whose labels no table has together."""

    def add(self) -> list[str]:
        """Add the clause's query as `@c <place>`; the columns that it has."""
        self._narrow()
        shown: list[list[str]] = []
        for number_, path in enumerate(self.clause.paths):
            names, sql = self._path(path)
            self.query.part(f"@p {self.place} {number_}", sql)
            shown.append(names)
        first: dict[str, str] = {}
        equal: list[str] = []
        for number_, names in enumerate(shown):
            for name in names:
                held = f"p{number_}.{quoted(name)}"
                if name in first:
                    equal.append(f"{first[name]} = {held}")
                else:
                    first[name] = held
        values = ", ".join(f"{held} AS {quoted(name)}" for name, held in first.items()) or "1 AS one"
        relations = ", ".join(f'"@p {self.place} {i}" AS p{i}' for i in range(len(shown)))
        where = f" WHERE {' AND '.join(equal)}" if equal else ""
        self.query.part(f"@c {self.place}", f"SELECT {values} FROM {relations}{where}")
        return list(first)

    def _narrow(self) -> None:
        """Leave out tables that no edge of the pattern joins, until none more falls out."""
        graph = self.query.sources.graph
        nodes = [node for path in self.clause.paths for node in path.nodes]
        for node in nodes:
            labelled = graph.vertices_labelled([label.name for label in node.labels])
            known = self.tables.get(node.variable, labelled)
            self.tables[node.variable] = tuple(place for place in known if place in labelled)
        labelled_only = dict(self.tables)
        between = [
            (edge, left.variable, right.variable)
            for path in self.clause.paths
            for edge, (left, right) in zip(path.edges, pairwise(path.nodes), strict=True)
        ]
        for edge, _, _ in between:
            self.options[id(edge)] = self._ways(edge)
        changed = True
        while changed:
            changed = False
            for edge, left, right in between:
                if edge.quantifier is not None:
                    continue
                ways = tuple(
                    way
                    for way in self.options[id(edge)]
                    if way.left in self.tables[left] and way.right in self.tables[right]
                )
                self.options[id(edge)] = ways
                for name, kept in ((left, {w.left for w in ways}), (right, {w.right for w in ways})):
                    narrowed = tuple(place for place in self.tables[name] if place in kept)
                    changed |= narrowed != self.tables[name]
                    self.tables[name] = narrowed
        if not all(self.tables.values()):
            # Nothing matches: the joins say so, over relations that have their columns' types.
            self.impossible = frozenset(name for name, found in labelled_only.items() if not found)
            self.tables = labelled_only
            for node in nodes:
                if node.variable in self.impossible:
                    self.tables[node.variable] = graph.vertices_labelled(
                        [label.name for label in node.labels]
                    )
            self.options = {id(edge): self._ways(edge) for edge, _, _ in between}

    def _ways(self, edge: EdgePattern) -> tuple[Option, ...]:
        graph = self.query.sources.graph
        forward = {Direction.RIGHT: (True,), Direction.LEFT: (False,), Direction.ANY: (True, False)}
        return tuple(
            Option(place, way, *(graph.vertex(end.vertex) for end in ends(graph.edges[place], way)))
            for place in graph.edges_labelled([label.name for label in edge.labels])
            for way in forward[edge.direction]
        )

    def _path(self, path: PathPattern) -> tuple[list[str], str]:
        query = self.query
        wants = self._wants(path)
        new = {item.variable for item in path.elements if item.variable in query.named} - self.given
        outputs = {name: tuple(query.outputs.get(name, ())) for name in new}
        relations: dict[int, EdgeRelation] = {}
        keyed: dict[str, set[str]] = {}
        for place, edge in enumerate(path.edges):
            columns = self._keyed(edge, path.nodes[place], path.nodes[place + 1])
            if columns is not None:
                keyed.setdefault(path.nodes[place].variable, set()).update(columns[0])
                keyed.setdefault(path.nodes[place + 1].variable, set()).update(columns[1])
        nodes = {
            node.variable: self._node(
                node.variable,
                outputs.get(node.variable, ()),
                sorted(keyed.get(node.variable, ())),
                wants,
                ranked=path.selector is not None,
            )
            for node in path.nodes
        }
        for place, edge in enumerate(path.edges):
            relations[place] = self._edge(path, place, outputs.get(edge.variable, ()), wants, nodes)
        named = frozenset(query.named)
        made = PathQuery(path, nodes, outputs, list(relations.values()), wants, named)
        names: list[str] = []
        for item in (*path.nodes, *path.edges):
            if item.variable in named and f"{item.variable}.@id" not in names:
                names.append(f"{item.variable}.@id")
                names += [output.name for output in outputs.get(item.variable, ())]
        names += wants.columns.values()
        self.given |= new
        return names, made.sql()

    def _wants(self, path: PathPattern) -> PathWants:
        columns = {} if path.variable is None else self.query.of_paths.get(path.variable, {})
        types = {
            what: kind.removesuffix("[]")
            for what in ("nodes", "edges")
            if (kind := self.query.types.get(columns.get(what, ""))) is not None and kind.endswith("[]")
        }
        time = self.clause.time
        if time is None or time.variable not in {edge.variable for edge in path.edges}:
            return PathWants(columns, key_types=types)
        constant = self.query.sources.constant
        return PathWants(
            columns,
            later=">" if time.strict else ">=",
            within="" if time.within is None else constant(time.within),
            starting="" if time.starting_at is None else constant(time.starting_at),
            timed=time.variable,
            key_types=types,
        )

    def _node(
        self,
        variable: str,
        outputs: Sequence[Output],
        keyed: Sequence[str],
        wants: PathWants,
        *,
        ranked: bool,
    ) -> str:
        """The query of a node variable: `@id`, what is read of it, and the columns that edges refer to."""
        sources = self.query.sources
        patterns = [n for path in self.clause.paths for n in path.nodes if n.variable == variable]
        conditions = [condition for pattern in patterns for condition in pattern.conditions]
        alike = self._alike(patterns)
        branches: list[str] = []
        for place in self.tables[variable]:
            table = sources.graph.vertices[place]
            raw = list(dict.fromkeys((*table.key, *keyed)))
            held = [
                f'{number(place)} AS "@id"',
                *(quoted(item.name) for item in outputs),
                *map(column, keyed),
            ]
            held += [f'{wants.key("nodes", key(table))} AS "@key"'] if wants.asks("nodes") else []
            inner = sources.element(table, outputs, raw, conditions, alike=alike)
            none = " WHERE FALSE" if variable in self.impossible else ""
            branches.append(f"SELECT {', '.join(held)} FROM ({inner}) AS row{none}")
        sql = " UNION ALL ".join(branches)
        if ranked:
            sql = (
                f'SELECT node.*, ranked."@rank" FROM ({sql}) AS node'
                f' JOIN {self.query.ranks()} AS ranked ON ranked."@id" = node."@id"'
            )
        return self.query.part(f"@v {self.place} {variable} {len(self.query.held)}", sql)

    def _alike(self, patterns: Sequence[NodePattern]) -> list[VertexTable]:
        graph = self.query.sources.graph
        names = [label.name for pattern in patterns for label in pattern.labels]
        return [graph.vertices[place] for place in graph.vertices_labelled(names)]

    def _between(self, edge: EdgePattern, left: NodePattern, right: NodePattern) -> tuple[Option, ...]:
        """The ways that an edge without a quantifier can hold between the tables of its nodes."""
        return tuple(
            way
            for way in self.options[id(edge)]
            if way.left in self.tables[left.variable] and way.right in self.tables[right.variable]
        )

    def _keyed(
        self, edge: EdgePattern, left: NodePattern, right: NodePattern
    ) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """The columns of its nodes that an edge is joined by; None where they are not the same for all its tables."""
        graph = self.query.sources.graph
        single = len(self.tables[left.variable]) == 1 and len(self.tables[right.variable]) == 1
        if edge.quantifier is not None or not single:
            return None
        found = {
            tuple(end.keys for end in ends(graph.edges[way.table], way.forward))
            for way in self._between(edge, left, right)
        }
        if len(found) != 1 or len(found) == 0:
            return None
        one, two = found.pop()
        if (
            edge.direction is Direction.ANY
            and self.tables[left.variable] == self.tables[right.variable]
            and one != two
        ):
            return None
        return one, two

    def _edge(
        self,
        path: PathPattern,
        place: int,
        outputs: Sequence[Output],
        wants: PathWants,
        nodes: Mapping[str, str],
    ) -> EdgeRelation:
        query = self.query
        edge, left, right = path.edges[place], path.nodes[place], path.nodes[place + 1]
        keyed = self._keyed(edge, left, right)
        costed = wants.asks("cost") or (path.selector is not None and path.selector.kind == "cheapest")
        ways = self._between(edge, left, right) if edge.quantifier is None else ()
        branches = [
            self._branch(edge, way, outputs, wants, keyed=keyed is not None, costed=costed)
            for way in ways or self.options[id(edge)]
        ]
        name = f"@e {self.place} {edge.variable} {len(query.held)}"
        held = query.part(name, " UNION ALL ".join(branches))
        if edge.quantifier is None:
            return EdgeRelation(held, keyed, False, tuple(outputs))
        timed = wants.timed == edge.variable
        conditions = [
            any(n.conditions for p in self.clause.paths for n in p.nodes if n.variable == end.variable)
            for end in (left, right)
        ]
        backward = conditions == [False, True] and path.selector is None and not timed
        needed = carried(path, edge, outputs, wants, edge.variable in query.named)
        walk = Walk(
            held,
            nodes[(right if backward else left).variable],
            edge.quantifier,
            path.mode,
            path.selector,
            needed,
            backward=backward,
            later=wants.later if timed else "",
            starting=wants.starting if timed else "",
            distinct=query.match.duplicates is Duplicates.IGNORED and not needed and path.mode is Mode.WALK,
        )
        return EdgeRelation(query.part(f"@w {name[3:]}", walk.sql()), None, True, tuple(outputs))

    def _branch(
        self,
        edge: EdgePattern,
        way: Option,
        outputs: Sequence[Output],
        wants: PathWants,
        *,
        keyed: bool,
        costed: bool,
    ) -> str:
        """The rows of one edge table as they are walked one way."""
        query = self.query
        graph = query.sources.graph
        table = graph.edges[way.table]
        near, far = ends(table, way.forward)
        valid = [name for name in (table.valid_from, table.valid_to) if name is not None]
        expressions: dict[str, Expression] = {}
        if edge.cost is not None and costed:
            expressions["@cost"] = edge.cost
        time = self.clause.time
        if time is not None and time.variable == edge.variable:
            expressions |= {"@depart": time.depart, "@arrive": time.arrive}
        alike = [graph.edges[i] for i in graph.edges_labelled([label.name for label in edge.labels])]
        raw = dict.fromkeys((*table.key, *near.columns, *far.columns, *valid))
        inner = query.sources.element(table, outputs, raw, edge.conditions, expressions, alike)
        held = [f'{number(way.table)} AS "@id"', *(quoted(item.name) for item in outputs)]
        held += [f'{wants.key("edges", key(table))} AS "@key"'] if wants.asks("edges") else []
        if costed:
            held.append('"@cost"::DOUBLE AS "@cost"' if edge.cost is not None else '0.0::DOUBLE AS "@cost"')
        where: list[str] = []
        if "@depart" in expressions:
            held += ['"@depart"', '"@arrive"']
            where += ['"@depart" IS NOT NULL', '"@arrive" IS NOT NULL']
        if self.clause.valid_at is not None:
            where += during(table, query.sources.constant(self.clause.valid_at))
        again = edge.direction is Direction.ANY and not way.forward and way.left == way.right
        if keyed:
            held += [f'{column(name)} AS "@l{at}"' for at, name in enumerate(near.columns)]
            held += [f'{column(name)} AS "@r{at}"' for at, name in enumerate(far.columns)]
            if again:
                same = [f"{column(a)} = {column(b)}" for a, b in zip(near.columns, far.columns, strict=True)]
                where.append(f"NOT ({' AND '.join(same)})")
            return f"SELECT {', '.join(held)} FROM ({inner}) AS row{_where(where)}"
        keys = wants.asks("nodes") and edge.quantifier is not None
        sql = f"SELECT {', '.join([*held, *map(column, raw)])} FROM ({inner}) AS row{_where(where)}"
        far_key = 'far."@key"'
        taken = ['near."@id" AS "@source"', 'far."@id" AS "@target"', 'far."@rank" AS "@trank"']
        taken += [f'{wants.key("nodes", far_key)} AS "@tkey"'] if keys else []
        kept = [f"edge.{item.split(' AS ')[-1]}" for item in held]
        joined = [
            f"JOIN {query.vertices(at)} AS {alias} ON "
            + " AND ".join(
                f"{alias}.{column(k)} = edge.{column(c)}" for c, k in zip(end.columns, end.keys, strict=True)
            )
            for alias, end, at in (("near", near, way.left), ("far", far, way.right))
        ]
        loops = _where(['near."@id" <> far."@id"'] if again else [])
        return f"SELECT {', '.join([*taken, *kept])} FROM ({sql}) AS edge {' '.join(joined)}{loops}"


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""

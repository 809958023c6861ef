"""Random patterns over random graphs: as texts of KadeQL, and for `brute`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import brute
from random_graphs import hour


@dataclass(frozen=True)
class Asked:
    """A random pattern: clauses, the columns that are read, and the conditions that stand in the last WHERE."""

    clauses: tuple[brute.Clause, ...]
    columns: tuple[str, ...]
    late: frozenset[tuple[int, int, int]] = frozenset()
    """Places (clause, path, element) whose conditions are written in the clause's WHERE."""
    across: tuple[tuple[str, str, str], ...] = ()
    """Conditions between columns of the last clause: `a.x`, operator, `b.x`."""


def asked(random: Random, graph: brute.Graph) -> Asked:
    """A random pattern over a graph."""
    known: list[str] = []
    clauses: list[brute.Clause] = []
    late: set[tuple[int, int, int]] = set()
    count = random.choice((1, 1, 1, 2, 2))
    for place in range(count):
        optional = random.random() < (0.6 if place else 0.1)
        clause = _clause(random, graph, place, known, optional)
        clauses.append(clause)
        for at, path in enumerate(clause.paths):
            for inside, item in enumerate(path.elements):
                repeated = isinstance(item, brute.Link) and item.quantifier is not None
                if (
                    item.tests
                    and not repeated
                    and not item.variable.startswith("@")
                    and random.random() < 0.4
                ):
                    late.add((place, at, inside))
            known += [node.variable for node in path.nodes if not node.variable.startswith("@")]
    columns = _columns(random, graph, clauses)
    return Asked(tuple(clauses), columns, frozenset(late), _across(random, clauses))


def _clause(random: Random, graph: brute.Graph, place: int, known: list[str], optional: bool) -> brute.Clause:
    paths: list[brute.Path] = []
    for at in range(random.choice((1, 1, 1, 2))):
        before = [node.variable for path in paths for node in path.nodes]
        paths.append(_path(random, graph, f"{place}{at}", [*known, *before]))
    valid = hour(random.randrange(2, 8)) if random.random() < 0.15 else None
    times = None
    links = [link for path in paths for link in path.links if not link.variable.startswith("@")]
    if links and random.random() < 0.2:
        link = random.choice(links)
        times = brute.Times(
            link.variable,
            "dep",
            "arr",
            random.random() < 0.5,
            dt.timedelta(hours=random.randrange(1, 9)) if random.random() < 0.4 else None,
            hour(random.randrange(6)) if random.random() < 0.4 else None,
        )
    return brute.Clause(tuple(paths), optional, valid, times)


def _path(random: Random, graph: brute.Graph, place: str, known: list[str]) -> brute.Path:
    length = random.choice((0, 1, 1, 1, 2, 2, 3))
    selector = None
    mode = random.choice(("WALK",) * 5 + ("TRAIL", "TRAIL", "ACYCLIC", "SIMPLE"))
    if length and random.random() < 0.3:
        selector = random.choice(
            (("any", 1), ("all", 1), ("shortest", random.randrange(1, 4)), ("cheapest", 1))
        )
    repeats = random.choice((0, 0, 1)) if length > 1 else random.choice((0, 1))
    if selector is not None:
        repeats = 1
    repeated = set(random.sample(range(length), min(repeats, length)))
    elements: list[brute.Node | brute.Link] = [_node(random, graph, f"{place}0", known, [])]
    for at in range(length):
        link = _link(random, graph, f"{place}{at}")
        if at in repeated:
            link = replace(link, quantifier=_quantifier(random, mode, selector))
        if selector is not None and selector[0] == "cheapest" and (at in repeated or random.random() < 0.5):
            link = replace(link, cost="cost")
        own = [item.variable for item in elements if isinstance(item, brute.Node)]
        elements += [link, _node(random, graph, f"{place}{at + 1}", known, own)]
    variable = f"p{place}" if length and random.random() < 0.6 else None
    return brute.Path(tuple(elements), variable, mode, selector)


def _node(random: Random, graph: brute.Graph, place: str, known: list[str], own: list[str]) -> brute.Node:
    chance = random.random()
    named = [name for name in (*known, *own) if not name.startswith("@")]
    if named and chance < 0.35:
        variable = random.choice(named)
    else:
        variable = f"n{place}" if chance < 0.9 else f"@{place}"
    labels: tuple[str, ...] = ()
    if random.random() < 0.25:
        present = sorted({label for item in graph.vertices for label in item.labels})
        labels = tuple(random.sample(present, min(len(present), random.choice((1, 1, 2)))))
    return brute.Node(variable, labels, _tests(random, 0.13))


def _link(random: Random, graph: brute.Graph, place: str) -> brute.Link:
    labels: tuple[str, ...] = ()
    if random.random() < 0.4:
        present = sorted({label for item in graph.edges for label in item.labels})
        labels = tuple(random.sample(present, min(len(present), random.choice((1, 1, 2)))))
    variable = f"r{place}" if random.random() < 0.7 else f"@r{place}"
    return brute.Link(variable, labels, random.choice(("->", "->", "<-", "-")), _tests(random, 0.13))


def _tests(random: Random, chance: float) -> tuple[brute.Test, ...]:
    found = []
    while random.random() < chance and len(found) < 2:
        op = random.choice(("=", "<>", "<", "<=", ">", ">=", "is null", "is not null"))
        found.append(brute.Test("x", op, None if op.startswith("is") else random.randrange(4)))
    return tuple(found)


def _quantifier(random: Random, mode: str, selector: tuple[str, int] | None) -> tuple[int, int | None]:
    bounded = [(0, 1), (1, 2), (2, 2), (0, 2), (1, 3), (0, 0), (2, 3)]
    if mode == "WALK" and selector is None:
        return random.choice(bounded)
    return random.choice([*bounded, (0, None), (1, None), (1, None), (2, None)])


def _columns(random: Random, graph: brute.Graph, clauses: Sequence[brute.Clause]) -> tuple[str, ...]:
    """What a query reads: of every variable something, mostly."""
    found: list[str] = []
    keyed = all(item.key for item in graph.edges)
    for clause in clauses:
        timed = None if clause.times is None else clause.times.variable
        for path in clause.paths:
            for item in path.elements:
                name = item.variable
                if name.startswith("@") or random.random() < 0.2:
                    continue
                tables = graph.edges if isinstance(item, brute.Link) else graph.vertices
                same = len({tuple(sorted(_key_types(each))) for each in tables}) == 1
                choices = [f"{name}.x", f"{name}.@label"]
                if same and (keyed or not isinstance(item, brute.Link)):
                    choices.append(name)
                found += random.sample(choices, random.choice((1, 1, 2)))
            if path.variable is None:
                continue
            choices = ["@length", "@length"]
            if len({tuple(sorted(_key_types(each))) for each in graph.vertices}) == 1:
                choices.append("@nodes")
            if keyed:
                choices.append("@edges")
            if any(link.cost for link in path.links):
                choices.append("@cost")
            if timed in {link.variable for link in path.links}:
                choices += ["@departure", "@arrival"]
            found += {f"{path.variable}.{what}" for what in random.choices(choices, k=2)}
    return tuple(dict.fromkeys(found))


def _key_types(item: brute.Element) -> list[tuple[str, str]]:
    return [(name, type(item.rows[0][name]).__name__ if item.rows else "int") for name in item.key]


def _across(random: Random, clauses: Sequence[brute.Clause]) -> tuple[tuple[str, str, str], ...]:
    last = clauses[-1]
    if last.optional or random.random() < 0.7:
        return ()
    names = sorted(
        {
            item.variable
            for path in last.paths
            for item in path.elements
            if not item.variable.startswith("@")
            and not (isinstance(item, brute.Link) and item.quantifier is not None)
        }
    )
    if len(names) < 2:
        return ()
    one, two = random.sample(names, 2)
    return ((f"{one}.x", random.choice(("=", "<>", "<", ">=")), f"{two}.x"),)


# -- texts


def pattern_text(question: Asked, *, on: str | None) -> str:
    """The MATCH clauses of a pattern as KadeQL."""
    parts = []
    for place, clause in enumerate(question.clauses):
        paths, where = [], []
        for at, path in enumerate(clause.paths):
            elements = []
            for inside, item in enumerate(path.elements):
                late = (place, at, inside) in question.late
                where += [_test(item.variable, test) for test in item.tests] if late else []
                elements.append(_element(item, () if late else item.tests))
            head = f"{path.variable} = " if path.variable else ""
            if path.selector is not None:
                kind, count = path.selector
                head += {
                    "any": "ANY SHORTEST ", "all": "ALL SHORTEST ", "shortest": f"SHORTEST {count} ",
                    "cheapest": "ANY CHEAPEST ",
                }[kind]  # fmt: skip
            head += "" if path.mode == "WALK" else f"{path.mode} "
            paths.append(head + "".join(elements))
        text = f"{'OPTIONAL ' if clause.optional else ''}MATCH {', '.join(paths)}"
        text += f" ON GRAPH {on}" if on is not None and place == 0 else ""
        if clause.valid_at is not None:
            text += f" VALID AT {literal(clause.valid_at)}"
        if place == len(question.clauses) - 1:
            where += [f"{one} {op} {two}" for one, op, two in question.across]
        text += f" WHERE {' AND '.join(where)}" if where else ""
        text += _times_text(clause.times)
        parts.append(text)
    return " ".join(parts)


def _times_text(times: brute.Times | None) -> str:
    if times is None:
        return ""
    text = f" TIME RESPECTING ({times.variable}.{times.depart}, {times.variable}.{times.arrive})"
    text += " STRICT" if times.strict else ""
    text += f" WITHIN {literal(times.within)}" if times.within is not None else ""
    return text + (f" STARTING AT {literal(times.starting)}" if times.starting is not None else "")


def _element(item: brute.Node | brute.Link, tests: Sequence[brute.Test]) -> str:
    name = "" if item.variable.startswith("@") else item.variable
    labels = f":{'|'.join(item.labels)}" if item.labels else ""
    # A condition names its element, so one without a name is given one.
    if tests and not name:
        name = item.variable.replace("@", "hidden")
    where = f" WHERE {' AND '.join(_test(name, test) for test in tests)}" if tests else ""
    if isinstance(item, brute.Node):
        return f"({name}{labels}{where})"
    cost = f" COST {name or item.variable.replace('@', 'hidden')}.{item.cost}" if item.cost else ""
    name = name or (item.variable.replace("@", "hidden") if item.cost else "")
    inner = f"[{name}{labels}{where}{cost}]"
    text = {"->": f"-{inner}->", "<-": f"<-{inner}-", "-": f"-{inner}-"}[item.direction]
    if item.quantifier is None:
        return text
    least, most = item.quantifier
    short = {(0, None): "*", (1, None): "+"}.get((least, most))
    return text + (short or f"{{{least},{'' if most is None else most}}}")


def _test(name: str, test: brute.Test) -> str:
    if test.op.startswith("is"):
        return f"{name}.{test.property} {test.op.upper()}"
    return f"{name}.{test.property} {test.op} {literal(test.value)}"


def literal(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case dt.datetime():
            return f"TIMESTAMP '{value:%Y-%m-%d %H:%M:%S}'"
        case dt.timedelta():
            return f"INTERVAL '{int(value.total_seconds() // 3600)}' HOUR"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            return repr(value)


def item_text(column: str) -> str:
    """A column of the relation as an expression of RETURN."""
    variable, _, what = column.partition(".")
    functions = {
        "@nodes": "nodes", "@edges": "edges", "@length": "path_length", "@cost": "path_cost",
        "@departure": "path_departure", "@arrival": "path_arrival", "@label": "label",
    }  # fmt: skip
    return f"{functions[what]}({variable})" if what in functions else column


def expected(matcher: brute.Matcher, question: Asked) -> list[tuple[Any, ...]]:
    """The rows that a pattern's columns have, by brute force."""
    found = []
    for row in matcher.rows(question.clauses):
        kept = all(
            brute.holds(matcher.value(row, one), brute.Test("", op, matcher.value(row, two)))
            for one, op, two in question.across
        )
        if kept:
            found.append(tuple(matcher.value(row, column) for column in question.columns))
    return found

"""A graph that changes, asked at every moment: old snapshots, open transactions, and under policies, against brute force."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import brute
import pyarrow as pa
import pytest
from oracle_cases import planned, rows, same
from random_patterns import item_text

import luma_bench as lb

PEOPLE = pa.schema([("id", pa.int64()), ("team", pa.int64())])
KNOWS = pa.schema([("eid", pa.int64()), ("a", pa.int64()), ("b", pa.int64()), ("km", pa.float64())])
ADA = lb.Identity("ada", roles=("staff",))

node, link, path, clause = brute.Node, brute.Link, brute.Path, brute.Clause
QUESTIONS: list[tuple[str, tuple[brute.Clause, ...], tuple[str, ...]]] = [
    ("MATCH (a)-[r]->(b)", (clause((path((node("a"), link("r"), node("b"))),)),), ("a.id", "r.eid", "b.team")),
    (
        "MATCH (a)-[r]-(b)-[s]-(c)",
        (clause((path((node("a"), link("r", (), "-"), node("b"), link("s", (), "-"), node("c"))),)),),
        ("a", "r", "s", "c.team"),
    ),
    (
        "MATCH p = ANY SHORTEST (a)-[]->+(b)",
        (clause((path((node("a"), link("@1", quantifier=(1, None)), node("b")), "p", "WALK", ("any", 1)),)),),
        ("p.@nodes", "p.@length"),
    ),
    (
        "MATCH p = ANY CHEAPEST (a)-[r COST r.km]->+(b)",
        (
            clause(
                (path((node("a"), link("r", quantifier=(1, None), cost="km"), node("b")), "p", "WALK", ("cheapest", 1)),)
            ),
        ),
        ("p.@nodes", "p.@cost"),
    ),
    (
        "MATCH TRAIL (a)-[r]->{1,3}(b)",
        (clause((path((node("a"), link("r", quantifier=(1, 3)), node("b")), None, "TRAIL"),)),),
        ("a.id", "r.eid", "b.id"),
    ),
    (
        "MATCH (a WHERE a.team = 1) OPTIONAL MATCH (a)<-[r]-(b WHERE b.team = 0)",
        (
            clause((path((node("a", (), (brute.Test("team", "=", 1),)),)),)),
            clause((path((node("a"), link("r", (), "<-"), node("b", (), (brute.Test("team", "=", 0),)))),), True),
        ),
        ("a.id", "b.id"),
    ),
]  # fmt: skip


@dataclass
class Held:
    """The rows that tables should have."""

    people: list[dict[str, Any]] = field(default_factory=list)
    knows: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, question: int, team: int | None = None) -> list[tuple[Any, ...]]:
        """What a question gives; of people of one team alone where one is named."""
        people = [row for row in self.people if team is None or row["team"] == team]
        graph = brute.Graph(
            [brute.Element("people", "people", people, ("id",), ("people",))],
            [
                brute.Edges(
                    "knows",
                    "knows",
                    self.knows,
                    ("eid",),
                    ("knows",),
                    None,
                    (("a",), 0, ("id",)),
                    (("b",), 0, ("id",)),
                )
            ],
        )
        _, clauses, columns = QUESTIONS[question]
        matcher = brute.Matcher(graph)
        return [tuple(matcher.value(row, name) for name in columns) for row in matcher.rows(clauses)]

    def copy(self) -> Held:
        return Held([dict(row) for row in self.people], [dict(row) for row in self.knows])


def text(question: int) -> str:
    pattern, _, columns = QUESTIONS[question]
    return f"{pattern} RETURN {', '.join(f'{item_text(name)} AS c{at}' for at, name in enumerate(columns))}"


def check(bench: lb.Bench, held: Held, team: int | None = None, **given: Any) -> int:
    """Hold every plan's answers against those of the rows; how many there were."""
    compared = 0
    for plan in ("csr", "sql", "auto"):
        with planned(bench, plan):
            for question in range(len(QUESTIONS)):
                same(rows(bench, text(question), **given), held.answer(question, team))
                compared += 1
    return compared


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "g.luma", threads=1) as opened:
        opened.write("people", PEOPLE.empty_table(), primary_key="id")
        opened.write("knows", KNOWS.empty_table(), primary_key="eid")
        opened.kadeql(
            "CREATE PROPERTY GRAPH g VERTEX TABLES (people KEY (id)) EDGE TABLES (knows KEY (eid) SOURCE KEY (a)"
            " REFERENCES people (id) DESTINATION KEY (b) REFERENCES people (id))"
        )
        yield opened


class Changes:
    """Random changes of both, the bench's tables and the rows that they should have."""

    def __init__(self, random: Random, held: Held) -> None:
        self.random, self.held, self.next = random, held, 0

    def change(self, bench: lb.Bench) -> None:
        random, held = self.random, self.held
        kind = random.choice(("person", "edge", "edge", "edge", "leave", "cut", "move", "team"))
        if kind == "person" or not held.people:
            row = {"id": self._new(), "team": random.randrange(2)}
            held.people.append(row)
            bench.kadeql("INSERT INTO people VALUES ($id, $team)", row)
        elif kind == "edge":
            ids = [row["id"] for row in held.people] + [-1, None]
            row = {
                "eid": self._new(),
                "a": random.choice(ids),
                "b": random.choice(ids),
                "km": random.choice((0.5, 1.0, 2.0)),
            }
            held.knows.append(row)
            bench.kadeql("INSERT INTO knows VALUES ($eid, $a, $b, $km)", row)
        elif kind == "leave":
            gone = random.choice(held.people)
            held.people.remove(gone)
            bench.kadeql("DELETE FROM people WHERE id = $id", {"id": gone["id"]})
        elif held.knows and kind == "cut":
            gone = random.choice(held.knows)
            held.knows.remove(gone)
            bench.kadeql("DELETE FROM knows WHERE eid = $eid", {"eid": gone["eid"]})
        elif held.knows and kind == "move":
            moved = random.choice(held.knows)
            moved["b"] = random.choice(held.people)["id"]
            bench.kadeql("UPDATE knows SET b = $b WHERE eid = $eid", {"b": moved["b"], "eid": moved["eid"]})
        else:
            moved = random.choice(held.people)
            moved["team"] = 1 - moved["team"]
            bench.kadeql("UPDATE people SET team = $team WHERE id = $id", moved)

    def _new(self) -> int:
        self.next += 1
        return self.next


def filled(bench: lb.Bench, random: Random) -> Changes:
    """Eight people and a dozen edges, and what goes on changing them."""
    held = Held()
    changes = Changes(random, held)
    held.people += [{"id": changes._new(), "team": random.randrange(2)} for _ in range(6)]
    ids = [row["id"] for row in held.people] + [None, -1]
    held.knows += [
        {
            "eid": changes._new(),
            "a": random.choice(ids),
            "b": random.choice(ids),
            "km": random.choice((0.5, 1.0)),
        }
        for _ in range(10)
    ]
    bench.write("people", pa.Table.from_pylist(held.people, PEOPLE), mode="append")
    bench.write("knows", pa.Table.from_pylist(held.knows, KNOWS), mode="append")
    return changes


@pytest.mark.parametrize("seed", range(3))
def test_old_snapshots_are_answered_as_they_were(bench: lb.Bench, seed: int) -> None:
    changes = filled(bench, Random(seed))
    then: list[tuple[int, Held]] = []
    for step in range(24):
        changes.change(bench)
        if step % 6 == 5:
            assert check(bench, changes.held)
            then.append((bench.snapshot, changes.held.copy()))
        if step == 15:
            bench.compact()
    for snapshot, held in reversed(then):
        assert check(bench, held, at=snapshot)


@pytest.mark.parametrize("seed", range(2))
def test_a_transaction_sees_its_own_changes_and_nobody_else_does(bench: lb.Bench, seed: int) -> None:
    changes = filled(bench, Random(seed))
    before = changes.held.copy()
    with lb.open(bench.path) as other:
        bench.kadeql("BEGIN")
        for _ in range(6):
            changes.change(bench)
        assert check(bench, changes.held)
        assert check(other, before)
        bench.kadeql("ROLLBACK")
        assert check(bench, before)
        changes.held = before
        bench.kadeql("BEGIN")
        for _ in range(4):
            changes.change(bench)
        bench.kadeql("COMMIT")
        assert check(bench, changes.held)
        assert check(other, changes.held)


@pytest.mark.parametrize("seed", range(2))
def test_a_policy_leaves_out_vertices_and_their_edges(bench: lb.Bench, seed: int) -> None:
    changes = filled(bench, Random(seed))
    bench.kadeql("CREATE ROW POLICY mine ON people USING team = 1 TO staff")
    with lb.open(bench.path, identity=ADA) as guest:
        assert check(guest, changes.held, team=1)
        assert check(bench, changes.held)
        changes.change(bench)
        assert check(guest, changes.held, team=1)

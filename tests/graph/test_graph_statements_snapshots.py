"""Graphs at snapshots and in transactions: every question sees exactly the rows that plain SQL sees there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from graph_statement_cases import STEP, STEP_SQL, TWO, bag, filled, rows, walks

import luma_bench as lb
from luma_bench.errors import KadeQLBindError


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma") as opened:
        yield filled(opened)


def test_the_past_stays_as_it_was(bench: lb.Bench) -> None:
    bench.tag("old")
    old, before = bag(bench, STEP_SQL), bag(bench, TWO)
    bench.kadeql(f"CREATE VIEW steps AS {STEP}")
    bench.tag("viewed")
    bench.kadeql("INSERT INTO roads VALUES ('e', 'a', 1, 'z'); DELETE FROM places WHERE id = 'b'")
    new = bag(bench, STEP_SQL)
    assert new != old
    walks(bench)
    for asked in (bench.at("old"), bench.at("viewed")):
        assert bag(asked, STEP) == old
        assert bag(asked, TWO) == before
    assert bag(bench, STEP, at="old") == old
    assert bag(bench, "FROM steps AT (TAG => 'viewed')") == old
    assert bag(bench, "FROM steps EXCEPT ALL FROM steps AT (TAG => 'viewed')") == [("e", "a", 1.0)]
    twice = f"SELECT count(*) FROM steps n, steps AT (TAG => 'viewed') o, ({STEP}) m"
    assert rows(bench, twice) == [(len(new) * len(old) * len(new),)]
    bench.kadeql("CREATE VIEW past AS SELECT s FROM steps AT (TAG => 'viewed')")
    assert len(bag(bench, "FROM past")) == len(old)


def test_conditions_may_read_another_snapshot(bench: lb.Bench) -> None:
    bench.tag("old")
    bench.kadeql("DELETE FROM roads WHERE src = 'b'")
    text = "MATCH (x WHERE x.id IN (SELECT src FROM roads AT (TAG => {}))) RETURN x.id"
    assert bag(bench, text.format("'old'")) == [("a",), ("b",), ("c",), ("d",)]
    assert bag(bench, text.format("$t"), params={"t": "old"}) == [("a",), ("b",), ("c",), ("d",)]
    assert bag(bench, "MATCH (x WHERE x.id IN (SELECT src FROM roads)) RETURN x.id") == [
        ("a",),
        ("c",),
        ("d",),
    ]


def test_a_transaction_sees_its_own_rows_and_nobody_else_does(bench: lb.Bench, tmp_path: Path) -> None:
    before = bag(bench, STEP)
    with lb.open(tmp_path / "b.luma") as other:
        bench.kadeql("BEGIN; INSERT INTO roads VALUES ('e', 'e', 2, 'z'), ('a', 'new', 2, 'z')")
        walks(bench)
        assert bag(bench, STEP) != before
        bench.kadeql(
            "INSERT INTO places VALUES ('new', 6, 'z'); DELETE FROM roads WHERE src = 'b' AND dst = 'c'"
        )
        walks(bench)
        bench.kadeql("UPDATE roads SET dst = 'd' WHERE km = 9; UPDATE places SET size = size + 1")
        walks(bench)
        assert rows(bench, "MATCH (x WHERE x.id = 'e') RETURN x.size") == [(6,)]
        assert bag(other, STEP) == before
        bench.kadeql("ROLLBACK")
        assert bag(bench, STEP) == before
        bench.kadeql("BEGIN; DELETE FROM places WHERE id = 'a'")
        walks(bench)
        bench.kadeql("COMMIT")
        walks(bench)
        walks(other)


def test_a_graph_made_in_a_transaction(bench: lb.Bench, tmp_path: Path) -> None:
    bench.kadeql(
        "BEGIN; CREATE TABLE things (k INTEGER PRIMARY KEY); CREATE PROPERTY GRAPH h VERTEX TABLES (things); "
        "INSERT INTO things VALUES (1), (2)"
    )
    assert rows(bench, "MATCH (x) ON GRAPH h RETURN x.k ORDER BY 1") == [(1,), (2,)]
    with lb.open(tmp_path / "b.luma") as other, pytest.raises(KadeQLBindError, match="no property graph 'h'"):
        other.kadeql("MATCH (x) ON GRAPH h RETURN x.k")
    bench.kadeql("ROLLBACK")
    assert bag(bench, "MATCH (x) RETURN x.id") == [("a",), ("b",), ("c",), ("d",), ("e",)]


def test_two_write_while_one_reads(bench: lb.Bench, tmp_path: Path) -> None:
    wrong: list[object] = []
    done = threading.Event()

    def write(name: str) -> None:
        try:
            with lb.open(tmp_path / "b.luma") as own:
                for turn in range(5):
                    own.kadeql(f"INSERT INTO places VALUES ('{name}{turn}', {turn}, 'w')")
                    own.kadeql(
                        f"INSERT INTO roads VALUES ('a', '{name}{turn}', 1, 'w'), ('{name}{turn}', 'a', 1, 'w')"
                    )
        except BaseException as error:
            wrong.append(error)

    writers = [threading.Thread(target=write, args=(name,)) for name in "uv"]
    for writer in writers:
        writer.start()
    threading.Thread(target=lambda: [item.join() for item in writers] and done.set()).start()
    while not done.is_set():
        pinned = bench.at(bench.kadeql("SELECT 1", cache=False).run.snapshot)
        if bag(pinned, STEP) != bag(pinned, STEP_SQL):
            wrong.append(pinned)
    assert not wrong
    walks(bench)
    assert rows(bench, "MATCH (x {region: 'w'})-[]->() RETURN count(*)") == [(10,)]


def test_a_graph_dropped_and_made_otherwise(bench: lb.Bench) -> None:
    bench.tag("old")
    assert bag(bench, "MATCH (x {id: 'a'})-[:road]->(y) RETURN y.id") == [("b",), ("b",), ("c",)]
    bench.kadeql("DROP PROPERTY GRAPH g")
    with pytest.raises(KadeQLBindError, match="no property graph"):
        bench.kadeql("MATCH (x) RETURN x.id")
    bench.kadeql(
        "CREATE PROPERTY GRAPH g VERTEX TABLES (places KEY (id)) EDGE TABLES (roads SOURCE KEY (dst) "
        "REFERENCES places (id) DESTINATION KEY (src) REFERENCES places (id) LABEL back)"
    )
    assert bag(bench, "MATCH (x {id: 'a'})-[:back]->(y) RETURN y.id") == [("d",)]
    with pytest.raises(KadeQLBindError, match="no edge label 'road'"):
        bench.kadeql("MATCH (x {id: 'a'})-[:road]->(y) RETURN y.id")
    assert bag(bench, "MATCH (x {id: 'a'})-[:road]->(y) RETURN y.id", at="old") == [("b",), ("b",), ("c",)]


def test_renamed_tables_and_columns(bench: lb.Bench) -> None:
    bench.tag("old")
    expected = bag(bench, STEP)
    bench.kadeql(
        "ALTER TABLE roads RENAME TO streets; ALTER TABLE streets RENAME COLUMN dst TO goal; "
        "ALTER TABLE places RENAME COLUMN id TO name; ALTER TABLE places ADD COLUMN mark INTEGER DEFAULT 7"
    )
    text = "MATCH (x)-[r:road]->(y) RETURN x.name AS s, y.name AS d, r.km AS km"
    assert bag(bench, text) == expected
    assert bag(bench, STEP, at="old") == expected
    assert rows(bench, "MATCH (x)-[r]->(y WHERE y.mark = 7) RETURN count(*), min(r.goal)") == [
        (len(expected), "a")
    ]
    with pytest.raises(KadeQLBindError, match="no property 'id'"):
        bench.kadeql(STEP)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_changes_equal_a_rebuild(bench: lb.Bench, tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    names = [f"n{at}" for at in range(12)]
    for turn in range(10):
        match random.randrange(6):
            case 0:
                pairs = ", ".join(
                    f"('{random.choice(names)}', '{random.choice(names)}', {random.randrange(9)}, 'r')"
                    for _ in range(5)
                )
                bench.kadeql(f"INSERT INTO roads VALUES {pairs}")
            case 1:
                bench.kadeql(
                    f"INSERT INTO places VALUES ('{random.choice(names)}', {turn}, 'r') "
                    "ON CONFLICT (id) DO UPDATE SET size = excluded.size"
                )
            case 2:
                bench.kadeql(f"DELETE FROM places WHERE id = '{random.choice([*names, *'abcde'])}'")
            case 3:
                bench.kadeql(f"DELETE FROM roads WHERE km = {random.randrange(9)}")
            case 4:
                bench.kadeql(
                    f"UPDATE roads SET dst = '{random.choice(names)}' WHERE km > {random.randrange(2, 9)}"
                )
            case _:
                bench.compact()
        walks(bench, cache=False)
    expected = bag(bench, TWO)
    with lb.open(tmp_path / "again.luma") as again:
        filled(again).kadeql("DELETE FROM roads; DELETE FROM places")
        for name in ("places", "roads"):
            held = bench.kadeql(f"FROM {name}").to_arrow()
            again.kadeql(f"INSERT INTO {name} FROM held", tables={"held": held})
        assert bag(again, TWO) == expected

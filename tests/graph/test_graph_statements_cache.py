"""Graph questions and the result cache, and what run records say of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from graph_statement_cases import STEP, bag, filled, rows

import luma_bench as lb

ASKED = "MATCH (x WHERE x.size < $n)-[r:road]->(y) RETURN x.id AS s, y.id AS d, r.km AS km"
RANKED = "SELECT * FROM PAGERANK(GRAPH g, damping => $n / 10)"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma") as opened:
        yield filled(opened)


def cached(bench: lb.Bench, text: str, n: int = 3, **given: object) -> bool:
    return bench.kadeql(text, params={"n": n} if "$n" in text else None, **given).run.cached  # pyright: ignore


@pytest.mark.parametrize("text", [ASKED, RANKED, f"WITH m AS ({ASKED}) SELECT s FROM m"])
def test_the_same_question_is_answered_once(bench: lb.Bench, text: str) -> None:
    assert not cached(bench, text)
    assert cached(bench, text)
    assert not cached(bench, text, cache=False)
    assert not cached(bench, text, n=4)
    assert cached(bench, text, n=4)
    bench.tag("here")
    assert cached(bench, text, at="here")
    bench.kadeql("INSERT INTO roads VALUES ('d', 'e', 1, 'z')")
    assert not cached(bench, text)
    assert cached(bench, text, at="here")
    bench.kadeql("BEGIN; INSERT INTO roads VALUES ('d', 'e', 1, 'z')")
    assert not cached(bench, text)
    bench.kadeql("ROLLBACK")
    assert cached(bench, text)


def test_patterns_that_differ_in_the_pattern_alone_are_told_apart(bench: lb.Bench) -> None:
    found = {
        name: bag(bench, f"MATCH (x){name}(y) RETURN x.id, y.id AS d") for name in ("-[]->", "<-[]-", "-[]-")
    }
    assert len({repr(rows) for rows in found.values()}) == 3
    for least in (1, 2, 3):
        (row,) = rows(bench, f"MATCH (x)-[]->{{{least}}}(y) RETURN count(*)")
        assert row != (0,)


def test_a_view_is_cached_until_what_it_reads_changes(bench: lb.Bench) -> None:
    bench.kadeql(f"CREATE VIEW steps AS {STEP}")
    assert not cached(bench, "FROM steps")
    assert cached(bench, "FROM steps")
    bench.kadeql("DELETE FROM places WHERE id = 'b'")
    assert not cached(bench, "FROM steps")
    bench.kadeql("CREATE OR REPLACE PROPERTY GRAPH g VERTEX TABLES (places)")
    with pytest.raises(lb.errors.KadeQLBindError, match="no edge label"):
        bench.kadeql("FROM steps")


@pytest.mark.parametrize(
    "text",
    [
        "MATCH (x WHERE random() < 2)-[]->(y) RETURN count(*)",
        "MATCH (x)-[]->(y) WHERE random() + x.size + y.size > 0 RETURN count(*)",
        "MATCH (x)-[]->(y) RETURN count(*), random()",
        "MATCH (x)-[]->(y) VALID AT now() RETURN count(*)",
    ],
)
def test_what_differs_each_time_is_never_cached(bench: lb.Bench, text: str) -> None:
    assert not cached(bench, text)
    assert not cached(bench, text)
    bench.kadeql(f"CREATE VIEW v AS {text}")
    assert not cached(bench, "SELECT 1 FROM v")
    assert not cached(bench, "SELECT 1 FROM v")


def test_identities_under_policies_do_not_share(bench: lb.Bench) -> None:
    ada, bob = (bench.acting_as(lb.Identity(name, roles=("staff",))) for name in ("ada", "bob"))
    bench.kadeql("CREATE ROW POLICY p ON places USING $user = 'ada' OR size < 3 TO staff")
    assert not cached(bench, ASKED)
    assert not cached(ada, ASKED)
    assert not cached(bob, ASKED)
    assert cached(ada, ASKED)
    assert len(bag(ada, ASKED, params={"n": 3})) == 5
    assert len(bag(bob, ASKED, params={"n": 3})) == 3
    bench.kadeql("DROP ROW POLICY p ON places")
    assert len(bag(bob, ASKED, params={"n": 3})) == 5


def test_the_record_says_who_walked_and_over_how_much(bench: lb.Bench) -> None:
    run = bench.kadeql(ASKED, params={"n": 3}).run
    assert run.engine == "duckdb"
    assert run.rows_read > 0
    assert run.warnings == ()
    (node,) = run.nodes
    assert node.engine in ("numpy", "numba")
    assert node.rows == 5
    for part in (
        "start at (x)",
        "2 vertices",
        "walk (x)-[r]->(y): 5 rows",
        "1 rows refer to no vertex, 1 have a NULL key",
    ):
        assert part in node.detail
    again = bench.kadeql(ASKED, params={"n": 4}).run
    assert again.rows_read == 0, "columns and adjacency are held"
    (ranked,) = bench.kadeql(RANKED, params={"n": 5}).run.nodes
    assert ranked.engine in ("numpy", "numba")
    assert "PAGERANK over g (damping => $n / 10) · 5 rows" in ranked.detail
    assert ranked.elapsed is not None


def test_a_full_disk_is_a_warning(bench: lb.Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from luma_bench.bench.graph import topologies
    from luma_bench.storage import index_files

    def full(self: object, name: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(topologies, "STORED", 1)
    monkeypatch.setattr(index_files.IndexWriter, "open", full)
    first = bench.kadeql(STEP)
    assert len(first) == 7
    bench._machinery.statements.runner.binder.graphs._topologies.drain()
    second = bench.kadeql("MATCH (x)-[]->(y) RETURN count(*)").run
    # Storing goes on beside the answer: whichever record is made next says it, once.
    warned = [text for text in (*first.run.warnings, *second.warnings) if "No space left" in text]
    assert len(warned) == 1
    assert bench.kadeql("MATCH (x)<-[]-(y) RETURN count(*)").run.warnings == ()

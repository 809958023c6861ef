"""Keys that flow between a graph's relation and the tables that it is joined with, in both directions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

import luma_bench as lb

GRAPH = (
    "CREATE PROPERTY GRAPH g VERTEX TABLES (v KEY (id)) EDGE TABLES"
    " (e SOURCE KEY (s) REFERENCES v (id) DESTINATION KEY (d) REFERENCES v (id))"
)
MATCH = "MATCH (a)-[]->(b)-[]->(c) RETURN a.id AS src, c.id AS dst"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    rng = np.random.default_rng(3)
    with lb.open(tmp_path_factory.mktemp("keys") / "b.luma") as opened:
        size = 4_000
        opened.write(
            "v", {"id": np.arange(size), "city": [f"c{i % 400}" for i in range(size)]}, primary_key="id"
        )
        source = rng.integers(0, size, 30_000)
        opened.write("e", {"s": source, "d": (source + rng.integers(1, 40, 30_000)) % size})
        big = np.repeat(np.arange(size), 160)
        opened.write("big", pa.table({"k": big, "x": np.arange(len(big))}), sort_by="k")
        opened.kadeql(GRAPH)
        yield opened


def fired(result: lb.Result) -> list[str]:
    return [node.detail for node in result.run.nodes if node.name.startswith("rule semi-join")]


def plain(bench: lb.Bench, text: str) -> list[dict[str, object]]:
    """The same with the pattern as joins of the two tables."""
    joins = "SELECT x.s AS src, y.d AS dst FROM e x JOIN e y ON x.d = y.s"
    return bench.kadeql(text.replace(MATCH, joins), cache=False).to_arrow().to_pylist()


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT dst FROM ({MATCH}) WHERE src IN (SELECT id FROM v WHERE city = 'c7') ORDER BY dst",
        f"SELECT dst FROM ({MATCH}) m JOIN v ON v.id = m.src WHERE v.city = 'c7' ORDER BY dst",
        f"WITH m AS ({MATCH}) SELECT count(*) AS n FROM m JOIN v ON v.id = m.dst WHERE v.city = 'c8'",
        (
            f"SELECT dst, n FROM (SELECT src, dst, count(*) AS n FROM ({MATCH}) GROUP BY ALL) m"
            " JOIN v ON v.id = src WHERE city = 'c9' ORDER BY ALL"
        ),
    ],
)
def test_a_tables_keys_are_the_start(bench: lb.Bench, text: str) -> None:
    result = bench.kadeql(text, cache=False)
    assert result.to_arrow().to_pylist() == plain(bench, text)
    assert any("keys of v.id" in detail for detail in fired(result))
    node = next(node for node in result.run.nodes if node.name.startswith("graph"))
    assert "10 vertices" in node.detail


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT dst FROM ({MATCH} ORDER BY src, dst LIMIT 5) m LEFT JOIN v ON v.id = m.src ORDER BY dst",
        f"SELECT count(*) AS n FROM v LEFT JOIN ({MATCH}) m ON v.id = m.src WHERE v.city = 'c7'",
        f"SELECT count(*) AS n FROM ({MATCH}) m LEFT JOIN (SELECT * FROM v WHERE city = 'c7') v ON v.id = m.src",
        (
            f"SELECT count(*) AS n FROM (SELECT src, row_number() OVER (ORDER BY src, dst) AS place FROM ({MATCH})) m"
            " JOIN v ON v.id = m.src WHERE v.city = 'c7' AND place < 1000"
        ),
        f"SELECT count(*) AS n FROM ({MATCH}) m WHERE src NOT IN (SELECT id FROM v WHERE city = 'c7')",
    ],
)
def test_where_rows_without_a_partner_matter_nothing_starts_there(bench: lb.Bench, text: str) -> None:
    result = bench.kadeql(text, cache=False)
    assert result.to_arrow().to_pylist() == plain(bench, text)
    assert not any("keys of v.id" in detail for detail in fired(result))


def test_a_small_match_says_what_of_a_table_matters(bench: lb.Bench) -> None:
    text = (
        "SELECT count(*) AS n, sum(x) AS x FROM big JOIN"
        " (MATCH (a)-[]->(b) WHERE a.id = 17 RETURN DISTINCT b.id AS k) m USING (k)"
    )
    joins = "SELECT DISTINCT d AS k FROM e WHERE s = 17"
    result = bench.kadeql(text, cache=False)
    expected = bench.kadeql(
        f"SELECT count(*) AS n, sum(x) AS x FROM big JOIN ({joins}) m USING (k)", cache=False
    )
    assert result.to_arrow().equals(expected.to_arrow())
    assert any("chunks cannot matter" in detail for detail in fired(result))
    assert result.run.rows_read < 500_000

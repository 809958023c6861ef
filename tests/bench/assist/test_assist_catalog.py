"""Facts of the catalog: equal to what statements and snapshots say, also with policies, in transactions, at snapshots."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.bench.assist import catalog_facts, snapshot_facts, table_facts
from luma_bench.errors import CatalogError, ClosedError, UnsupportedError


def test_tables_are_those_that_show_tells(shop: lb.Bench):
    facts = catalog_facts(shop)
    told = {row["name"]: row for row in shop.kadeql("SHOW TABLES").to_arrow().to_pylist()}
    assert {item.name for item in facts.tables if item.kind == "table"} == set(shop.tables())
    for item in facts.tables:
        if item.kind == "table":
            assert (
                item.rows == shop.kadeql(f"SELECT count(*) AS n FROM {item.name}").to_arrow()["n"][0].as_py()
            )
            assert item.columns == len(shop.table(item.name).columns)
            assert item.bytes is not None
            assert item.bytes > 0 or not item.rows
    assert told["late"] is not None
    assert next(item for item in facts.tables if item.name == "late").kind == "view"
    assert [(item.table, item.time, item.by) for item in facts.series] == [
        ("weather", "time_hour", ("origin",))
    ]
    assert [item.name for item in facts.tags] == ["first"]
    (graph,) = facts.graphs
    assert [item.labels for item in (*graph.vertices, *graph.edges)] == [("airports",), ("route",)]
    assert catalog_facts(shop) == facts


def test_facts_are_plain_values(shop: lb.Bench):
    for facts in (catalog_facts(shop), table_facts(shop, "flights", distinct=True), snapshot_facts(shop)):
        assert json.loads(json.dumps(facts.to_json())) == facts.to_json()


def test_columns_of_a_table(shop: lb.Bench):
    facts = table_facts(shop, "FLIGHTS", distinct=True)
    found = {column.name: column for column in facts.columns}
    assert (facts.name, facts.kind, facts.rows, facts.key, facts.comment) == (
        "flights",
        "table",
        3,
        ("id",),
        "one row a *departure* <b>",
    )
    assert found["id"].key == "PRI"
    assert not found["id"].nullable
    assert (found["dep_delay"].type, found["dep_delay"].comment) == ("INTEGER", "minutes")
    data = shop.table("flights").to_arrow()
    for name in ("id", "carrier", "dep_delay", "sched"):
        column = data[name]
        assert found[name].nulls == column.null_count
        assert found[name].distinct == len(set(column.drop_null().to_pylist()))
        least, greatest = min(column.drop_null().to_pylist()), max(column.drop_null().to_pylist())
        assert (found[name].min, found[name].max) == (str(least), str(greatest))
    assert found["place"].type.startswith("STRUCT")
    assert found["place"].min is None
    assert "CREATE TABLE flights" in facts.sql


def test_columns_of_a_view(shop: lb.Bench):
    facts = table_facts(shop, "late")
    assert [(column.name, column.type) for column in facts.columns] == [
        ("carrier", "VARCHAR"),
        ("minutes", "INTEGER"),
    ]
    assert (facts.kind, facts.rows, facts.statistics) == ("view", None, "none")


def test_an_unknown_table(shop: lb.Bench):
    with pytest.raises(CatalogError, match="no table 'fligts'") as told:
        table_facts(shop, "fligts")
    assert "flights" in (told.value.hint or "")


def test_the_timeline_counts_what_snapshots_hold(shop: lb.Bench):
    facts = snapshot_facts(shop)
    assert [item.id for item in facts.snapshots] == sorted(
        (snapshot.id for snapshot in shop.snapshots()), reverse=True
    )
    assert not facts.more
    for item in facts.snapshots[:-1]:
        now, before = shop.at(item.id), shop.at(item.id - 1)
        for change in item.changes:
            if change.rows_added is None or change.rows_deleted is None:
                assert " " in change.operation
                continue
            counts = [
                len(bench.table(change.table).to_arrow()) if change.table in bench.tables() else 0
                for bench in (before, now)
            ]
            assert change.rows_added - change.rows_deleted == counts[1] - counts[0]
    added = [column for item in facts.snapshots for change in item.changes for column in change.columns]
    assert ("stops", "added") in added


def test_the_timeline_in_pages(shop: lb.Bench):
    whole = [item.id for item in snapshot_facts(shop, limit=500).snapshots]
    pages: list[int] = []
    before = None
    while True:
        page = snapshot_facts(shop, before, 3)
        pages += [item.id for item in page.snapshots]
        if not page.more:
            break
        before = page.snapshots[-1].id
    assert pages == whole
    assert [item.id for item in snapshot_facts(shop.at(2)).snapshots] == [2, 1]
    with pytest.raises(UnsupportedError):
        snapshot_facts(shop, limit=0)


def test_changes_of_every_kind(tmp_path: Path):
    with lb.open(tmp_path / "t.luma") as bench:
        bench.write("t", {"id": list(range(200_000))}, mode="create")
        bench.write("t", {"id": [1, 2, 3]}, mode="append")
        bench.kadeql("DELETE FROM t WHERE id < 10")
        bench.kadeql("UPDATE t SET id = 0 WHERE id = 50")
        bench.compact("t", retention="forever")
        bench.write("t", {"id": [7]}, mode="replace")
        bench.kadeql("ALTER TABLE t RENAME COLUMN id TO number")
        bench.kadeql("DROP TABLE t")
        found = {item.id: change for item in snapshot_facts(bench).snapshots for change in item.changes}
        by_kind = {change.operation: (change.rows_added, change.rows_deleted) for change in found.values()}
        assert by_kind["create"] == (200_000, 0)
        assert by_kind["append"] == (3, 0)
        assert by_kind["delete"] == (0, 13)
        assert by_kind["update"] == (1, 1)
        assert by_kind["compact"] == (0, 0)
        assert by_kind["replace"] == (1, 199_990)
        assert by_kind["drop"] == (0, 1)
        assert next(change.columns for change in found.values() if change.operation == "alter") == (
            ("number", "changed"),
        )


def test_inside_a_transaction_and_at_a_snapshot(tmp_path: Path):
    with lb.open(tmp_path / "t.luma") as bench:
        bench.write("t", {"id": [1]}, mode="create")
        past = bench.snapshot
        with bench.transaction():
            bench.write("t", {"id": [2, 3]}, mode="append")
            assert catalog_facts(bench).tables[0].rows == 3
            assert table_facts(bench, "t").rows == 3
        assert catalog_facts(bench).tables[0].rows == 3
        assert catalog_facts(bench.at(past)).tables[0].rows == 1
        bench.tag("later")
        assert [tag.name for tag in catalog_facts(bench).tags] == ["later"]
    with pytest.raises(ClosedError):
        catalog_facts(bench)


def test_policies_hide_counts_and_bounds(tmp_path: Path):
    with lb.open(tmp_path / "t.luma") as bench:
        bench.write("salaries", {"who": ["a", "b"], "pay": [1, 99]}, mode="create")
        bench.kadeql("CREATE ROW POLICY own ON salaries USING who = $user TO staff")
        guest = bench.acting_as(lb.Identity("a", roles=("staff",)))
        (entry,) = catalog_facts(guest).tables
        assert (entry.rows, entry.bytes) == (None, None)
        facts = table_facts(guest, "salaries", distinct=True)
        assert facts.statistics == "none"
        assert [column.max for column in facts.columns] == [None, None]
        assert [column.distinct for column in facts.columns] == [1, 1]
        assert {
            change.rows_added
            for item in snapshot_facts(guest).snapshots
            for change in item.changes
            if change.table == "salaries"
        } == {None}
        assert catalog_facts(bench).tables[0].rows == 2


def test_a_published_bench(shop_path: Path, tmp_path: Path):
    with lb.open(shop_path, mode="r") as bench:
        bench.publish(tmp_path / "out")
        rows = {item.name: item.rows for item in catalog_facts(bench).tables}
    with lb.open(tmp_path / "out", mode="r") as bench:
        assert {item.name: item.rows for item in catalog_facts(bench).tables} == rows
        (entry,) = snapshot_facts(bench).snapshots
        assert entry.id == bench.snapshot


def test_times_are_utc(shop: lb.Bench):
    for snapshot in snapshot_facts(shop).to_json()["snapshots"]:
        assert dt.datetime.fromisoformat(snapshot["time"]).utcoffset() == dt.timedelta(0)


def test_wide_tables_have_statistics_of_their_first_columns(tmp_path: Path):
    with lb.open(tmp_path / "wide.luma") as bench:
        bench.write("wide", pa.table({f"c{place}": [place] for place in range(400)}), mode="create")
        facts = table_facts(bench, "wide")
        assert (facts.statistics, len(facts.columns)) == ("part", 400)
        assert (facts.columns[7].min, facts.columns[399].min) == ("7", None)

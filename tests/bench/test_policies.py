"""Policies: rows and columns that an identity does not see stay unseen, whichever way it asks."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_cases import ADA, LEAD, NOBODY, PAY, SEEN, fill, rows
from thorough import drawn

import luma_bench as lb
from luma_bench.errors import ForbiddenError, KadeQLError, LumaError


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma") as opened:
        fill(opened)
        yield opened


def test_each_identity_sees_its_rows_and_its_columns(bench: lb.Bench) -> None:
    text = "SELECT * FROM pay ORDER BY id"
    assert rows(bench, text) == [tuple(row) for row in zip(*PAY.values(), strict=True)]
    assert rows(bench.acting_as(ADA), text) == SEEN
    assert rows(bench.acting_as(LEAD), text) == [(3, "ada", "se", 30), (4, "cy", "se", 40)]
    assert rows(bench.acting_as(NOBODY), text) == []
    both = lb.Identity("zed", roles=("lead", "staff"))
    assert rows(bench.acting_as(both), "SELECT id FROM pay") == [(3,), (4,)]


WAYS: dict[str, Callable[[lb.Bench], object]] = {
    "count": lambda b: rows(b, "SELECT count(*), count(salary), min(id), max(id) FROM pay"),
    "count where": lambda b: rows(b, "SELECT count(*) FROM pay WHERE id > 0"),
    "filter on a masked column": lambda b: rows(b, "SELECT id FROM pay WHERE salary > 0"),
    "filter on the unmasked value": lambda b: rows(b, "SELECT id FROM pay WHERE who = 'ada'"),
    "order by a masked column": lambda b: rows(b, "SELECT salary FROM pay ORDER BY salary DESC LIMIT 1"),
    "key": lambda b: rows(b, "SELECT * FROM pay WHERE id = 2"),
    "seen key": lambda b: rows(b, "SELECT * FROM pay WHERE id = 3"),
    "cte": lambda b: rows(b, "WITH c AS (FROM pay) SELECT sum(id) FROM c JOIN c AS d USING (id)"),
    "sub-query": lambda b: rows(
        b, "SELECT (SELECT count(*) FROM pay p WHERE p.id >= g.n) FROM range(1, 5) g(n)"
    ),
    "join": lambda b: rows(b, "SELECT n, who FROM range(6) t(n) LEFT JOIN pay ON id = n ORDER BY n"),
    "semi-join": lambda b: rows(b, "SELECT n FROM range(6) t(n) WHERE n IN (SELECT id FROM pay) ORDER BY n"),
    "past": lambda b: rows(b, "SELECT * FROM pay AT (TAG => 'before') ORDER BY id"),
    "past call": lambda b: rows(b, "SELECT * FROM pay ORDER BY id", at="before"),
    "past bench": lambda b: rows(b.at("before"), "SELECT * FROM pay ORDER BY id"),
    "summarize": lambda b: rows(b, "SELECT column_name, min, max, count FROM (SUMMARIZE pay)"),
    "get": lambda b: (b.get("pay", 1), b.get("pay", 2)),
    "get_many": lambda b: b.get_many("pay", [4, 3, 2, 1]).to_pylist(),
    "table": lambda b: b.table("pay").to_arrow().to_pylist(),
    "table columns": lambda b: b.table("pay")[["who", "id"]].to_arrow().to_pylist(),
    "length": lambda b: len(b.table("pay")),
    "sum of a frame": lambda b: b.table("pay")["id"].sum(),
    "text": lambda b: rows(b, b.table("pay").kadeql),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_of_asking_goes_around(bench: lb.Bench, tmp_path: Path, way: str) -> None:
    with lb.open(tmp_path / "seen.luma") as oracle:
        data = {name: [row[at] for row in SEEN] for at, name in enumerate(PAY)}
        schema = pa.schema(
            [("id", pa.int64()), ("who", pa.string()), ("region", pa.string()), ("salary", pa.int64())]
        )
        oracle.write("pay", pa.table(data, schema), primary_key="id")
        oracle.tag("before")
        guest = bench.acting_as(ADA)
        assert WAYS[way](guest) == WAYS[way](oracle)


def test_a_transaction_and_an_export_show_no_more(bench: lb.Bench, tmp_path: Path) -> None:
    guest = bench.acting_as(ADA)
    with guest.transaction() as inside:
        assert [row["id"] for row in inside.kadeql("FROM pay").to_arrow().to_pylist()] == [1, 3]
        assert inside.get("pay", 2) is None
        assert len(inside.table("pay")) == 2
    assert guest.export("pay", tmp_path / "t.parquet") == 2
    assert guest.export("SELECT * FROM pay", tmp_path / "q.parquet") == 2
    for name in ("t", "q"):
        assert [
            tuple(row.values()) for row in pq.read_table(tmp_path / f"{name}.parquet").to_pylist()
        ] == SEEN


def test_a_copy_that_a_guest_makes_holds_what_the_guest_saw(bench: lb.Bench) -> None:
    guest = bench.acting_as(ADA)
    guest.kadeql("CREATE TABLE mine AS SELECT * FROM pay")
    assert rows(bench, "SELECT * FROM mine ORDER BY id") == SEEN


def test_answers_are_cached_for_each_identity_alone(bench: lb.Bench) -> None:
    text = "SELECT count(*) FROM pay"
    assert rows(bench, text) == [(4,)]
    guest = bench.acting_as(ADA)
    first = guest.kadeql(text)
    assert (first.run.cached, first.to_arrow().to_pylist()) == (False, [{"count_star()": 2}])
    assert guest.kadeql(text).run.cached
    assert not bench.acting_as(NOBODY).kadeql(text).run.cached
    same_user_other_role = lb.Identity("ada", roles=("lead",))
    assert not bench.acting_as(same_user_other_role).kadeql(text).run.cached
    # A policy that is new is in force at once, for the same question at the same snapshot of the past too.
    past = bench.snapshot
    assert rows(guest, text, at=past) == [(2,)]
    bench.kadeql("CREATE OR REPLACE ROW POLICY own ON pay USING id = 3 TO staff")
    assert rows(guest, text, at=past) == [(1,)]
    bench.kadeql("UPDATE grants SET region = 'no'")
    assert rows(bench.acting_as(LEAD), "SELECT id FROM pay ORDER BY id") == [(1,), (2,)]


def test_the_record_and_the_plan_count_only_what_is_seen(bench: lb.Bench) -> None:
    big = pa.table({"k": pa.array(range(200_000)), "v": pa.array(np.arange(200_000) % 7)})
    bench.write("big", big, sort_by="k")
    bench.kadeql("CREATE ROW POLICY few ON big USING k < 10")
    guest = bench.acting_as(ADA)
    run = guest.kadeql("SELECT sum(v) FROM big").run
    assert (run.rows_read, run.bytes_read, run.segments_read, run.chunks_read) == (10, 0, 0, 0)
    for text in (
        "EXPLAIN SELECT * FROM big",
        "EXPLAIN ANALYZE SELECT v FROM big",
        "EXPLAIN (FORMAT json) SELECT v FROM big",
    ):
        plan = str(guest.kadeql(text).to_arrow().to_pylist())
        assert "200,000" not in plan
        assert "200000" not in plan
    assert "200" not in str(guest.table("big").explain())


def test_an_error_tells_of_no_hidden_value(bench: lb.Bench) -> None:
    guest = bench.acting_as(ADA)
    with pytest.raises(KadeQLError) as caught:
        guest.kadeql("SELECT CAST(who AS INTEGER) FROM pay")
    assert "a*" in str(caught.value)
    # Ben's row would divide by zero; nobody who does not see it can tell.
    assert rows(guest, "SELECT id, 1 / (id - 2) FROM pay ORDER BY id") == [(1, -1.0), (3, 1.0)]
    with pytest.raises(KadeQLError):
        guest.kadeql("SELECT error('x') FROM pay WHERE who = 'a*'")
    assert rows(guest, "SELECT error(who) FROM pay WHERE who LIKE 'b%'") == []


def test_a_policy_outlives_renaming_replacing_and_dropping(bench: lb.Bench) -> None:
    guest = bench.acting_as(ADA)
    bench.kadeql("ALTER TABLE pay RENAME TO wages")
    assert rows(guest, "SELECT id FROM wages") == [(1,), (3,)]
    assert rows(guest, "SELECT id FROM pay AT (TAG => 'before')") == [(1,), (3,)]
    bench.kadeql("ALTER TABLE wages RENAME COLUMN salary TO amount")
    assert rows(guest, "SELECT amount FROM wages") == [(None,), (None,)]
    bench.write("wages", {**PAY, "amount": [1, 2, 3, 4]}, mode="replace", primary_key="id")
    assert rows(guest, "SELECT count(*) FROM wages") == [(2,)]
    bench.kadeql("ALTER TABLE wages RENAME COLUMN who TO person")
    with pytest.raises(ForbiddenError, match="cannot be shown"):
        guest.kadeql("SELECT id FROM wages")
    bench.kadeql("DROP TABLE wages")
    with pytest.raises(LumaError):
        guest.kadeql("SELECT id FROM wages")
    assert rows(guest, "SELECT id FROM pay AT (TAG => 'before')") == [(1,), (3,)]


def test_restrictive_policies_take_rows_away(bench: lb.Bench) -> None:
    bench.kadeql("CREATE ROW POLICY cut ON pay AS RESTRICTIVE USING id > 1 TO ALL")
    assert rows(bench.acting_as(ADA), "SELECT id FROM pay") == [(3,)]
    bench.kadeql("CREATE ROW POLICY all_rows ON pay AS PERMISSIVE FOR SELECT USING TRUE TO staff")
    assert rows(bench.acting_as(ADA), "SELECT id FROM pay ORDER BY id") == [(2,), (3,), (4,)]
    bench.kadeql("DROP ROW POLICY cut ON pay")
    assert rows(bench.acting_as(ADA), "SELECT count(*) FROM pay") == [(4,)]
    bench.kadeql("CREATE MASKING POLICY other ON pay UPDATE who = 'x' TO staff")
    assert rows(bench.acting_as(ADA), "SELECT DISTINCT who FROM pay") == [
        (None,)
    ]  # of two masks, neither is shown
    bench.kadeql("CREATE ROW POLICY unknown ON pay AS RESTRICTIVE USING NULL")
    assert rows(bench.acting_as(ADA), "SELECT count(*) FROM pay") == [(0,)]


def test_unmasked_columns_keep_their_exact_types_and_masked_ones_theirs(bench: lb.Bench) -> None:
    data = pa.table(
        {
            "k": pa.array(range(4), pa.uint16()),
            "d": pa.array(["x", None, "y", "x"]).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string())),
            "t": pa.array([dt.datetime(2020, 1, day, tzinfo=dt.UTC) for day in (1, 2, 3, 4)], pa.timestamp("ms", "Europe/Oslo")),
            "l": pa.array([[1], [], None, [2, 3]], pa.large_list(pa.int32())),
            "b": pa.array([b"ab", b"cd", None, b"ef"], pa.binary(2)),
            "s": pa.array(["p", "q", "r", None], pa.large_string()),
        }
    )  # fmt: skip
    bench.write("types", data)
    bench.kadeql("CREATE ROW POLICY odd ON types USING k % 2 = 1")
    bench.kadeql("CREATE MASKING POLICY m ON types UPDATE d = 'zz', s = upper(s), t = NULL")
    found = bench.acting_as(ADA).table("types").to_arrow()
    assert found.schema.types == data.schema.types
    kept = data.filter(pa.array([False, True, False, True]))
    assert found.select(["k", "l", "b"]).equals(kept.select(["k", "l", "b"]))
    assert found.select(["d", "s", "t"]).to_pylist() == [
        {"d": "zz", "s": "Q", "t": None}, {"d": "zz", "s": None, "t": None},
    ]  # fmt: skip


def test_threads_of_several_identities_see_their_own(bench: lb.Bench) -> None:
    expected = {ADA: [(2,)], LEAD: [(2,)], NOBODY: [(0,)]}
    wrong: list[object] = []

    def ask(identity: lb.Identity) -> None:
        guest = bench.acting_as(identity)
        for at in range(20):
            found = rows(guest, f"SELECT count(*) FROM pay WHERE {at} = {at}")
            if found != expected[identity]:
                wrong.append((identity, found))

    threads = [threading.Thread(target=ask, args=(identity,)) for identity in (*expected, *expected)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


CONDITIONS = st.sampled_from(
    [
        "a > 2",
        "b IS NULL",
        "b = 'x' OR a < 0",
        "a IN (1, 3, 5)",
        "length(b) > 0",
        "NULL",
        "a % 2 = 0 AND b <> 'y'",
    ]
)
QUERIES = st.sampled_from(
    [
        "SELECT * FROM t ORDER BY k", "SELECT count(*), sum(a), min(b) FROM t", "SELECT b, count(*) FROM t GROUP BY b ORDER BY b",
        "SELECT k FROM t WHERE a > 1 ORDER BY k", "SELECT k FROM t WHERE b = 'x' ORDER BY k", "SELECT k FROM t ORDER BY a DESC, k LIMIT 3",
        "SELECT t.k, u.a FROM t JOIN t AS u ON u.a = t.k ORDER BY ALL", "SELECT max(a) FROM t WHERE k BETWEEN 2 AND 6",
    ]
)  # fmt: skip


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with lb.open(
        tmp_path_factory.mktemp("policies") / "h.luma", chunk_rows=2, shard_rows=4, inline_bytes=0
    ) as opened:
        opened.write("t", _rows())
        yield opened


def _rows() -> pa.Table:
    return pa.table(
        {
            "k": list(range(9)),
            "a": [3, None, 1, 5, -2, 0, 7, 2, 3],
            "b": ["x", None, "y", "", "x", "z", None, "y", "x"],
        }
    )


@settings(max_examples=drawn(60), deadline=None)
@given(
    st.lists(CONDITIONS, min_size=1, max_size=2),
    CONDITIONS,
    st.sampled_from(["", "upper(b)", "NULL"]),
    QUERIES,
)
def test_a_guarded_table_is_the_filtered_table(
    hidden: lb.Bench, permissive: list[str], restrictive: str, mask: str, query: str
) -> None:
    with duckdb.connect() as twin:
        twin.register("raw", _rows())
        value = mask.replace("(b)", "(r.b)") or "r.b"
        shown = " OR ".join(f"({item})" for item in permissive)
        twin.execute(
            f"CREATE TABLE t AS SELECT k, a, CAST({value} AS VARCHAR) AS b FROM raw r WHERE ({shown}) AND ({restrictive})"
        )
        expected = twin.execute(query).fetchall()
    with hidden.transaction() as inside:
        for at, item in enumerate(permissive):
            inside.kadeql(f"CREATE OR REPLACE ROW POLICY p{at} ON t USING {item}")
        inside.kadeql(f"CREATE OR REPLACE ROW POLICY r ON t AS RESTRICTIVE USING {restrictive}")
        if mask:
            inside.kadeql(f"CREATE OR REPLACE MASKING POLICY m ON t UPDATE b = {mask}")
    try:
        assert rows(hidden.acting_as(ADA), query) == expected
    finally:
        with hidden.transaction() as inside:
            for name in ("p0", "p1", "r"):
                inside.kadeql(f"DROP ROW POLICY IF EXISTS {name} ON t")
            inside.kadeql("DROP MASKING POLICY IF EXISTS m ON t")

"""Any sequence of changes and transaction statements ends as in DuckDB."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import drawn
from transaction_cases import ROWS

import luma_bench as lb

TEXTS = st.sampled_from(
    [
        "INSERT INTO t VALUES (5, 'i'), (6, NULL)",
        "INSERT INTO t SELECT id + 10, k FROM t WHERE k IS NOT NULL",
        "DELETE FROM t WHERE id % 2 = 0",
        "DELETE FROM t WHERE k = 'a'",
        "TRUNCATE t",
        "UPDATE t SET k = coalesce(k, '') || 'u', id = id + 1 WHERE id < 6",
        "UPDATE t SET k = (SELECT max(k) FROM t)",
        "CREATE OR REPLACE TABLE u AS SELECT id FROM t",
        "DELETE FROM t WHERE id IN (FROM u)",
        "DROP TABLE IF EXISTS u",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS n INT DEFAULT 3",
        "ALTER TABLE t DROP COLUMN IF EXISTS n",
        "BEGIN",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
    ]
)


class Oracle:
    """The same texts in DuckDB, where a statement that fails is undone alone by running the transaction again without it."""

    def __init__(self):
        self.connection = duckdb.connect()
        self.connection.register("given", ROWS)
        self.connection.execute("CREATE TABLE t AS FROM given")
        self.inside: list[str] | None = None

    def run(self, text):
        if self.inside is None:
            self.connection.execute(text)
            self.inside = [] if text == "BEGIN" else None
            return
        if text == "BEGIN":
            raise AssertionError("a second BEGIN is not asked of the oracle")
        try:
            self.connection.execute(text)
        except duckdb.Error:
            self.connection.execute("ROLLBACK")
            self.connection.execute("BEGIN")
            for done in self.inside:
                self.connection.execute(done)
            raise
        self.inside = None if text in ("COMMIT", "ROLLBACK") else [*self.inside, text]

    def state(self):
        tables = [name for (name,) in self.connection.execute("SHOW TABLES").fetchall() if name != "given"]
        return {name: self.connection.sql(f"FROM {name}").to_arrow_table().to_pylist() for name in tables}


def state(bench):
    return {name: bench.kadeql(f"FROM {name}").to_arrow().to_pylist() for name in bench.tables()}


def ordered(found):
    return {name: sorted(held, key=repr) for name, held in found.items()}


@settings(deadline=None, max_examples=drawn(12))
@given(texts=st.lists(TEXTS, min_size=2, max_size=10), inline=st.booleans())
def test_any_sequence_ends_as_in_duckdb(tmp_path_factory, texts, inline):
    oracle = Oracle()
    folder = tmp_path_factory.mktemp("any") / "b.luma"
    with lb.open(folder, threads=1, inline_bytes=256_000 if inline else 0) as bench:
        bench.write("t", ROWS, mode="create")
        for text in texts:
            if text == "BEGIN" and oracle.inside is not None:
                continue
            try:
                oracle.run(text)
            except duckdb.Error:
                with pytest.raises(lb.errors.LumaError):
                    bench.kadeql(text)
            else:
                bench.kadeql(text)
            assert bench.in_transaction is (oracle.inside is not None)
            assert ordered(state(bench)) == ordered(oracle.state()), text
        assert bench.check().ok
        if bench.in_transaction:
            bench.kadeql("ROLLBACK")
            oracle.run("ROLLBACK")
        with lb.open(folder, mode="r") as again:
            assert ordered(state(again)) == ordered(oracle.state())

"""Making policies, and what who is under them may change: nothing that would tell what they hide."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from policy_cases import ADA, LEAD, PAY, SEEN, fill, rows

import luma_bench as lb
from luma_bench.bench.policy import PolicyBook
from luma_bench.errors import ConflictError, ForbiddenError, KadeQLBindError, KadeQLError, LumaError


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma") as opened:
        fill(opened)
        yield opened


CHANGES = [
    "DELETE FROM pay",
    "DELETE FROM pay WHERE id = 1",
    "UPDATE pay SET salary = 0",
    "TRUNCATE pay",
    "INSERT INTO pay VALUES (9, 'q', 'no', 1)",
    "DROP TABLE pay",
    "ALTER TABLE pay ADD COLUMN x INTEGER",
    "ALTER TABLE pay RENAME TO free",
    "CREATE OR REPLACE TABLE pay AS SELECT 1 AS a",
    "COMMENT ON TABLE pay IS 'mine'",
    "CREATE ROW POLICY z ON pay USING TRUE",
    "CREATE OR REPLACE ROW POLICY own ON pay USING TRUE",
    "DROP ROW POLICY own ON pay",
    "DROP MASKING POLICY hide ON pay",
]


@pytest.mark.parametrize("text", CHANGES)
def test_who_is_under_policies_changes_neither_them_nor_their_table(bench: lb.Bench, text: str) -> None:
    guest = bench.acting_as(ADA)
    before = bench.snapshot
    with pytest.raises(ForbiddenError, match="'ada' may not") as caught:
        guest.kadeql(text)
    assert isinstance(caught.value, KadeQLError)
    assert (caught.value.line, caught.value.hint is None) == (1, False)
    with guest.transaction() as inside, pytest.raises(ForbiddenError):
        inside.kadeql(text)
    assert bench.snapshot == before


def test_writing_and_caring_from_python_are_refused_too(bench: lb.Bench, tmp_path: Path) -> None:
    guest = bench.acting_as(ADA)
    for mode in ("append", "upsert", "replace"):
        with pytest.raises(ForbiddenError):
            guest.write("pay", PAY, mode=mode)  # type: ignore[arg-type]
    with guest.transaction() as inside, pytest.raises(ForbiddenError):
        inside.write("pay", PAY, mode="append")
    for call in (guest.check, guest.repair, guest.policies, lambda: guest.publish(tmp_path / "public")):
        with pytest.raises(ForbiddenError, match="owner"):
            call()
    guest.write("notes", {"a": [1]})  # a table without policies is free
    assert rows(guest, "SELECT a FROM notes") == [(1,)]


def test_a_foreign_key_is_no_way_to_ask_for_hidden_values(bench: lb.Bench) -> None:
    guest = bench.acting_as(ADA)
    with pytest.raises(ForbiddenError, match="refer to table 'pay'"):
        guest.kadeql("CREATE TABLE probe (id BIGINT REFERENCES pay (id))")
    guest.kadeql("CREATE TABLE probe (id BIGINT)")
    with pytest.raises(ForbiddenError, match="refer to table 'pay'"):
        guest.kadeql("ALTER TABLE probe ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES pay (id)")
    bench.kadeql("CREATE TABLE child (id BIGINT REFERENCES pay (id))")
    for text in ("INSERT INTO child VALUES (2)", "INSERT INTO child VALUES (99)"):
        with pytest.raises(ForbiddenError):
            guest.kadeql(text)
    bench.kadeql("INSERT INTO child VALUES (2)")


def test_what_a_policy_reads_is_no_guests_to_change(bench: lb.Bench) -> None:
    guest = bench.acting_as(lb.Identity("zed", roles=("lead",)))
    for text in (
        "INSERT INTO grants VALUES ('zed', 'no')", "UPDATE grants SET region = 'no'", "DELETE FROM grants", "DROP TABLE grants",
        "ALTER TABLE grants RENAME TO g", "CREATE OR REPLACE TABLE grants AS SELECT 'zed' AS usr, 'no' AS region",
    ):  # fmt: skip
        with pytest.raises(ForbiddenError, match="grants"):
            guest.kadeql(text)
    # Not even when an owner gives the name up.
    bench.kadeql("ALTER TABLE grants RENAME TO g")
    guest.kadeql(
        "CREATE TABLE grants AS SELECT 'zed' AS usr, r AS region FROM (VALUES ('no'), ('se')) AS v (r)"
    )
    with pytest.raises(ForbiddenError, match="cannot be shown"):
        guest.kadeql("SELECT id FROM pay")
    bench.kadeql("CREATE VIEW seen AS FROM g")
    for wrong in (
        "id IN (SELECT 1 FROM seen)",
        "id IN (SELECT 1 FROM information_schema.tables)",
        "id IN (FROM 'ids.csv')",
    ):
        with pytest.raises(KadeQLError, match="reads tables"):
            bench.kadeql(f"CREATE ROW POLICY wrong ON pay USING {wrong}")


def test_what_is_computed_of_a_masked_column_is_hidden_too(bench: lb.Bench) -> None:
    bench.kadeql("CREATE SCHEMA hr")
    bench.kadeql(
        "CREATE TABLE hr.s (id INTEGER, secret VARCHAR, loud VARCHAR AS (upper(secret)), size INTEGER AS (length(loud)))"
    )
    bench.kadeql("INSERT INTO hr.s (id, secret) VALUES (1, 'abc'), (2, 'd')")
    bench.kadeql("CREATE MASKING POLICY m ON hr.s UPDATE secret = 'x'")
    bench.kadeql("CREATE ROW POLICY r ON hr.s USING s.id + 0")  # a number counts as WHERE counts it
    assert rows(bench.acting_as(ADA), "SELECT * FROM hr.s ORDER BY id") == [
        (1, "x", None, None),
        (2, "x", None, None),
    ]
    assert rows(bench, "SELECT loud, size FROM hr.s ORDER BY id") == [("ABC", 3), ("D", 1)]
    assert bench.check().ok


def test_a_policy_of_the_moment_is_asked_anew(bench: lb.Bench) -> None:
    bench.kadeql("CREATE TABLE embargo AS SELECT 1 AS id, TIMESTAMPTZ '2000-01-01' AS until")
    bench.kadeql("CREATE ROW POLICY over ON embargo USING now() > until")
    guest = bench.acting_as(ADA)
    assert rows(guest, "SELECT id FROM embargo") == [(1,)]
    assert not guest.kadeql("SELECT id FROM embargo").run.cached


def test_catalog_relations_and_running_statements_tell_no_more(bench: lb.Bench) -> None:
    guest = bench.acting_as(ADA)
    assert rows(guest, "SELECT estimated_size FROM duckdb_tables() WHERE table_name = 'pay'") == [(2,)]
    with pytest.raises(ForbiddenError, match="compact"):
        guest.compact()
    stream = bench.stream("SELECT * FROM range(100000000) r(n) WHERE n <> 424242")
    next(iter(stream))
    assert [query.text[:8] for query in bench.running()] == ["SELECT *"]
    assert (guest.running(), guest.cancel(), guest.progress()) == ((), 0, None)
    del stream


def test_a_policy_takes_back_what_is_not_committed_yet(bench: lb.Bench) -> None:
    bench.kadeql("CREATE TABLE open (a INTEGER); INSERT INTO open VALUES (1)")
    with lb.open(bench.path, identity=ADA) as guest:
        guest.kadeql("BEGIN")
        guest.kadeql("DELETE FROM open")
        bench.kadeql("CREATE ROW POLICY late ON open USING a > 100")
        with pytest.raises(ConflictError, match="create policy"):
            guest.kadeql("COMMIT")
    assert rows(bench, "SELECT a FROM open") == [(1,)]


def test_a_sequence_and_the_default_that_uses_it_stay_together(bench: lb.Bench) -> None:
    bench.kadeql("CREATE SEQUENCE numbers")
    with bench.transaction() as inside, lb.open(bench.path) as other:
        inside.kadeql("CREATE TABLE ts (a INTEGER DEFAULT nextval('numbers'), b INTEGER)")
        other.kadeql("DROP SEQUENCE numbers")
        with pytest.raises(ConflictError, match="drop sequence"):
            inside.commit()
    assert "ts" not in bench.tables()


def test_nobody_takes_roles_that_they_lack(bench: lb.Bench) -> None:
    guest = bench.acting_as(lb.Identity("ada", roles=("staff", "lead")))
    assert rows(guest.acting_as(ADA), "SELECT count(*) FROM pay") == [(2,)]
    for other in (lb.Identity("ada", roles=("owner",)), lb.Identity("ben", roles=("staff",)), LEAD):
        with pytest.raises(ForbiddenError, match="act as"):
            guest.acting_as(other)
    guest.close()
    assert rows(bench, "SELECT count(*) FROM pay") == [(4,)]


def test_what_another_process_changes_about_policies_counts_at_once(bench: lb.Bench) -> None:
    guest = bench.acting_as(ADA)
    text = "SELECT id FROM pay ORDER BY id"

    assert rows(guest, text) == [(row[0],) for row in SEEN]
    elsewhere(bench, "CREATE OR REPLACE ROW POLICY own ON pay USING id = 4 TO staff")
    assert rows(guest, text) == [(4,)]
    elsewhere(bench, "CREATE ROW POLICY less ON pay AS RESTRICTIVE USING id < 4 TO staff")
    assert rows(guest, text) == []
    assert [policy.name for policy in bench.policies()] == ["area", "hide", "less", "own"]
    elsewhere(bench, "DROP ROW POLICY less ON pay; DROP ROW POLICY own ON pay; DROP ROW POLICY area ON pay")
    assert rows(guest, text) == [(number,) for number in PAY["id"]]


def test_policies_are_read_once_until_one_changes(bench: lb.Bench) -> None:
    book = PolicyBook(bench._store)
    held = book.policies()

    bench.kadeql("INSERT INTO pay VALUES (9, 'q', 'no', 1)")
    assert book.policies() is held
    bench.kadeql("DROP ROW POLICY own ON pay")
    assert [policy.name for policy in book.policies()] == ["area", "hide"]


def elsewhere(bench: lb.Bench, text: str) -> None:
    """Run a text on the bench in a process of its own."""
    code = "import sys, luma_bench; luma_bench.open(sys.argv[1]).kadeql(sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, str(bench.path), text], check=True, timeout=60)


def test_the_identity_of_opening_counts(bench: lb.Bench, tmp_path: Path) -> None:
    with lb.open(bench.path, mode="r", identity=ADA) as guest:
        assert guest.identity == ADA
        assert rows(guest, "SELECT * FROM pay ORDER BY id") == SEEN
    assert bench.identity.is_owner
    assert [(policy.name, policy.audience) for policy in bench.policies()] == [
        ("area", "lead"), ("hide", "ALL EXCEPT lead"), ("own", "staff"),
    ]  # fmt: skip
    listed = rows(bench, "SHOW POLICIES")
    assert listed[1] == (
        "pay",
        "hide",
        "masking",
        "salary = NULL, who = left(who, 1) || '*'",
        "ALL EXCEPT lead",
    )
    assert [row[:3] for row in listed] == [
        ("pay", "area", "row"),
        ("pay", "hide", "masking"),
        ("pay", "own", "row"),
    ]
    with pytest.raises(ForbiddenError):
        bench.acting_as(ADA).kadeql("SHOW POLICIES")
    for wrong in ({"user": ""}, {"user": "a", "roles": "staff"}, {"user": "a", "roles": ("",)}, {"user": 3}):
        with pytest.raises(LumaError):
            lb.Identity(**wrong)  # type: ignore[arg-type]


WRONG = [
    ("CREATE ROW POLICY z ON pay USING nope = 1", KadeQLBindError, "nope"),
    ("CREATE ROW POLICY z ON nowhere USING TRUE", KadeQLBindError, "nowhere"),
    ("CREATE ROW POLICY z ON pay USING who", KadeQLError, ""),
    ("CREATE ROW POLICY z ON pay USING id = $lo", KadeQLError, "$lo"),
    ("CREATE ROW POLICY z ON pay USING", KadeQLError, ""),
    ("CREATE ROW POLICY z ON pay USING (id = 1", KadeQLError, "("),
    ("CREATE ROW POLICY z ON pay USING id = 1) OR (TRUE", KadeQLError, ")"),
    ("CREATE ROW POLICY z ON pay USING TRUE TO", KadeQLError, ""),
    ("CREATE ROW POLICY z ON pay FOR DELETE USING TRUE", KadeQLError, "DELETE"),
    ("CREATE ROW POLICY own ON pay USING TRUE", KadeQLBindError, "CREATE"),
    ("CREATE MASKING POLICY z ON pay UPDATE nope = 1", KadeQLBindError, "nope"),
    ("CREATE MASKING POLICY z ON pay UPDATE id = 1, ID = 2", KadeQLError, "ID"),
    ("CREATE MASKING POLICY z ON pay UPDATE id = {'a': 1}", KadeQLError, ""),
    ("CREATE ROW POLICY z ON pay USING count(*) > 1", KadeQLError, ""),
    ("CREATE ROW POLICY z ON pay USING row_number() OVER () > 1", KadeQLError, ""),
    ("CREATE ROW POLICY z ON pay USING main.pay.id > 1", KadeQLError, ""),
    ("CREATE ROW POLICY z ON pay USING [1]", KadeQLError, ""),
    ("CREATE MASKING POLICY z ON pay UPDATE id = sum(id)", KadeQLError, ""),
    ("DROP ROW POLICY hide ON pay", LumaError, ""),
    ("DROP ROW POLICY nope ON pay", LumaError, ""),
]


@pytest.mark.parametrize(("text", "kind", "shown"), WRONG)
def test_what_is_wrong_is_said_where_it_stands(
    bench: lb.Bench, text: str, kind: type[LumaError], shown: str
) -> None:
    before = bench.snapshot
    with pytest.raises(kind) as caught:
        bench.kadeql(text)
    error = caught.value
    assert error.hint
    if shown:
        assert isinstance(error, KadeQLError)
        assert error.span is not None
        assert text[error.span[0] :].startswith(shown)
    assert bench.snapshot == before
    bench.kadeql("DROP ROW POLICY IF EXISTS nope ON pay")
    bench.kadeql("CREATE ROW POLICY IF NOT EXISTS own ON pay USING FALSE")
    assert bench.snapshot == before

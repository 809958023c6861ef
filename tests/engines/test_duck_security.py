"""Handed straight to the engine, nothing reads a file, the network, the environment or Python, or changes anything."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from arrow_source import ArrowSource

from luma_bench.engines.duck import DuckEngine
from luma_bench.errors import KadeQLError, KadeQLUnsupportedError, LumaError
from luma_bench.plan.engine import FileInputs, Inputs, SqlFragment

secret_frame = pa.table({"password": ["hunter2"]})

FILES = [
    "SELECT * FROM read_csv('{file}')",
    "SELECT * FROM read_csv_auto('{file}')",
    "SELECT * FROM sniff_csv('{file}')",
    "SELECT * FROM read_text('{file}')",
    "SELECT * FROM read_blob('{file}')",
    "SELECT * FROM read_json('{file}')",
    "SELECT * FROM read_parquet('{file}')",
    "SELECT * FROM parquet_metadata('{file}')",
    "SELECT * FROM parquet_schema('{file}')",
    "SELECT * FROM '{file}'",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM read_csv('https://127.0.0.1:9/x.csv')",
    "SELECT * FROM query('SELECT * FROM read_text(''{file}'')')",
    "SELECT (SELECT content FROM read_text('{file}')) AS leak",
    "SUMMARIZE SELECT * FROM read_csv('{file}')",
    "DESCRIBE SELECT * FROM read_csv('{file}')",
    "EXPLAIN ANALYZE SELECT * FROM read_csv('{file}')",
]
STATEMENTS = [
    "COPY (SELECT 1) TO '{folder}/out.csv'",
    "COPY t FROM '{file}'",
    "COPY t TO '{folder}/out.parquet'",
    "EXPORT DATABASE '{folder}/out'",
    "IMPORT DATABASE '{folder}'",
    "ATTACH '{folder}/other.db' AS other",
    "ATTACH ':memory:' AS other",
    "DETACH memory",
    "USE temp",
    "INSTALL fts",
    "LOAD fts",
    "LOAD '{folder}/evil.duckdb_extension'",
    "SET threads = 1",
    "SET GLOBAL enable_external_access = true",
    "SET VARIABLE x = 1",
    "RESET threads",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "CALL pragma_version()",
    "CREATE TABLE x (a INT)",
    "CREATE TEMP TABLE x AS SELECT * FROM t",
    "CREATE VIEW x AS SELECT 1",
    "CREATE MACRO m(a) AS a + 1",
    "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "CREATE TABLE x AS PIVOT t ON a USING count(*)",
    "INSERT INTO t VALUES (1)",
    "INSERT INTO t PIVOT t ON a USING count(*)",
    "WITH x AS (PIVOT t ON a USING count(*)) INSERT INTO t FROM x",
    "UPDATE t SET a = 1",
    "DELETE FROM t",
    "DROP VIEW t",
    "MERGE INTO t USING t AS u ON t.a = u.a WHEN MATCHED THEN DELETE",
    "TRUNCATE t",
    "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
    "BEGIN",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "CHECKPOINT",
    "VACUUM",
    "EXPLAIN ANALYZE DELETE FROM t",
    "EXPLAIN (ANALYZE, FORMAT json) CREATE TABLE x AS SELECT 1",
    "EXPLAIN (FORMAT json) CREATE TABLE x AS PIVOT t ON a USING count(*)",
    "EXPLAIN COPY (SELECT 1) TO '{folder}/out.csv'",
    "SELECT 1; DROP VIEW t",
    "SELECT 1; SELECT 2",
    "",
    "-- nothing",
]


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "secret.csv"
    file.write_text("password\nhunter2\n")
    return {"file": str(file), "folder": str(tmp_path)}


def run(engine: DuckEngine, text: str) -> pa.Table:
    return engine.run(SqlFragment(text), Inputs({"t": ArrowSource(pa.table({"a": [1, 2]}))}))


@pytest.mark.parametrize("text", FILES)
def test_no_file_and_no_network(engine: DuckEngine, place: dict[str, str], text: str):
    with pytest.raises(KadeQLError) as caught:
        run(engine, text.format(**place))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", STATEMENTS)
def test_no_statement_but_a_query(engine: DuckEngine, place: dict[str, str], text: str):
    text = text.format(**place)
    before = sorted(Path(place["folder"]).iterdir())
    with pytest.raises(KadeQLError):
        run(engine, text)
    assert sorted(Path(place["folder"]).iterdir()) == before
    assert run(engine, "SELECT count(*) AS n FROM t")["n"].to_pylist() == [2]
    if not text.startswith("WITH x AS (DELETE"):
        assert engine.supports(SqlFragment(text)) is not None


@pytest.mark.parametrize(
    "text", ["SELECT getenv('HOME')", "SELECT * FROM secret_frame", "SELECT password FROM 'secret_frame'"]
)
def test_no_environment_and_no_python_variable(engine: DuckEngine, text: str):
    secret_frame_too = secret_frame
    assert secret_frame_too is secret_frame
    with pytest.raises(KadeQLError):
        run(engine, text)


@pytest.mark.parametrize(
    "text",
    ["SELECT 1", "FROM t", "VALUES (1)", "TABLE t", "WITH x AS (SELECT 1) SELECT * FROM x", "PIVOT t ON a USING count(*)",
     "WITH x AS (PIVOT t ON a USING count(*)) SELECT * FROM x", "DESCRIBE t", "SUMMARIZE t", "SHOW t", "EXPLAIN SELECT 1",
     "EXPLAIN ANALYZE SELECT * FROM t", "EXPLAIN (ANALYZE, FORMAT json) FROM t", "EXPLAIN PIVOT t ON a USING count(*)",
     "EXPLAIN (SELECT 1)", "(SELECT 1)", "SELECT 1;", "/* c */ SELECT 1 -- d"],
)  # fmt: skip
def test_queries_of_every_form_run(engine: DuckEngine, text: str):
    assert engine.supports(SqlFragment(text)) is None
    assert run(engine, text).num_columns


def test_a_read_that_is_refused_says_what_to_do(engine: DuckEngine, place: dict[str, str]):
    with pytest.raises(KadeQLUnsupportedError, match="no files and no network") as caught:
        run(engine, f"SELECT * FROM read_csv('{place['file']}')")
    assert "bench.write" in str(caught.value.hint)
    assert isinstance(caught.value, LumaError)


@pytest.mark.parametrize("text", FILES)
def test_files_that_are_given_open_no_others(
    engine: DuckEngine, place: dict[str, str], tmp_path: Path, text: str
):
    """Whatever a text names, only the exact paths of the inputs can be opened, and nothing of them changes."""
    given = tmp_path / "given.csv"
    given.write_text("a\n1\n")
    inputs = Inputs({"t": ArrowSource(pa.table({"a": [1, 2]}))}, files=FileInputs((str(given),)))
    read = engine.run(SqlFragment(f"SELECT f.a FROM read_csv('{given}') f JOIN t USING (a)"), inputs)
    assert read["a"].to_pylist() == [1]
    with pytest.raises(KadeQLError) as caught:
        engine.run(SqlFragment(text.format(**place)), inputs)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", STATEMENTS)
def test_files_that_are_given_allow_no_other_statement(engine: DuckEngine, place: dict[str, str], text: str):
    given = Path(place["folder"]) / "given.csv"
    given.write_text("a\n1\n")
    before = {path.name: path.read_bytes() for path in Path(place["folder"]).iterdir()}
    inputs = Inputs({"t": ArrowSource(pa.table({"a": [1, 2]}))}, files=FileInputs((str(given),)))
    with pytest.raises(KadeQLError):
        engine.run(SqlFragment(text.format(**place).replace("out.csv", "given.csv")), inputs)
    assert {path.name: path.read_bytes() for path in Path(place["folder"]).iterdir()} == before


def test_a_link_in_the_place_of_a_given_file_is_not_followed(
    engine: DuckEngine, place: dict[str, str], tmp_path: Path
):
    given = tmp_path / "given.csv"
    given.symlink_to(place["file"])
    inputs = Inputs({}, files=FileInputs((str(given),)))
    with pytest.raises(KadeQLError) as caught:
        engine.run(SqlFragment(f"FROM read_csv('{given}')"), inputs)
    assert "hunter2" not in str(caught.value)


def test_files_of_one_statement_are_closed_to_the_next(engine: DuckEngine, place: dict[str, str]):
    text = SqlFragment(f"SELECT count(*) AS n FROM read_csv('{place['file']}')")
    assert engine.run(text, Inputs({}, files=FileInputs((place["file"],))))["n"].to_pylist() == [1]
    for inputs in (
        Inputs({}),
        Inputs({}, files=FileInputs(("/nowhere.csv",))),
        Inputs({}, files=FileInputs()),
    ):
        with pytest.raises(KadeQLError):
            engine.run(text, inputs)

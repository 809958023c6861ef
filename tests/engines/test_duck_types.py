"""Types by DuckDB's binder, and trees by its parser."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from luma_bench.engines.duck_tree import DuckTrees
from luma_bench.engines.duck_types import DuckTyper
from luma_bench.errors import ClosedError, EngineError, KadeQLBindError
from luma_bench.plan.relational import Aggregate, Column, Measure, Scan, Sql, Union, Values
from luma_bench.types.schema import SQL_TYPE

COLUMNS = [
    ("c0", "INTEGER"),
    ("c1", "DECIMAL(15,2)"),
    ('o"dd', 'STRUCT("x" VARCHAR)'),
    ("c3", "TIMESTAMP WITH TIME ZONE"),
]


@pytest.fixture(scope="module")
def typer() -> Iterator[DuckTyper]:
    made = DuckTyper()
    yield made
    made.close()


@pytest.fixture(scope="module")
def trees() -> Iterator[DuckTrees]:
    made = DuckTrees()
    yield made
    made.close()


def test_expressions_have_the_types_that_duckdb_gives_them(typer: DuckTyper) -> None:
    wanted = {
        "c0 + 1": "INTEGER",
        "sum(c0)": "HUGEINT",
        "sum(c1)": "DECIMAL(38,2)",
        "avg(c1)": "DOUBLE",
        '"o""dd".x': "VARCHAR",
        "[c0]": "INTEGER[]",
        "row_number() OVER (ORDER BY c0)": "BIGINT",
        "c3::DATE": "DATE",
        "c3": "TIMESTAMP WITH TIME ZONE",
        "ohlc(c0, c3)": 'STRUCT(open INTEGER, high INTEGER, low INTEGER, "close" INTEGER)',
    }
    assert dict(zip(wanted, typer.types(list(wanted), COLUMNS), strict=True)) == wanted
    assert typer.types([], COLUMNS) == []


def test_what_does_not_bind_is_an_error(typer: DuckTyper) -> None:
    with pytest.raises(KadeQLBindError, match="nothing"):
        typer.types(["nothing(c0)"], COLUMNS)


def test_nodes_have_the_types_of_their_columns(typer: DuckTyper) -> None:
    scan = Scan("t t", ("a", "b"))
    scans = {"t t": {"b": "DECIMAL(12,2)", "a": "DATE", "unread": "BLOB"}}
    measures = (Measure("sum", (Column(1),)), Measure("count"))
    assert typer.node_types(Aggregate(scan, (Column(0),), measures), scans) == (
        "DATE",
        "DECIMAL(38,2)",
        "BIGINT",
    )
    mixed = Union((Scan("t t", ("b",)), Values(((Sql(("1.5::DOUBLE",)),),), 1)))
    assert typer.node_types(mixed, scans) == ("DOUBLE",)
    assert typer.node_types(Scan("t t", ()), scans) == ()


def test_columns_have_the_types_that_tables_have_in_sql(typer: DuckTyper) -> None:
    schema = pa.schema(
        [
            pa.field("i", pa.int8()),
            pa.field("d", pa.dictionary(pa.int32(), pa.string())),
            pa.field("u", pa.string(), metadata={SQL_TYPE: "UUID"}),
            pa.field("j", pa.string(), metadata={SQL_TYPE: "JSON"}),
            pa.field("z", pa.timestamp("us", "Asia/Tokyo")),
            pa.field("l", pa.list_(pa.struct([("x", pa.float32())]))),
        ]
    )
    assert typer.column_types(schema) == {
        "i": "TINYINT",
        "d": "VARCHAR",
        "u": "UUID",
        "j": "JSON",
        "z": "TIMESTAMP WITH TIME ZONE",
        "l": "STRUCT(x FLOAT)[]",
    }


def test_threads_share_a_typer_until_it_is_closed() -> None:
    typer = DuckTyper()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda at: typer.types([f"c0 + {at}"], COLUMNS), range(16)))
    assert found == [["INTEGER"]] * 16
    typer.close()
    with pytest.raises(ClosedError):
        typer.types(["c0 * 3"], COLUMNS)


@pytest.mark.parametrize(
    "text",
    [
        "(a + 1)",
        "list_transform(l, (lambda x: (x + a)))",
        "struct_pack(a := 1)",
        "CAST(a AS DECIMAL(10, 2))",
        "TRY_CAST('x''y' AS INTEGER)",
        "a.b.c",
        "(a IS NOT DISTINCT FROM b)",
        "x[1:2]",
        "1.5e3",
    ],
)
def test_expressions_are_printed_as_they_were_read(trees: DuckTrees, text: str) -> None:
    (printed,) = trees.printed([trees.expression(text)])
    assert printed == text
    assert trees.printed([trees.expression(printed)]) == [printed]


def test_one_select_is_a_statement_and_nothing_else_is(trees: DuckTrees) -> None:
    node = trees.statement("FROM t SELECT a")
    assert node is not None
    assert trees.query(node) == "SELECT a FROM t"
    assert trees.statement("SELECT 1; SELECT 2") is None
    assert trees.statement("DROP TABLE t") is None
    assert trees.statement("SELECT FROM WHERE") is None
    with pytest.raises(EngineError, match="does not read"):
        trees.expression("1 +")


def test_functions_are_told_apart(trees: DuckTrees) -> None:
    functions = trees.functions
    assert {"sum", "list", "arg_max"} <= functions.aggregates
    assert {"random", "now", "nextval"} <= functions.changing
    assert "nullif" in functions.macros
    assert "upper" not in functions.changing | functions.aggregates | functions.macros

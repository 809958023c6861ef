"""What a text takes from the notebook."""

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from luma_bench.notebook.names import is_table, mentions, tables_of

TABLE = pa.table({"a": [1]})


def test_parameters_outside_of_strings_and_comments():
    text = """SELECT $lo, '$no', "$no", e'\\'$no', $$ $no $$, $t$ $no $t$ -- $no
    /* $no */ FROM t WHERE x > $hi AND y = $lo"""
    found = mentions(text)
    assert list(found.params) == ["lo", "hi"]
    start, stop = found.params["hi"]
    assert text[start:stop] == "$hi"


def test_names_that_may_be_tables():
    found = mentions('SELECT f.carrier, "odd name" FROM flights f JOIN "my table" USING (x), other')
    assert {"flights", "my table", "other", "f"} <= found.names
    assert "carrier" not in found.names
    assert found.tables == {"flights", "my table"}


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), (" -- only a comment\n;", 0), ("SELECT 1;", 1), ("SELECT ';'; SELECT 2", 2)]
)
def test_statements_are_counted(text: str, count: int):
    assert mentions(text).statements == count


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame({"a": [1]}),
        pl.DataFrame({"a": [1]}),
        pl.LazyFrame({"a": [1]}),
        TABLE,
        TABLE.to_batches()[0],
    ],
)
def test_tables(value: object):
    assert is_table(value)


@pytest.mark.parametrize(
    "value",
    [
        3,
        "t",
        [1],
        {"a": [1]},
        pd.Series([1]),
        pl.Series([1]),
        pa.chunked_array([[1]]),
        TABLE.to_reader(),
        None,
    ],
)
def test_other_things(value: object):
    assert not is_table(value)


def test_a_table_of_the_bench_hides_the_variable():
    variables = {"flights": TABLE, "mine": TABLE, "unused": TABLE, "carrier": 3}
    used, hidden = tables_of(
        mentions("SELECT carrier FROM flights JOIN mine USING (a)"), variables, ["Flights"]
    )
    assert list(used) == ["mine"]
    assert hidden == ["flights"]


def test_a_column_named_like_a_variable_warns_of_nothing():
    _, hidden = tables_of(mentions("SELECT flights FROM t"), {"flights": TABLE}, ["flights", "t"])
    assert hidden == []


def test_what_prepare_keeps_needs_no_values_yet():
    found = mentions("PREPARE p AS SELECT $low FROM names; EXECUTE p(low := $high)")
    assert list(found.params) == ["high"]
    assert "names" in found.names

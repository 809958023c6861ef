"""Fingerprints of answers: the same for the same values in whatever form, another for any other value, blind to rounding."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from luma_bench.notebook.pinned.comparing import changes
from luma_bench.notebook.pinned.digest import column_hashes
from luma_bench.notebook.pinned.fingerprint import Fingerprint, fingerprint, statement_digest
from luma_bench.notebook.pinned.order import Order, order_of

VALUES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.int8(): st.integers(-128, 127),
    pa.uint32(): st.integers(0, 2**32 - 1),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(max_size=12),
    pa.binary(): st.binary(max_size=12),
    pa.date32(): st.dates(),
    pa.timestamp("us", "UTC"): st.datetimes(timezones=st.just(dt.UTC)),
    pa.decimal128(18, 3): st.decimals(min_value=-(10**14), max_value=10**14, places=3),
    pa.list_(pa.int32()): st.lists(st.none() | st.integers(-5, 5), max_size=4),
    pa.struct({"a": pa.int16(), "b": pa.string()}): st.fixed_dictionaries(
        {"a": st.none() | st.integers(-9, 9), "b": st.none() | st.text(max_size=3)}
    ),
    pa.map_(pa.string(), pa.int64()): st.dictionaries(
        st.text(max_size=3), st.integers(-9, 9), max_size=3
    ).map(lambda found: sorted(found.items())),
}


@st.composite
def columns(draw: st.DrawFn) -> tuple[pa.DataType, list[Any]]:
    kind = draw(st.sampled_from(list(VALUES)))
    return kind, draw(st.lists(st.none() | VALUES[kind], min_size=1, max_size=12))


def of(table: pa.Table, order: Order | None = None) -> Fingerprint:
    return fingerprint(table, statement="s", snapshot=1, order=order)


def same(one: pa.Table, two: pa.Table, order: Order | None = None) -> bool:
    return not changes(of(one, order), of(two, order))


def texts(one: pa.Table, two: pa.Table) -> list[str]:
    return [change.text for change in changes(of(one), of(two))]


@settings(deadline=None, max_examples=100)
@given(columns(), st.randoms(use_true_random=False))
def test_rows_may_be_shuffled_sliced_and_chunked(
    column: tuple[pa.DataType, list[Any]], chance: random.Random
):
    kind, values = column
    table = pa.table({"v": pa.array(values, kind)})
    shuffled = values[:]
    chance.shuffle(shuffled)
    at = chance.randrange(len(values))
    inside = pa.array([*shuffled[:1], *shuffled, None], kind).slice(1, len(values))
    chunked = pa.chunked_array([inside.slice(0, at), inside.slice(at)], kind)
    assert same(table, pa.table({"v": chunked}))


@settings(deadline=None, max_examples=150)
@given(columns(), st.data())
def test_another_value_is_another_fingerprint(column: tuple[pa.DataType, list[Any]], data: st.DataObject):
    kind, values = column
    index = data.draw(st.integers(0, len(values) - 1))
    value = data.draw(st.none() | VALUES[kind])
    assume(value != values[index])
    other = [*values[:index], value, *values[index + 1 :]]
    # Changing one value of a list always changes the multiset.
    assert not same(pa.table({"v": pa.array(values, kind)}), pa.table({"v": pa.array(other, kind)}))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3), st.text(max_size=2)), min_size=2, max_size=10))
def test_values_that_swap_rows_are_noticed(rows: list[tuple[int, str]]):
    numbers, words = [row[0] for row in rows], [row[1] for row in rows]
    turned = [*words[1:], words[0]]
    one, two = pa.table({"a": numbers, "b": words}), pa.table({"a": numbers, "b": turned})
    assert same(one, two) == (sorted(rows) == sorted(zip(numbers, turned, strict=True)))


def test_forms_of_a_column_count_alike():
    words = pa.array(["a", None, "bc", "a"])
    plain = column_hashes(pa.chunked_array([words]))
    for form in (words.dictionary_encode(), words.cast(pa.large_string()), words.cast(pa.string_view())):
        assert (column_hashes(pa.chunked_array([form])) == plain).all()
    lists = pa.array([[1, 2], None, [], [3]], pa.list_(pa.int64()))
    wide = column_hashes(pa.chunked_array([lists.cast(pa.large_list(pa.int64()))]))
    assert (column_hashes(pa.chunked_array([lists])) == wide).all()


def test_unions_count_by_type_and_value():
    kinds = pa.array([0, 1, 0, 1], pa.int8())
    children = [pa.array([1, 2]), pa.array([1.0, 2.0])]
    dense = pa.UnionArray.from_dense(kinds, pa.array([0, 0, 1, 1], pa.int32()), children)
    wide = [pa.array([1, None, 2, None]), pa.array([None, 1.0, None, 2.0])]
    sparse = pa.UnionArray.from_sparse(kinds, wide)
    hashes = column_hashes(pa.chunked_array([dense]))
    assert len(set(hashes.tolist())) == 4
    assert (column_hashes(pa.chunked_array([sparse])) == hashes).all()
    for form in (dense, sparse):
        assert (column_hashes(pa.chunked_array([form.slice(1)])) == hashes[1:]).all()


def test_hashes_are_those_of_every_version():
    # A saved notebook is compared with what these functions give years later: they may never change.
    table = {
        "int": pa.array([0, 1, -1, None], pa.int64()),
        "text": pa.array(["", "a", "Grüße", None]),
        "float": pa.array([0.0, 0.1, -1e300, None]),
        "list": pa.array([[], [1], [1, None], None], pa.list_(pa.int32())),
        "struct": pa.array([{"a": 1}, {"a": None}, {"a": -1}, None], pa.struct({"a": pa.int8()})),
        "decimal": pa.array([decimal.Decimal("1.50"), decimal.Decimal("-1.50"), decimal.Decimal(0), None]),
        "bool": pa.array([True, False, None, None]),
    }
    found = {
        name: " ".join(f"{value:016x}" for value in column_hashes(pa.chunked_array([column]))[:3])
        for name, column in table.items()
    }
    assert found == GOLDEN


GOLDEN = {
    "int": "e220a8397b1dcdaf 910a2dec89025cc1 e4d971771b652c20",
    "text": "e220a8397b1dcdaf a35c5451c076b25e 10645a9ec0294518",
    "float": "5ed383d5c797e4f6 68a8b84ed09f850a 883b177c0d1c1588",
    "list": "e220a8397b1dcdaf d893fca0c7e9894a d1d2bcd96ffb032c",
    "struct": "db538f85fe401082 094c8cf4d851980a 8aecc55361af430e",
    "decimal": "d5e48ab157134c3c 57e78965d1359b72 26393a6d3098f7e3",
    "bool": "910a2dec89025cc1 e220a8397b1dcdaf 6e756c6c6e756c6c",
}


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=1, max_size=20), st.data()
)
def test_rounding_is_no_change(values: list[float], data: st.DataObject):
    noisy = [math.nextafter(value, data.draw(st.sampled_from([math.inf, -math.inf]))) for value in values]
    assume(all(math.isfinite(value) for value in noisy))
    assert same(pa.table({"x": values}), pa.table({"x": noisy}))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-3), min_size=1, max_size=20), st.data())
def test_more_than_rounding_is_a_change(values: list[float], data: st.DataObject):
    index = data.draw(st.integers(0, len(values) - 1))
    other = values[:]
    other[index] *= 1 + 1e-6
    assert not same(pa.table({"x": values}), pa.table({"x": other}))


def test_how_little_values_differ_is_said_where_rounding_cannot_be_told():
    # Of so many values some lie on an edge of either grid: that they are equal cannot be told, so it is not said.
    chance = np.random.default_rng(7)
    values = chance.lognormal(3, 2, 249_000)
    noisy = values * (1 + chance.uniform(-1e-11, 1e-11, len(values)))
    keys = np.arange(len(values))
    one, two = pa.table({"k": keys, "x": values}), pa.table({"k": keys, "x": noisy})
    assert texts(one, two) == ["other values in x, by less than 0.21 % of each"]
    noisy[4711] *= 1.01
    assert texts(one, pa.table({"k": keys, "x": noisy})) == ["other values in x"]
    swapped = values.copy()
    swapped[[0, 1]] = swapped[[1, 0]]
    moved = ["the columns hold the same values, in other rows than before"]
    assert texts(one, pa.table({"k": keys, "x": swapped})) == moved
    few = pa.table({"x": [1.0, 2.0]})
    assert texts(few, pa.table({"x": [1.0, 2.0 + 1e-7]})) == [
        "other values in x, by less than 0.0002 % of each"
    ]
    narrow, other = (pa.table({"x": pa.array([1.0, value], pa.float32())}) for value in (2.0, 2.00003))
    assert texts(narrow, other) == ["other values in x, by less than 0.0064 % of each"]


def test_special_floats():
    special = [0.0, math.nan, math.inf, -math.inf, None, 1e-300, 1.0]
    assert same(pa.table({"x": special}), pa.table({"x": [-0.0, *special[1:]]}))
    for index in range(1, 5):
        other = special[:]
        other[index] = 2.0
        assert not same(pa.table({"x": special}), pa.table({"x": other}))
    # A value is held against the value in its row, not against others: what is small is not nothing.
    assert not same(pa.table({"x": [1e15, 2.0]}), pa.table({"x": [1e15, 500.0]}))
    assert not same(pa.table({"x": [1e-300]}), pa.table({"x": [2e-300]}))
    assert same(pa.table({"x": [0.0]}), pa.table({"x": [5e-324]}))


def test_vectors_are_compared_within_rounding_too():
    kind = pa.list_(pa.float32(), 3)
    one = pa.table({"v": pa.array([[0.1, 0.2, 0.3], None], kind)})
    assert same(one, pa.table({"v": pa.array([[0.1 + 1e-9, 0.2, 0.3], None], kind)}))
    assert not same(one, pa.table({"v": pa.array([[0.11, 0.2, 0.3], None], kind)}))


def test_what_changed_is_said():
    base = pa.table({"a": [1, 2], "b": ["x", "y"]})

    def said(other: pa.Table, order: Order | None = None) -> list[tuple[str, str]]:
        return [(change.kind, change.text) for change in changes(of(base, order), of(other, order))]

    assert said(base) == []
    assert said(base.append_column("c", pa.array([1, 2]))) == [("schema", "c int64 is new")]
    assert said(base.drop(["b"])) == [("schema", "b string is gone")]
    assert said(base.set_column(0, "a", base["a"].cast(pa.int32()))) == [
        ("schema", "a was int64 and is int32")
    ]
    assert said(base.select(["b", "a"])) == [("schema", "the columns are in another order")]
    assert said(base.slice(1)) == [("rows", "2 rows before, 1 now")]
    assert said(base.set_column(1, "b", pa.array(["x", "z"]))) == [("values", "other values in b")]
    assert said(base.set_column(1, "b", pa.array(["y", "x"]))) == [
        ("values", "the columns hold the same values, in other rows than before")
    ]
    turned = base.take([1, 0])
    assert said(turned) == []
    assert said(turned, Order()) == [("order", "the same rows in another order")]


def test_ties_may_come_in_any_order():
    base = pa.table({"k": [1, 1, 2], "v": ["a", "b", "c"]})
    ties, turned = base.take([1, 0, 2]), base.take([2, 0, 1])
    by_key = order_of("SELECT k, v FROM t ORDER BY k DESC", ["k", "v"])
    assert by_key == Order((0,))
    assert same(base, ties, by_key)
    assert not same(base, turned, by_key)
    assert not same(base, ties, order_of("SELECT k, v FROM t ORDER BY k + 1", ["k", "v"]))


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("SELECT a, b FROM t", None),
        ("SELECT a, b FROM t ORDER BY 2 DESC NULLS LAST, a LIMIT 3", Order((1, 0))),
        ("SELECT a, b FROM (SELECT * FROM t ORDER BY a)", None),
        ("SELECT a, sum(b) OVER (ORDER BY a) AS b FROM t", None),
        ("SELECT a, b FROM t ORDER BY ALL", Order()),
        ("SELECT a, b FROM t ORDER BY t.a;", Order((0,))),
        ("SELECT t.a, b FROM t ORDER BY t.a DESC, b", Order((0, 1))),
        # Another column of the answer has the name of the table's that it is ordered by.
        ("SELECT c AS a, b FROM t ORDER BY t.a", Order()),
        ("SELECT c a, a AS b FROM t ORDER BY t.a", Order()),
        ("SELECT a: c + 1, b FROM t ORDER BY t.a", Order()),
        ('SELECT a, b FROM t ORDER BY "B"', Order((1,))),
        ("SELECT 1; SELECT a, b FROM t ORDER BY a; SELECT a, b FROM t", None),
        ("SELECT a, b FROM t -- ORDER BY a", None),
        ("SELECT a, b FROM t ORDER BY c", Order()),
        ("MATCH (x)-[e]->(y) RETURN a, b ORDER BY a", Order((0,))),
        ("SELECT 'never closed", None),
    ],
)
def test_the_order_that_a_statement_promises(text: str, order: Order | None):
    assert order_of(text, ["a", "b"]) == order


def test_a_fingerprint_survives_json():
    table = pa.table({"a": [1, None], "x": [0.1, math.nan], "s": ["a", "b"]})
    made = of(table, Order((0,)))
    assert Fingerprint.from_json(json.loads(json.dumps(made.to_json()))) == made
    assert Fingerprint.from_json({"version": 99}) is None
    assert Fingerprint.from_json({**made.to_json(), "columns": 3}) is None
    assert Fingerprint.from_json(None) is None


def test_a_large_answer_has_no_content_unless_asked_for():
    table = pa.table({"a": list(range(100))})
    made = fingerprint(table, statement="s", snapshot=1, most_values=99)
    assert made.content is None
    assert Fingerprint.from_json(json.loads(json.dumps(made.to_json()))) == made
    # What was not kept is not taken for equal.
    assert [change.kind for change in changes(made, of(table))] == ["cannot tell"]
    assert fingerprint(table, statement="s", snapshot=1, most_values=None).content is not None


def test_wide_answers_keep_little():
    table = pa.table({f"c{index}": [index, None] for index in range(3000)})
    made = of(table)
    assert len(json.dumps(made.to_json())) < 20_000
    other = table.set_column(2999, "c2999", pa.array([1, None]))
    assert [change.kind for change in changes(made, of(other))] == ["values"]


def test_parameters_are_part_of_the_statement():
    assert statement_digest("SELECT $a", {"a": 1}) == statement_digest("SELECT $a\n", {"a": 1})
    assert statement_digest("SELECT $a", {"a": 1}) != statement_digest("SELECT $a", {"a": 2})

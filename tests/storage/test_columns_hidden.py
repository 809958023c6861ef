"""Codes that nulls hide: Arrow makes arrays whose codes point outside of their dictionaries, and reads past the end of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segment_cases import maybe, types

import luma_bench as lb
from luma_bench.errors import SchemaError
from luma_bench.storage.columns_hidden import without_hidden_codes

CODED = pa.dictionary(pa.int8(), pa.string())
STRUCT = pa.struct([("f", CODED)])
HIDDEN: dict[str, Any] = {
    "struct": pa.array([None, None], STRUCT),
    "list": pa.array([[None], None, [None, None]], pa.list_(STRUCT)),
    "large list": pa.array([[None], [], None], pa.large_list(STRUCT)),
    "fixed list": pa.array([[None, None], None], pa.list_(STRUCT, 2)),
    "struct in struct": pa.array([None, {"s": None}], pa.struct([("s", STRUCT), ("n", pa.int64())])),
    "map": pa.array([[("a", None)], None], pa.map_(pa.string(), STRUCT)),
}


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("start", [0, 1])
def test_what_arrow_makes_of_nulls_becomes_whole(name: str, start: int):
    array = HIDDEN[name].slice(start)
    whole = without_hidden_codes(array)
    whole.validate(full=True)
    assert whole.type == array.type
    assert whole.to_pylist() == array.to_pylist()
    assert without_hidden_codes(whole) is whole


def test_arrow_still_makes_them():
    with pytest.raises(pa.ArrowInvalid, match="out of bounds"):
        HIDDEN["struct"].validate(full=True)  # when this passes, the module can go


@pytest.mark.parametrize("name", HIDDEN)
def test_they_are_written_and_read(name: str, tmp_path: Path):
    with lb.open(tmp_path / "x.luma", inline_bytes=0) as bench:
        table = pa.table({"a": pa.chunked_array([HIDDEN[name], HIDDEN[name]])})
        bench.write("t", table, mode="create")
        found = bench.kadeql("SELECT a FROM t").to_arrow()
        found.validate(full=True)
        assert found["a"].to_pylist() == table["a"].to_pylist()


def test_a_code_that_is_seen_is_refused(tmp_path: Path):
    wrong = pa.DictionaryArray.from_arrays(pa.array([0, 7], pa.int8()), pa.array(["x"]), safe=False)
    seen = pa.StructArray.from_arrays([wrong], names=["f"])
    with pytest.raises(pa.ArrowInvalid, match="code 7 points outside of a dictionary of 1"):
        without_hidden_codes(seen)
    with lb.open(tmp_path / "x.luma") as bench:
        with pytest.raises(SchemaError, match="points outside"):
            bench.write("t", pa.table({"a": seen}), mode="create")
        assert bench.tables() == []
    hidden = pa.StructArray.from_arrays([wrong], names=["f"], mask=pa.array([False, True]))
    assert without_hidden_codes(hidden).to_pylist() == [{"f": "x"}, None]


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_any_array_keeps_its_values(data: st.DataObject):
    kind = data.draw(types().filter(lambda kind: not isinstance(kind, pa.BaseExtensionType)))
    array = pa.array(data.draw(st.lists(maybe(kind), max_size=12)), kind)
    array = array.slice(data.draw(st.integers(0, len(array))))
    whole = without_hidden_codes(array)
    whole.validate(full=True)
    assert repr(whole.to_pylist()) == repr(array.to_pylist())


def test_maps_whose_values_are_of_the_null_type_are_written(tmp_path: Path):
    kind = pa.large_list(pa.map_(pa.int32(), pa.large_list(pa.null())))
    items = [
        [None, [(0, [None, None]), (1, None)], [(2, [None])]],
        None,
        [[(3, [None] * 3), (4, [])]],
        [None],
    ]
    array = pa.array(items * 5, kind).slice(2)
    with lb.open(tmp_path / "x.luma", inline_bytes=0) as bench:
        bench.write("t", pa.table({"a": array}), mode="create")
        found = bench.kadeql("SELECT a FROM t").to_arrow()
        found.validate(full=True)
        assert found["a"].to_pylist() == array.to_pylist()

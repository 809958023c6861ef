"""The router takes what was asked for, or says why it cannot."""

from __future__ import annotations

import pyarrow as pa
import pytest
from arrow_source import ArrowSource

from luma_bench.engines.duck import DuckEngine
from luma_bench.engines.router import BYTES_PER_SECOND, START_SECONDS, Router, estimated_seconds, row_bytes
from luma_bench.errors import UnsupportedError
from luma_bench.plan.engine import Inputs, SqlFragment

FRAGMENT = SqlFragment("SELECT count(*) FROM t")
INPUTS = Inputs({"t": ArrowSource(pa.table({"a": pa.array(range(1000), pa.int64()), "s": ["x"] * 1000}))})


def test_auto_takes_the_only_engine_and_says_so(hook_engine: DuckEngine):
    choice = Router().choose("auto", FRAGMENT, INPUTS, {"duckdb": hook_engine})
    assert choice.engine is hook_engine
    assert choice.reason == "embedded: the one SQL engine here"
    assert choice.fallbacks == ()
    assert choice.estimates == {"duckdb": estimated_seconds(INPUTS)}


def test_what_is_asked_for_by_name(hook_engine: DuckEngine):
    choice = Router().choose("duckdb", FRAGMENT, INPUTS, {"duckdb": hook_engine}, strict=True)
    assert (choice.engine, choice.reason, choice.fallbacks) == (hook_engine, "as asked", ())


@pytest.mark.parametrize("asked", ["polars", "dask", "gpu"])
def test_an_engine_that_is_not_there_falls_back_loudly(hook_engine: DuckEngine, asked: str):
    choice = Router().choose(asked, FRAGMENT, INPUTS, {"duckdb": hook_engine})
    assert choice.engine is hook_engine
    assert choice.reason.startswith(f"instead of {asked}: ")
    (note,) = choice.fallbacks
    assert note.startswith(f"{asked} was asked for and not used: ")
    assert "not part of this version" in note
    assert note.endswith("duckdb ran it")
    with pytest.raises(UnsupportedError, match=f"engine='{asked}' cannot run this") as caught:
        Router().choose(asked, FRAGMENT, INPUTS, {"duckdb": hook_engine}, strict=True)
    assert "'duckdb'" in str(caught.value.hint)


@pytest.mark.parametrize("strict", [True, False])
def test_a_name_of_no_engine_is_an_error(hook_engine: DuckEngine, strict: bool):
    with pytest.raises(UnsupportedError, match="There is no engine 'spark'") as caught:
        Router().choose("spark", FRAGMENT, INPUTS, {"duckdb": hook_engine}, strict=strict)
    assert "auto, duckdb, polars, dask, gpu" in str(caught.value.hint)


def test_estimates_are_bytes_over_speed():
    kinds = pa.schema(
        [
            ("a", pa.int64()),
            ("b", pa.bool_()),
            ("c", pa.string()),
            ("d", pa.decimal128(9, 2)),
            ("e", pa.list_(pa.int8())),
        ]
    )
    assert row_bytes(kinds) == 8 + 1 / 8 + 24 + 16 + 24
    assert estimated_seconds(Inputs({})) == START_SECONDS
    relation = pa.table({"a": pa.array(range(100), pa.int64())})
    assert estimated_seconds(Inputs({}, {"r": relation})) == START_SECONDS + 800 / BYTES_PER_SECOND
    assert estimated_seconds(INPUTS) == START_SECONDS + 1000 * (8 + 8 + 24) / BYTES_PER_SECOND

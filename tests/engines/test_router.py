"""The router takes what was asked for, or says why it cannot."""

from __future__ import annotations

import importlib.util

import pyarrow as pa
import pytest
from arrow_source import ArrowSource
from router_cases import Told, given_back

from luma_bench.engines.duck import DuckEngine
from luma_bench.engines.gpu import probe
from luma_bench.engines.router import Router, absence
from luma_bench.errors import EngineError, KadeQLSyntaxError, UnsupportedError
from luma_bench.plan.engine import Estimate, Fallback, Inputs, SqlFragment

FRAGMENT = SqlFragment("SELECT count(*) FROM t")
ROWS = pa.table({"a": pa.array(range(1000), pa.int64()), "s": ["x"] * 1000})


def inputs() -> Inputs:
    return Inputs({"t": ArrowSource(ROWS)})


def own(seconds: float, why: str = "") -> Told:
    """A complete engine with an estimate."""
    return Told("duckdb", complete=True, automatic=True, estimate=Estimate(seconds, 1000, why))


def test_auto_takes_the_only_engine_and_says_so(hook_engine: DuckEngine):
    choice = Router().choose("auto", FRAGMENT, inputs(), {"duckdb": hook_engine})
    assert choice.engine is hook_engine
    assert choice.reason == "embedded"
    assert choice.fallbacks == ()
    assert list(choice.estimates) == ["duckdb"]
    assert 0.001 <= choice.estimates["duckdb"] < 0.002


def test_what_is_asked_for_by_name(hook_engine: DuckEngine):
    choice = Router().choose("duckdb", FRAGMENT, inputs(), {"duckdb": hook_engine}, strict=True)
    assert (choice.engine, choice.reason, choice.fallbacks) == (hook_engine, "as asked", ())


@pytest.mark.parametrize("asked", ["polars", "dask", "gpu"])
def test_an_engine_that_is_not_there_falls_back_loudly(hook_engine: DuckEngine, asked: str):
    choice = Router().choose(asked, FRAGMENT, inputs(), {"duckdb": hook_engine})
    assert choice.engine is hook_engine
    assert choice.reason == f"instead of {asked}: {absence(asked)}"
    assert choice.fallbacks == (f"{asked} was asked for and not used: {absence(asked)}; duckdb ran it",)
    with pytest.raises(UnsupportedError, match=f"engine='{asked}' cannot run this") as caught:
        Router().choose(asked, FRAGMENT, inputs(), {"duckdb": hook_engine}, strict=True)
    assert absence(asked) in caught.value.message
    assert "'duckdb'" in str(caught.value.hint)


@pytest.mark.parametrize("strict", [True, False])
def test_a_name_of_no_engine_is_an_error(hook_engine: DuckEngine, strict: bool):
    with pytest.raises(UnsupportedError, match="There is no engine 'spark'") as caught:
        Router().choose("spark", FRAGMENT, inputs(), {"duckdb": hook_engine}, strict=strict)
    assert "auto, duckdb, polars, dask, gpu" in str(caught.value.hint)


def test_why_an_engine_is_absent(monkeypatch: pytest.MonkeyPatch):
    there = {"polars", "datafusion", "distributed"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in there else None)
    assert absence("dask") == "no cluster: open the bench with cluster=…"
    assert absence("gpu").startswith("the package cupy is not installed, and ")
    there.remove("datafusion")
    missing = "datafusion is not installed: pip install 'luma-bench[scale]'"
    assert (absence("polars"), absence("dask")) == (missing, missing)
    there.remove("distributed")
    assert absence("dask").startswith("distributed is not installed: ")


class Cupy:
    """What the router sees of cupy."""

    def __init__(self, ready: bool) -> None:
        self.cuda = self
        self.is_available = lambda: ready


def test_a_gpu_that_is_not_there(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(probe.importlib, "import_module", lambda name: Cupy(False))
    assert absence("gpu").startswith("cupy is installed and finds no CUDA device, and ")
    monkeypatch.setattr(probe.importlib, "import_module", lambda name: Cupy(True))
    assert absence("gpu") == "statements on a GPU are not part of this version"

    def broken(name: str) -> None:
        raise ImportError("libcudart.so.13: no such file")

    monkeypatch.setattr(probe.importlib, "import_module", broken)
    assert absence("gpu").startswith("cupy does not load: libcudart.so.13: no such file, and ")


def test_small_statements_ask_nobody_else():
    rival = Told("dask", automatic=True, estimate=Estimate(0.0001))
    choice = Router().choose("auto", FRAGMENT, inputs(), {"duckdb": own(0.01), "dask": rival})
    assert (choice.engine.name, choice.reason, rival.asked) == ("duckdb", "the fastest by estimate", [])


@pytest.mark.parametrize(
    ("seconds", "why", "rival", "taken"),
    [
        (2.0, "", Estimate(1.0), "dask"),
        (2.0, "", Estimate(1.5), "duckdb"),  # estimates err
        (2.0, "", Estimate(1.0, why_not="the workers are full"), "duckdb"),
        (2.0, "it would hold too much", Estimate(9.0), "dask"),
        (0.002, "it would hold too much", Estimate(9.0), "dask"),
        (2.0, "it would hold too much", Estimate(1.0, why_not="the workers too"), "duckdb"),
        (2.0, "", None, "duckdb"),
    ],
)
def test_auto_compares_time_and_memory(seconds: float, why: str, rival: Estimate | None, taken: str):
    engines = {"duckdb": own(seconds, why), "dask": Told("dask", automatic=True, estimate=rival)}
    choice = Router().choose("auto", FRAGMENT, inputs(), engines)
    assert choice.engine.name == taken
    assert choice.estimates["duckdb"] == seconds
    assert ("dask" in choice.estimates) == (rival is not None)
    if taken == "dask":
        assert choice.complete is engines["duckdb"]
        assert ("it would hold too much" in choice.reason) == bool(why)
    elif rival is not None:
        assert (rival.why_not or "dask about 1.5 s") in choice.reason


def test_auto_takes_the_best_of_several_and_never_one_that_is_not_automatic():
    engines = {
        "duckdb": own(2.0),
        "polars": Told("polars", estimate=Estimate(0.01)),
        "slow": Told("slow", automatic=True, estimate=Estimate(1.2)),
        "quick": Told("quick", automatic=True, estimate=Estimate(0.5)),
    }
    choice = Router().choose("auto", FRAGMENT, inputs(), engines)
    assert (choice.engine.name, choice.reason) == ("quick", "about 500 ms, duckdb 2.0 s")
    assert set(choice.estimates) == {"duckdb", "slow", "quick"}
    assert engines["slow"].asked == ["estimate"]


def test_auto_leaves_what_the_better_engine_cannot_run():
    engines = {
        "duckdb": own(2.0),
        "dask": Told("dask", automatic=True, estimate=Estimate(0.5), problem="it has a PIVOT"),
    }
    choice = Router().choose("auto", FRAGMENT, inputs(), engines, strict=True)
    assert (choice.engine.name, choice.reason) == (
        "duckdb",
        "the fastest by estimate: not dask, it has a PIVOT",
    )
    assert choice.fallbacks == ()


def test_by_name_when_it_cannot():
    engines = {"duckdb": own(2.0), "dask": Told("dask", problem="it has a PIVOT")}
    choice = Router().choose("dask", FRAGMENT, inputs(), engines)
    assert (choice.engine.name, choice.reason) == ("duckdb", "instead of dask: it has a PIVOT")
    with pytest.raises(UnsupportedError, match="engine='dask' cannot run this: it has a PIVOT") as caught:
        Router().choose("dask", FRAGMENT, inputs(), engines, strict=True)
    assert "ask for 'duckdb'" in str(caught.value.hint)


def test_a_wrong_text_is_told_by_the_complete_engine():
    class Wrong(Told):
        def supports(self, fragment: SqlFragment, inputs: Inputs | None = None) -> str | None:
            raise KadeQLSyntaxError("There is no column 'b'.", text=fragment.text, span=(0, 6))

    engines = {"duckdb": own(2.0), "dask": Wrong("dask")}
    choice = Router().choose("dask", FRAGMENT, inputs(), engines)
    assert choice.engine.name == "duckdb"
    assert "There is no column 'b'" in choice.reason


def test_an_installation_needs_an_engine_that_runs_everything():
    with pytest.raises(EngineError, match="None of the engines here"):
        Router().choose("auto", FRAGMENT, inputs(), {"polars": Told("polars")})


def test_a_run_that_is_given_back(hook_engine: DuckEngine):
    engines = {"duckdb": hook_engine, "dask": Told("dask", hook_engine, raises=given_back)}
    read = inputs()
    choice = Router().choose("dask", FRAGMENT, read, engines)
    assert choice.run(FRAGMENT, read).to_pylist() == [{"count_star()": 1000}]
    assert read.report.ran_on == "duckdb"
    assert read.report.reason == "instead of dask, which gave it up: the scheduler went away"
    assert read.report.fallbacks == [
        "dask gave it up while it ran: the scheduler went away; duckdb ran it again"
    ]
    strict = Router().choose("dask", FRAGMENT, inputs(), engines, strict=True)
    with pytest.raises(UnsupportedError, match="engine='dask' gave this up while it ran: the scheduler went"):
        strict.run(FRAGMENT, inputs())


@pytest.mark.parametrize("after", [None, 0])
def test_a_stream_that_is_given_back_before_its_first_row(hook_engine: DuckEngine, after: int | None):
    engines = {"duckdb": hook_engine, "dask": Told("dask", hook_engine, raises=given_back, after=after)}
    text = SqlFragment("SELECT a FROM t")
    read = inputs()
    choice = Router().choose("dask", text, read, engines)
    assert choice.stream(text, read).read_all()["a"].to_pylist() == list(range(1000))
    assert read.report.ran_on == "duckdb"
    strict = Router().choose("dask", text, inputs(), engines, strict=True)
    with pytest.raises(UnsupportedError, match="gave this up"):
        strict.stream(text, inputs()).read_all()


def test_a_stream_that_is_given_back_too_late_is_an_error(hook_engine: DuckEngine):
    engines = {"duckdb": hook_engine, "dask": Told("dask", hook_engine, raises=given_back, after=10)}
    text = SqlFragment("SELECT a FROM t")
    read = inputs()
    stream = Router().choose("dask", text, read, engines).stream(text, read)
    assert stream.read_next_batch().num_rows == 10
    with pytest.raises(EngineError, match="dask gave up after 10 rows of a stream: the scheduler went away"):
        stream.read_next_batch()
    assert read.report.fallbacks == []


def test_a_stream_of_other_columns_is_no_continuation(hook_engine: DuckEngine):
    class Other(Told):
        def stream(self, fragment: SqlFragment, inputs: Inputs) -> pa.RecordBatchReader:
            def batches():
                raise Fallback("late")
                yield

            return pa.RecordBatchReader.from_batches(pa.schema([("a", pa.string())]), batches())

    engines = {"duckdb": hook_engine, "dask": Other("dask")}
    text = SqlFragment("SELECT a FROM t")
    stream = Router().choose("dask", text, inputs(), engines).stream(text, inputs())
    with pytest.raises(EngineError, match="duckdb gives other columns than dask"):
        stream.read_all()


def test_errors_stay_errors(hook_engine: DuckEngine):
    engines = {
        "duckdb": hook_engine,
        "dask": Told("dask", hook_engine, raises=lambda: EngineError("A worker ran out of memory.")),
    }
    read = inputs()
    choice = Router().choose("dask", FRAGMENT, read, engines)
    for ask in (choice.run, choice.stream):
        with pytest.raises(EngineError, match="A worker ran out of memory"):
            ask(FRAGMENT, read)
    assert (read.report.ran_on, read.report.fallbacks) == ("", [])


def test_a_survey_asks_everybody(hook_engine: DuckEngine):
    engines = {
        "duckdb": hook_engine,
        "polars": Told("polars", estimate=Estimate(0.5, 2000, detail="one thread")),
        "dask": Told("dask", problem="it has a PIVOT", automatic=True),
        "silent": Told("silent", automatic=True),
    }
    found = {item.engine: item for item in Router().survey(FRAGMENT, inputs(), engines)}
    assert list(found) == ["duckdb", "polars", "dask", "silent", "gpu"]
    assert (found["duckdb"].seconds or 0) >= 0.001
    assert found["duckdb"].why_not == ""
    assert found["polars"].as_dict() == {
        "engine": "polars", "seconds": 0.5, "memory": 2000, "why_not": "only when asked for", "detail": "one thread",
    }  # fmt: skip
    assert found["dask"].as_dict() == {"engine": "dask", "why_not": "it has a PIVOT"}
    assert found["silent"].as_dict() == {"engine": "silent"}
    assert "not part of this version" in found["gpu"].why_not

"""Which engine answers, and that compiling in the background disturbs nobody."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from luma_bench.errors import EngineError, UnsupportedError
from luma_bench.models.graph.engines import choose


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch):
    """A process that has compiled nothing, and will not."""

    def begin() -> choose.Warming:
        held = choose.Warming()
        monkeypatch.setattr(choose, "warming", lambda: held)
        return held

    return begin


def test_numpy_answers_until_numba_is_ready(fresh, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("numba")
    held, begun = fresh(), []
    monkeypatch.setattr(held, "start", lambda: begun.append(1))

    assert choose.engine("auto", edges=10).name == "numpy"
    assert not begun
    assert choose.engine("auto", edges=1_000_000).name == "numpy"
    assert choose.engine("auto").name == "numpy"
    assert len(begun) == 2
    assert "numpy (" in choose.state()
    held.engine = choose.NumpyEngine()
    assert choose.engine("auto") is held.engine
    assert choose.engine("numba") is held.engine
    assert choose.state() == "numba"


def test_without_numba_numpy_stays(fresh, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    fresh()

    choose.warm(wait=True)

    assert choose.engine("auto").name == "numpy"
    assert choose.state() == "numpy (numba is not installed)"
    with pytest.raises(UnsupportedError, match=r"needs numba.*\n.*luma-bench\[graph\]"):
        choose.engine("numba")


def test_kernels_that_do_not_compile_are_reported(fresh, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("numba")
    fresh()

    def refuse(name: str) -> None:
        raise OSError("no such luck")

    monkeypatch.setattr(choose.importlib, "import_module", refuse)
    choose.warm(wait=True)

    assert choose.engine("auto").name == "numpy"
    assert "OSError: no such luck" in choose.state()
    with pytest.raises(EngineError, match="no such luck"):
        choose.engine("numba")


def test_an_unknown_engine_is_refused():
    with pytest.raises(UnsupportedError, match="no graph engine 'cuda'"):
        choose.engine("cuda")


def test_a_process_ends_while_kernels_are_being_compiled(tmp_path: Path):
    pytest.importorskip("numba")
    program = (
        "import sys, time\n"
        "from luma_bench.models.graph.engines import choose\n"
        "choose.warming()._wanted.set()\n"
        "choose.engine('auto')\n"
        "while 'numba' not in sys.modules: time.sleep(0.01)\n"
        "time.sleep(0.5)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={
            "NUMBA_CACHE_DIR": str(tmp_path),
            "PATH": "",
            "PYTHONPATH": str(Path(choose.__file__).parents[4]),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_kernels_are_kept_only_where_files_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    numba = pytest.importorskip("numba")
    from luma_bench.models.graph.engines.numba_compile import cache_folder, cached

    before = numba.config.CACHE_DIR
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    with cache_folder():
        assert cached()
        assert Path(numba.config.CACHE_DIR).parent == tmp_path
    assert str(tmp_path) == numba.config.CACHE_DIR
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "file"))
    with cache_folder():
        assert not cached()
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    assert not cached()
    monkeypatch.setattr(numba.config, "CACHE_DIR", before)

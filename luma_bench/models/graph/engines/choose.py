"""Which engine runs graph kernels: the compiled one once it is ready, NumPy and SciPy until then."""

from __future__ import annotations

import atexit
import functools
import importlib
import importlib.util
import threading
from typing import Literal

from luma_bench.errors import EngineError, UnsupportedError
from luma_bench.models.graph.engine import GraphEngine
from luma_bench.models.graph.engines.numpy_engine import NumpyEngine

WORTH = 20_000
"""Edges of a graph from which compiling kernels pays."""
_DELAY = 1.0
_ROOM = "luma_bench.models.graph.engines"
_MODULES = ("numba_expand", "numba_bits", "numba_search", "numba_structure", "numba_pair")


class Warming:
    """Compiles all kernels, once a process, in a daemon thread.

    Attributes
    ----------
    engine
        The compiled engine, when it is ready.
    failure
        Why there is none; None while there may be one yet.
    """

    def __init__(self) -> None:
        self.engine: GraphEngine | None = None
        self.failure: str | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self._wanted = threading.Event()
        if importlib.util.find_spec("numba") is None:
            self.failure = "numba is not installed"

    def start(self) -> None:
        """Begin, if that was not done."""
        with self._lock:
            running = self._thread is not None and self._thread.is_alive()
            if running or self.engine is not None or self.failure is not None:
                return
            self._thread = threading.Thread(target=self._compile, name="luma-graph-warming", daemon=True)
            atexit.register(self._ending.set)
            self._thread.start()

    def wait(self) -> None:
        """Begin, and come back when all is compiled, or failed."""
        self._wanted.set()
        self.start()
        if self._thread is not None:
            self._thread.join()

    def _compile(self) -> None:
        # The query that began this goes first: compiling takes turns with it for Python's lock.
        self._wanted.wait(_DELAY)
        if self._ending.is_set():
            return
        try:
            compiling = importlib.import_module(f"{_ROOM}.numba_compile")
            with compiling.cache_folder():
                for name in _MODULES:
                    for _ in compiling.compile_all(importlib.import_module(f"{_ROOM}.{name}")):
                        if self._ending.is_set():
                            return
            self.engine = importlib.import_module(f"{_ROOM}.numba_engine").NumbaEngine()
        except Exception as error:  # noqa: BLE001 -- numba raises many kinds; NumPy goes on, and `state` says why
            self.failure = f"numba cannot compile the kernels ({type(error).__name__}: {error})"


@functools.cache
def warming() -> Warming:
    """The one of this process."""
    return Warming()


@functools.cache
def _plain() -> NumpyEngine:
    return NumpyEngine()


def engine(
    name: Literal["auto", "numpy", "numba"] | str = "auto", *, edges: int | None = None
) -> GraphEngine:
    """The engine of this name.

    Parameters
    ----------
    name
        `numpy`; `numba`, which waits until its kernels are compiled; or `auto`: `numba` when it is ready, else `numpy`.
    edges
        Edges of the graph that is asked about: `auto` begins to compile for graphs of `WORTH` edges and more, and for None.

    Raises
    ------
    UnsupportedError
        There is no such engine, or numba is not installed.
    EngineError
        numba could not compile the kernels.
    """
    if name == "numpy":
        return _plain()
    held = warming()
    if name == "auto":
        if held.engine is not None:
            return held.engine
        if edges is None or edges >= WORTH:
            held.start()
        return _plain()
    if name != "numba":
        raise UnsupportedError(
            f"There is no graph engine {name!r}.", hint="The engines are: auto, numpy, numba."
        )
    held.wait()
    if held.engine is not None:
        return held.engine
    if importlib.util.find_spec("numba") is None:
        raise UnsupportedError(
            "The graph engine 'numba' needs numba, which is not installed.",
            hint="Install it with: pip install 'luma-bench[graph]'. Without it NumPy and SciPy run graphs: engine 'numpy'.",
        )
    raise EngineError(
        f"The graph engine 'numba' is not there: {held.failure}.", hint="Use the engine 'numpy'."
    )


def warm(*, wait: bool = False) -> None:
    """Begin to compile the kernels, where numba is installed; `wait` until they are ready."""
    if wait:
        warming().wait()
    else:
        warming().start()


def state() -> str:
    """What the engine `auto` stands for now, in words for a run record."""
    held = warming()
    if held.engine is not None:
        return "numba"
    return f"numpy ({held.failure or 'numba is being compiled, or was not needed yet'})"

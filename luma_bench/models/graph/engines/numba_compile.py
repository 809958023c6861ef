"""How kernels are compiled: for one signature each, without Python's lock, kept on disk where that can be written.

Modules of kernels import numba, so they are loaded only where it is installed, and by `choose` alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numba
from numba import types

_numba = cast("Any", numba)
_types = cast("Any", types)

_SIGNATURE = "luma_signature"


def _array(kind: Any, *, readonly: bool) -> Any:
    return _types.Array(kind, 1, "C", readonly=readonly)


INT = _types.int64
FLOAT = _types.float64
READ_INTS = _array(_types.int64, readonly=True)
READ_IDS = _array(_types.int32, readonly=True)
READ_ENDS = _array(_types.uint32, readonly=True)
READ_BOOLS = _array(_types.boolean, readonly=True)
READ_FLOATS = _array(_types.float64, readonly=True)
INTS = _array(_types.int64, readonly=False)
IDS = _array(_types.int32, readonly=False)
BYTES = _array(_types.uint8, readonly=False)
WORDS = _array(_types.uint64, readonly=False)
FLOATS = _array(_types.float64, readonly=False)
CSR = (READ_INTS, READ_ENDS)
"""Row bounds and neighbours: unsigned, so that no index is looked at for counting from the end."""
TABLE = (READ_INTS, READ_ENDS, READ_IDS)
"""Row bounds, neighbours and slots."""


def cached() -> bool:
    """Whether compiled kernels can be kept: numba's folder of compiled code is there, or made, and takes files."""
    folder = _numba.config.CACHE_DIR
    if not folder:
        return False
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _digest() -> str:
    """Of the sources that kernels may be made of."""
    sources = sorted(Path(__file__).parent.glob("nu*.py"))
    return hashlib.sha256(b"".join(item.read_bytes() for item in sources)).hexdigest()[:16]


@contextlib.contextmanager
def cache_folder() -> Generator[None]:
    """Kernels that are declared in the block are kept in the user's cache folder, or in the one that NUMBA_CACHE_DIR names.

    Each version of the sources has a folder of its own there: numba looks at the file of a kernel alone, not at those of the
    functions that it calls.
    """
    import platformdirs

    before = _numba.config.CACHE_DIR
    folder = Path(before or platformdirs.user_cache_path("luma-bench", appauthor=False) / "numba")
    _numba.config.CACHE_DIR = str(folder / f"luma-graph-{_digest()}")
    try:
        yield
    finally:
        _numba.config.CACHE_DIR = before


def inner[F: Callable[..., Any]](function: F) -> F:
    """A function that kernels call; compiled with them."""
    return cast("F", _numba.njit(nogil=True, inline="always")(function))


def kernel(*signature: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A function that is compiled for these types of arguments, when `compile_all` comes to it, and for no others."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        dispatcher: Any = _numba.njit(nogil=True, cache=cached())(function)
        setattr(dispatcher, _SIGNATURE, signature)
        return dispatcher

    return declare


def compile_all(module: ModuleType) -> Iterator[str]:
    """Compile the kernels of a module, or load them from disk; the name of each is given when it is ready."""
    for name, value in list(vars(module).items()):
        signature = getattr(value, _SIGNATURE, None)
        if signature is None or getattr(value, "py_func", None) is None:
            continue
        if not value.signatures:
            value.compile(signature)
            value.disable_compile()
        yield name

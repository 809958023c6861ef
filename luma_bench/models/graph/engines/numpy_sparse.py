"""SciPy's view of a CSR: the same neighbours, and row bounds of 32 bits that are made once for each CSR."""

from __future__ import annotations

import threading
import weakref
from typing import Any

import numpy as np

from luma_bench.models.graph.topology import Csr, Ids

_MOST = 2**31 - 1


class Narrow:
    """Remembers the narrow row bounds of each CSR for as long as its own bounds live; threads may share it.

    SciPy makes both index arrays of one width, and would copy int64 bounds, or the neighbours, at every call.
    """

    def __init__(self) -> None:
        self._held: dict[int, tuple[weakref.ref[Any], np.ndarray[Any, Any]]] = {}
        self._lock = threading.Lock()

    def indptr(self, csr: Csr) -> Ids:
        """The CSR's row bounds as int32.

        Raises
        ------
        OverflowError
            It has more edges than int32 counts, which slots rule out.
        """
        key = id(csr.indptr)
        with self._lock:
            held = self._held.get(key)
            if held is not None and held[0]() is csr.indptr:
                return held[1]
        if len(csr.neighbours) > _MOST:
            raise OverflowError(f"{len(csr.neighbours)} edges in one CSR")
        narrow = csr.indptr.astype(np.int32)
        with self._lock:
            self._held[key] = (weakref.ref(csr.indptr, lambda _: self._forget(key)), narrow)
        return narrow

    def matrix(
        self, csr: Csr, data: np.ndarray[Any, Any] | None = None, *, columns: int | None = None
    ) -> Any:
        """A SciPy `csr_array` over the CSR's own arrays; without data each edge weighs 1, and takes no memory."""
        from scipy.sparse import csr_array

        if data is None:
            data = np.broadcast_to(np.float64(1), len(csr.neighbours))
        shape = (csr.vertices, csr.vertices if columns is None else columns)
        return csr_array((data, csr.neighbours, self.indptr(csr)), shape=shape)

    def _forget(self, key: int) -> None:
        # Called while arrays die, perhaps inside of indptr: so without the lock. One pop is atomic.
        self._held.pop(key, None)

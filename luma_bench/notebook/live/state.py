"""What is open in a notebook, as the front end shows it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from luma_bench.errors import LumaError

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench


def state_of(bench: Bench | None, pinned: int | None) -> dict[str, Any]:
    """The message `state`.

    Parameters
    ----------
    pinned
        The snapshot that the notebook is pinned at; None where it is not.
    """
    import luma_bench

    told = None if bench is None else _bench_of(bench, pinned)
    cluster = None
    # Asking the bench for its cluster loads what speaks to one, so only a bench that was given one is asked.
    if bench is not None and told is not None and bench._machinery._cluster is not None:
        cluster = bench.cluster.name
    return {
        "type": "state",
        "bench": told,
        "engine": "auto",
        "cluster": cluster,
        "version": luma_bench.__version__,
    }


def _bench_of(bench: Bench, pinned: int | None) -> dict[str, Any] | None:
    try:
        address = bench.address
        return {
            "path": address if "://" in address else os.path.abspath(address),  # noqa: PTH100 - links stay as they are written
            "mode": "r" if bench.read_only else "a",
            "snapshot": bench.snapshot,
            "newest": bench._store.head(),
            "pinned": pinned,
            "tables": len(bench.tables()),
            "transaction": bench.in_transaction,
        }
    except LumaError:
        # Closed, or its files are gone: as good as none for a status line. A cell that asks it says why.
        return None

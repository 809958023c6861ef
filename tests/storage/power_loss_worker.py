"""The run whose power fails: a bench is made, and numbered operations done; each is acknowledged in a file beside it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from fault_worker import SETTINGS, State, after, begin, operate

from luma_bench.storage.catalog import checkpoint, sqlite
from luma_bench.storage.store import Store

REOPENED = 16
"""After so many operations the bench is closed and opened again."""


def main(root: Path, seed: int, count: int) -> None:
    # Fold the log in often, by both of the ways there are.
    checkpoint.COMMITS = 7
    sqlite.LOG_PAGES = 40
    acknowledged = os.open(root / "acknowledged", os.O_WRONLY | os.O_CREAT)
    begin(root / "b.luma")
    os.write(acknowledged, (0).to_bytes(8, "little"))
    state: State = ({}, {})
    for first in range(1, count + 1, REOPENED):
        with Store.open(root / "b.luma", settings=SETTINGS) as store:
            for n in range(first, min(first + REOPENED, count + 1)):
                operate(store, seed, n, state)
                os.write(acknowledged, n.to_bytes(8, "little"))
                state = after(seed, n, state)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

"""Builds the topology of a graph and stores it; run by `test_graph_topology_files.py`, which kills it at any moment."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pyarrow as pa
from topology_worlds import graph_of

from luma_bench.bench.graph import topologies, topology_files, topology_making
from luma_bench.models.control import Control
from luma_bench.storage.store import Store

GRAPH = graph_of({"v": ("k",)}, {"e": (("s",), "v", ("d",), "v")})


def main(folder: Path) -> None:
    topologies.STORED = topology_making.STORED = 0

    class Slow(topology_files._Summed):
        """Takes its time over every block, so that a kill meets all of them."""

        def write(self, data: object) -> int:
            time.sleep(0.002)
            return super().write(data)

    topology_files._Summed = Slow
    with Store.open(folder) as store:
        number = 0
        while True:
            number += 1
            store.write("e", pa.table({"s": [number % 50] * 40, "d": list(range(40))}), mode="append")
            held = topologies.Topologies(store)
            held.get(GRAPH, store.resolve(), Control())
            print(number, flush=True)
            held.drain()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

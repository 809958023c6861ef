"""Asks every case of every engine and writes what was found: `python tests/engines/conformance/conformance_main.py [engine …]`.

`python scripts/docs.py` then writes the table of docs/reference/engines.md. It ends 1 where an engine gave a wrong answer.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from conformance_engines import ENGINES, taking_small_tables
from conformance_run import Asker
from conformance_support import FAMILIES, entry, recorded, write
from conformance_worlds import SETTINGS, make_bench, make_peer

import luma_bench as lb

ANALYST = lb.Identity("eve", roles=("analyst",))


@contextmanager
def asking(engine: str, path: Path) -> Iterator[Asker]:
    """An asker of one engine over the bench at `path`; a cluster of two processes for the engine that needs one."""
    given: dict[str, Any] = {"cluster": "local"} if engine == "dask" else {}
    peer = make_peer()
    with lb.open(path, "r", **SETTINGS, **given) as bench:
        taking_small_tables(bench, engine)
        yield Asker(engine, bench, bench.acting_as(ANALYST), peer)
    peer.close()


def main(engines: list[str]) -> int:
    """Record the engines that are named, or all."""
    found = recorded()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "conformance.luma"
        make_bench(path)
        for engine in engines or list(ENGINES):
            found[engine] = {}
            with asking(engine, path) as asker:
                for name, family in FAMILIES.items():
                    begun, before = time.perf_counter(), asker.statements
                    outcome = asker.family(family)
                    found[engine][name] = entry(outcome)
                    wrong += len(outcome.wrong)
                    print(
                        f"{engine:10} {name:36} {len(outcome.passed):4} passed {len(outcome.refused):4} refused {len(outcome.wrong):3} wrong "
                        f"{asker.statements - before:4} statements {time.perf_counter() - begun:6.2f} s"
                    )
                    for case, problem in outcome.wrong.items():
                        print(f"    WRONG {case}: {problem[:600]}")
    write(found)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

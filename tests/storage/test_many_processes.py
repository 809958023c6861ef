"""Four processes write, three read and one compacts: every reader sees exact sums, and in the end nothing is missing.

`LUMA_LONG=1` makes the long run ten minutes.
"""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path
from typing import Any

import many_processes_worker as worker
import pytest
from many_processes_worker import BALANCE, PATIENCE, SETTINGS, begin, child, seen

from luma_bench.storage.catalog.tables import LEASE
from luma_bench.storage.store import Store

WRITERS = (1, 2, 3, 4)
LONG = 600.0 if os.environ.get("LUMA_LONG") == "1" else 120.0


@pytest.mark.parametrize("seconds", [6.0, pytest.param(LONG, marks=pytest.mark.slow)])
def test_writers_readers_and_a_compaction_side_by_side(tmp_path: Path, seconds: float) -> None:
    folder = tmp_path / "b.luma"
    begin(folder)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["many_processes_worker"])
    work: list[tuple[Any, ...]] = [("write", str(folder), number, seconds) for number in WRITERS]
    work += [("read", str(folder), mode, seconds) for mode in ("a", "a", "r")]
    work.append(("compact", str(folder), seconds))
    together = context.Barrier(len(work))
    running = [_started(context, (together, *arguments)) for arguments in work]
    results = [_result(*item, patience=seconds + 2 * PATIENCE) for item in running]
    writers, readers, compaction = results[:4], results[4:7], results[7]
    print(
        sum(item["done"] for item in writers),
        "writes,",
        readers,
        compaction,
        [w["conflicts"] for w in writers],
    )
    assert all(item["done"] for item in writers)
    assert all(item["checked"] for item in readers)
    assert compaction["runs"]
    verify(folder, writers)


def verify(folder: Path, writers: list[worker.Tally]) -> None:
    """The bench holds exactly what the writers say that they did."""
    with Store.open(folder, settings=SETTINGS) as store:
        entries, left, right, keys, values = seen(store, store.resolve())
        said = [
            (number, one) for number, tally in zip(WRITERS, writers, strict=True) for one in tally["entries"]
        ]
        assert entries == sorted([(0, 0), *said])
        own = {-1: 0}
        for tally in writers:
            own |= tally["own"]
        assert dict(zip(keys, values, strict=True)) == own
        for key in left:
            moved = sum(tally["moved"].get(key, 0) for tally in writers)
            assert (left[key], right[key]) == (BALANCE - moved, BALANCE + moved)
        report = store.check()
        assert report.ok, report.problems
        assert {note.kind for note in report.notes} <= {"pending"}, report.notes
        assert store._catalog.read(lambda connection: connection.execute(LEASE.select()).all()) == []
        store.compact(retention=0)
        assert seen(store, store.resolve())[0] == entries
        files = len(list((folder / "segments").rglob("*.zarr.zip")))
        assert files == sum(
            len(store.resolve().segments(table.id)) for table in store.resolve().tables.values()
        )
        report = store.check()
        assert report.ok, report.problems
        assert report.notes == ()


def _started(context: Any, arguments: tuple[Any, ...]) -> tuple[Any, Any]:
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=child, args=(writer, *arguments))
    process.start()
    writer.close()
    return process, reader


def _result(process: Any, reader: Any, patience: float) -> worker.Tally:
    """What a process sent before it ended."""
    assert reader.poll(patience), "a process did not end"
    result = reader.recv()
    reader.close()
    process.join(60)
    assert not isinstance(result, str), result
    assert process.exitcode == 0
    return result

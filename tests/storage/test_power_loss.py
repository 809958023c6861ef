"""The power fails at any moment: what was acknowledged is there, what was under way is there wholly or not at all.

A run is recorded on a disk that logs every change (`faulty_disk.c`); at chosen points of the log folders are made as the disk
might hold them then (`power_loss_disk.py`), and each is opened as a bench.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import faulty_disk
import pytest
from fault_worker import SETTINGS, State, after, begin, found, kind_of, operate
from faulty_disk import Event
from power_loss_disk import Disk, File, Folder

from luma_bench.errors import CatalogError, CorruptionError
from luma_bench.storage.publication import POINTER
from luma_bench.storage.remote.store import PublishedStore
from luma_bench.storage.store import Store

OPERATIONS = 60


@dataclass(frozen=True, slots=True)
class Recording:
    """A run: its folder, what it did to the disk, and which numbered operations it did."""

    root: Path
    events: list[Event]
    seed: int


def record(folder: Path, seed: int) -> Recording:
    """Run the operations on a disk that logs."""
    library = faulty_disk.build(folder)
    root = folder.resolve() / "disk"
    root.mkdir()
    arguments = (str(root), str(seed), str(OPERATIONS))
    faulty_disk.run(library, root, "power_loss_worker.py", *arguments, log=folder / "log")
    return Recording(root, list(faulty_disk.events(folder / "log")), seed)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return record(tmp_path_factory.mktemp("power"), 3)


def states(
    run: Recording, points: set[int], chance: random.Random, target: Path, lies: str | None = None
) -> Iterator[int]:
    """At each of the points, with the disk as it may be then in `target`: the last operation that was acknowledged.

    -1 stands for none. Syncs of files whose path ends in `lies` do nothing.
    """
    disk = Disk(run.root)
    acknowledged = -1
    for number, event in enumerate(run.events):
        if event.op != "S" or lies is None or not disk.name_of(event).endswith(lies):
            disk.play(event)
        if event.op == "W" and disk.name_of(event) == "acknowledged":
            acknowledged = int.from_bytes(event.data, "little")
        if number in points:
            shutil.rmtree(target, ignore_errors=True)
            disk.fail(chance, target)
            yield acknowledged


def verify(folder: Path, seed: int, acknowledged: int) -> None:
    """See that a bench holds what was acknowledged, and the operation under way wholly or not at all; and goes on."""
    if acknowledged < 0:
        being_made(folder)
        return
    state: State = ({}, {})
    for n in range(1, acknowledged + 1):
        state = after(seed, n, state)
    following = after(seed, acknowledged + 1, state)
    with Store.open(folder, mode="r", settings=SETTINGS) as reading:
        assert found(reading) in (state, following)
    with Store.open(folder, settings=SETTINGS) as store:
        assert found(store) in (state, following)
        report = store.check()
        assert report.ok, report.problems
        published_is_whole(folder, any(kind_of(seed, n) == "publish" for n in range(1, acknowledged + 1)))
        for n in (acknowledged + 1, acknowledged + 2):
            operate(store, seed, n, state)
            state = after(seed, n, state)
            assert found(store) == state
        if acknowledged % 4 == 0:
            store.compact(retention=0)
            assert found(store) == state
            assert store.check().ok


def being_made(folder: Path) -> None:
    """A bench whose making was cut off can be made: nothing of it was acknowledged."""
    if not (folder / "luma.toml").exists():
        with pytest.raises(CatalogError):
            Store.open(folder, mode="r", settings=SETTINGS)
    with Store.open(folder, settings=SETTINGS) as store:
        names = [table.name for table in store.resolve().tables.values()]
        assert names in ([], ["log"], ["log", "kv"])
        assert store.check().ok
        for name in names:
            store.drop_table(name)
    begin(folder)
    with Store.open(folder, settings=SETTINGS) as store:
        assert found(store) == ({}, {})


def published_is_whole(folder: Path, acknowledged: bool) -> None:
    """What is published can be read, all of it; and something is when that was acknowledged."""
    if not (folder / POINTER).exists():
        assert not acknowledged
        return
    with PublishedStore.open_folder(folder, SETTINGS) as published:
        assert published.check().ok
        found(published)


def test_no_loss_of_power_loses_or_halves_a_commit(recording: Recording, tmp_path: Path) -> None:
    chance = random.Random(1)
    points = set(chance.sample(range(len(recording.events)), 20))
    for acknowledged in states(recording, points, chance, tmp_path / "failed"):
        verify(tmp_path / "failed" / "b.luma", recording.seed, acknowledged)


@pytest.mark.parametrize("lies", [".zarr.zip", "-wal", "segments/1"])
def test_a_sync_left_out_would_be_found(recording: Recording, tmp_path: Path, lies: str) -> None:
    chance = random.Random(2)
    points = set(range(len(recording.events) // 2, len(recording.events), 100))
    with pytest.raises((AssertionError, CatalogError, CorruptionError)):  # noqa: PT012 - one of the states
        for acknowledged in states(recording, points, chance, tmp_path / "failed", lies):
            verify(tmp_path / "failed" / "b.luma", recording.seed, acknowledged)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_hundreds_of_losses_of_power(seed: int, tmp_path: Path) -> None:
    run = record(tmp_path, 100 + seed)
    chance = random.Random(seed)
    points = set(chance.sample(range(len(run.events)), 150))
    for acknowledged in states(run, points, chance, tmp_path / "failed"):
        verify(tmp_path / "failed" / "b.luma", run.seed, acknowledged)


def test_the_log_tells_everything(recording: Recording) -> None:
    disk = Disk(recording.root)
    for event in recording.events:
        disk.play(event)
    there = [path for path in recording.root.rglob("*") if path.is_file()]
    assert disk.whole() == {path.relative_to(recording.root).as_posix(): path.read_bytes() for path in there}


def test_what_is_not_synced_can_be_lost() -> None:
    folder, file = Folder(), File()
    folder.change({"a": file})
    file.write(0, b"x" * 1000)
    file.sync()
    file.write(500, b"y" * 1000)
    left = [file.left(random.Random(seed)) for seed in range(200)]
    assert b"x" * 1000 in left
    assert b"x" * 500 + b"y" * 1000 in left
    assert any(b"x" * 512 in data and b"y" in data for data in left)  # the second sector came first
    assert all(data[:500] == b"x" * 500 for data in left)
    assert {len(folder.left(random.Random(seed))) for seed in range(50)} == {0, 1}
    folder.sync()
    assert folder.left(random.Random(0)) == {"a": file}

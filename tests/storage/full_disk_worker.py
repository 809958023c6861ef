"""Operations on a disk that gets full, or fails to sync, at one place after the other; run by `test_full_disk.py`.

The disk is `faulty_disk.c`, under this whole process; every place begins on a fresh copy of the same bench.
"""

from __future__ import annotations

import ctypes
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from fault_worker import SETTINGS, State, after, begin, found, kind_of, operate

from luma_bench.errors import LumaError
from luma_bench.storage.evolve import AddColumn
from luma_bench.storage.store import Store

SEED = 5
BEFORE = 40
"""Operations that are done before the one that the disk fails."""
PLENTY = 1 << 40


class Disk:
    """The disk under this process."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._library.faulty_disk_allow.argtypes = (ctypes.c_longlong,)
        self._library.faulty_disk_fail_sync.argtypes = (ctypes.c_longlong,)
        self._library.faulty_disk_left.restype = ctypes.c_longlong

    def room(self, nbytes: int) -> None:
        """Let files grow by so much from now on; -1 for all they like."""
        self._library.faulty_disk_allow(nbytes)

    def left(self) -> int:
        """The room that is left."""
        return self._library.faulty_disk_left()

    def fail_sync(self, number: int) -> None:
        """Let the sync of this number from now fail."""
        self._library.faulty_disk_fail_sync(number)


@dataclass(frozen=True, slots=True)
class Act:
    """One operation: what does it, and the state of the numbered tables after it."""

    name: str
    do: Callable[[Store], object]
    following: State


def acts(state: State) -> Iterator[Act]:
    """One operation of every kind, on the state after `BEFORE`."""
    kinds: set[str] = set()
    for n in range(BEFORE + 1, BEFORE + 200):
        kind = kind_of(SEED, n)
        if kind not in kinds:
            kinds.add(kind)
            yield Act(kind, lambda store, n=n: operate(store, SEED, n, state), after(SEED, n, state))
    big = {"a": list(range(5_000)), "b": [f"value {i}" for i in range(5_000)]}
    yield Act("create big", lambda store: store.write("other", big, token="other"), state)
    yield Act("alter", lambda store: store.alter("log", AddColumn("more", pa.int64())), state)
    yield Act("drop", lambda store: store.drop_table("spare"), state)
    yield Act("tag", lambda store: store.tag("a name"), state)


def template(folder: Path) -> State:
    """The bench on which every operation begins, closed."""
    begin(folder)
    state: State = ({}, {})
    with Store.open(folder, settings=SETTINGS) as store:
        store.write("spare", {"a": list(range(3_000))})
        for n in range(1, BEFORE + 1):
            operate(store, SEED, n, state)
            state = after(SEED, n, state)
        for _ in range(3):  # something to collect
            store.write("spare", {"a": list(range(3_000))}, mode="replace")
    return state


def explained(error: LumaError) -> int:
    """One failure, which says what to do."""
    assert error.hint, error
    return 1


def as_before(folder: Path, store: Store, state: State) -> None:
    """Reading goes on, in the store that is open and in one that is opened now."""
    assert found(store) == state
    with Store.open(folder, mode="r", settings=SETTINGS) as reading:
        assert found(reading) == state


def goes_on(folder: Path, store: Store, act: Act) -> None:
    """The operation is done, nothing is wrong and nothing left over, and the next one succeeds."""
    assert found(store) == act.following, act.name
    report = store.check()
    assert report.ok, (act.name, report.problems)
    assert {note.kind for note in report.notes} <= {"pending"}, (act.name, report.notes)
    # To give a lease back takes room, too: one may stay until it runs out.
    assert sum(lease.kind != "publish" for lease in store._catalog.leases()) <= 1
    before = store.head()
    store.write("log", {"n": [-1], "i": [0]}, mode="append")
    assert store.head() == before + 1
    drafts = [path for path in folder.rglob(".*") if not path.name.endswith("lock")]
    assert drafts == [], drafts


def fill(
    disk: Disk, bench: Path, scratch: Path, act: Act, state: State, places: int, chance: random.Random
) -> int:
    """Let the disk get full at several places of an operation; how many times it failed."""
    with opened(bench, scratch) as store:
        disk.room(PLENTY)
        act.do(store)
        needed = PLENTY - disk.left()
        disk.room(-1)
    drawn = {0, needed - 1, *(chance.randrange(max(1, needed)) for _ in range(places))}
    failed = 0
    for room in sorted(drawn):
        with opened(bench, scratch) as store:
            disk.room(room)
            try:
                act.do(store)
            except LumaError as error:
                failed += explained(error)
                as_before(scratch, store, state)
                disk.room(-1)
                act.do(store)
            finally:
                disk.room(-1)
            goes_on(scratch, store, act)
        with Store.open(scratch, settings=SETTINGS) as store:
            assert store.check().ok
    return failed


def unsynced(disk: Disk, bench: Path, scratch: Path, act: Act, state: State, places: int) -> int:
    """Let one sync after the other fail; how many times the operation failed."""
    failed = 0
    for number in range(1, places + 1):
        with opened(bench, scratch) as store:
            disk.fail_sync(number)
            try:
                act.do(store)
            except LumaError as error:
                failed += explained(error)
                as_before(scratch, store, state)
                disk.fail_sync(0)
                act.do(store)
            finally:
                disk.fail_sync(0)
            goes_on(scratch, store, act)
    return failed


def opened(bench: Path, scratch: Path) -> Store:
    """A fresh copy of the bench, open."""
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(bench, scratch)
    return Store.open(scratch, settings=SETTINGS)


def making(disk: Disk, folder: Path) -> int:
    """Let the disk get full while a bench is made; how many times that failed."""
    failed = 0
    for room in (0, 1, 20, 150, 200, 4_000, 5_000, 20_000, 60_000, 100_000, 150_000):
        shutil.rmtree(folder, ignore_errors=True)
        disk.room(room)
        try:
            Store.open(folder, settings=SETTINGS).close()
        except LumaError as error:
            failed += explained(error)
        disk.room(-1)
        begin(folder)
        with Store.open(folder, settings=SETTINGS) as store:
            assert found(store) == ({}, {})
            assert store.check().ok
    return failed


def main(root: Path, mode: str, places: int) -> None:
    disk = Disk()
    if mode == "making":
        print("making", making(disk, root / "made"))
        return
    state = template(root / "template")
    chance = random.Random(places)
    for act in acts(state):
        if mode == "full":
            failed = fill(disk, root / "template", root / "scratch", act, state, places, chance)
        else:
            failed = unsynced(disk, root / "template", root / "scratch", act, state, places)
        print(act.name, failed, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))

"""What four writers, three readers and a compacting process do on one bench, and what each of them must see.

Whatever is committed keeps these sums: `ledger` adds up to nothing, and every entry of it is whole; the balances of `left`
and `right` add up to what they began with.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute

from luma_bench.config import Settings
from luma_bench.errors import ConflictError, SnapshotExpired
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.store import Store

pc: Any = pyarrow.compute

SETTINGS = Settings(
    inline_bytes=6_000, shard_rows=1_000, chunk_rows=256, key_chunk_rows=128, threads=1, author="w"
)
ACCOUNTS = 40
BALANCE = 1_000
TOTAL = 2 * ACCOUNTS * BALANCE
PATIENCE = 120.0
ROUNDS = 2
"""What every process does at the least, however busy the machine is."""

Row = tuple[int, int]
Tally = dict[str, Any]


class Running:
    """True for so many seconds from when it is first asked, and until so many rounds were done."""

    def __init__(self) -> None:
        self._began: float | None = None

    def __call__(self, seconds: float, rounds: int) -> bool:
        if self._began is None:
            self._began = time.monotonic()
        return rounds < ROUNDS or time.monotonic() < self._began + seconds


def begin(folder: Path) -> None:
    with Store.open(folder, settings=SETTINGS) as store:
        store.write("ledger", {"writer": [0], "entry": [0], "amount": [0]})
        accounts = {"k": list(range(ACCOUNTS)), "balance": [BALANCE] * ACCOUNTS}
        store.write("left", accounts, primary_key="k")
        store.write("right", accounts, primary_key="k")
        store.write("own", {"k": [-1], "v": [0]}, primary_key="k")


def entry(writer: int, number: int) -> dict[str, list[int]]:
    """The rows of a ledger entry: few or many, adding up to nothing."""
    rows = 1_600 if number % 5 == 3 else 4
    amounts = [(i + 1) * (1 if i % 2 else -1) for i in range(rows)]
    amounts[-1] -= sum(amounts)
    return {"writer": [writer] * rows, "entry": [number] * rows, "amount": amounts}


def write(folder: str, writer: int, seconds: float) -> Tally:
    """Append, delete, upsert and move amounts until the time is over; what this writer did, as the bench must show it."""
    chance = random.Random(writer)
    entries: set[int] = set()
    own: dict[int, int] = {}
    moved: dict[int, int] = {}
    conflicts = number = 0
    running = Running()
    with Store.open(folder, settings=SETTINGS) as store:
        while running(seconds, number):
            number += 1
            match chance.choice(("append", "append", "upsert", "delete", "move", "move")):
                case "append":
                    store.write("ledger", entry(writer, number), mode="append")
                    entries.add(number)
                case "upsert":
                    keys = [writer * 1_000 + k for k in chance.sample(range(300), chance.choice((3, 250)))]
                    data = {"k": keys, "v": [number] * len(keys)}
                    conflicts += _retried(lambda data=data: store.write("own", data, mode="upsert"))
                    own |= dict.fromkeys(keys, number)
                case "delete" if entries:
                    gone = chance.choice(sorted(entries))
                    conflicts += _retried(lambda gone=gone: _delete(store, writer, gone))
                    entries.remove(gone)
                case "move":
                    # The accounts of all writers: the same ones on purpose, now and then.
                    key, amount = chance.randrange(ACCOUNTS), chance.randrange(1, 50)
                    conflicts += _retried(lambda key=key, amount=amount: _move(store, key, amount))
                    moved[key] = moved.get(key, 0) + amount
    return {"entries": entries, "own": own, "moved": moved, "conflicts": conflicts, "done": number}


def _retried(work: Callable[[], object]) -> int:
    """Do the work until nobody else was faster; how many times somebody was."""
    lost = 0
    while True:
        try:
            work()
            return lost
        except (
            ConflictError,
            SnapshotExpired,
        ):  # the base of a transaction is leased only once it stores a file
            lost += 1


def _delete(store: Store, writer: int, number: int) -> None:
    with store.begin() as transaction:
        held = store.scan(transaction.view(), "ledger").read(["_rowid", "writer", "entry"])
        mine = pc.and_(pc.equal(held["writer"], writer), pc.equal(held["entry"], number))
        rows = held.filter(mine)["_rowid"].to_numpy()
        assert len(rows) == len(entry(writer, number)["entry"])
        transaction.delete("ledger", np.asarray(rows))


def _move(store: Store, key: int, amount: int) -> None:
    with store.begin() as transaction:
        for table, change in (("left", -amount), ("right", amount)):
            balance = balances(store, transaction.view(), table)[key] + change
            transaction.write(table, {"k": [key], "balance": [balance]}, mode="upsert")


def balances(store: Store, view: ResolvedSnapshot, table: str) -> dict[int, int]:
    held = store.scan(view, table).read(["k", "balance"])
    assert held.num_rows == ACCOUNTS
    return dict(zip(held["k"].to_pylist(), held["balance"].to_pylist(), strict=True))


def seen(store: Store, view: ResolvedSnapshot) -> tuple[Any, ...]:
    """What a snapshot shows, checked for what always holds."""
    ledger = store.scan(view, "ledger").read(["writer", "entry", "amount"])
    assert pc.sum(ledger["amount"]).as_py() == 0
    groups = (
        ledger.group_by(["writer", "entry"]).aggregate([("amount", "count"), ("amount", "sum")]).to_pylist()
    )
    for group in groups:
        if group["writer"]:
            assert group["amount_count"] == len(entry(group["writer"], group["entry"])["entry"])
            assert group["amount_sum"] == 0
    left, right = balances(store, view, "left"), balances(store, view, "right")
    assert sum(left.values()) + sum(right.values()) == TOTAL
    assert all(left[k] + right[k] == 2 * BALANCE for k in left)
    own = store.scan(view, "own").read(["k", "v"]).sort_by("k")
    assert len(set(own["k"].to_pylist())) == own.num_rows == view.rows("own")
    entries = sorted((group["writer"], group["entry"]) for group in groups)
    return entries, left, right, own["k"].to_pylist(), own["v"].to_pylist()


def read(folder: str, mode: str, seconds: float) -> Tally:
    """Check one snapshot after the other, each twice; a reader that may write pins what it reads by a lease."""
    checked = expired = head = 0
    running = Running()
    with Store.open(folder, mode=mode, settings=SETTINGS) as store:
        while running(seconds, checked):
            try:
                if mode == "r":
                    view = store.resolve()
                    first = seen(store, view)
                    again = store.resolve(view.id)
                    assert seen(store, again) == first
                else:
                    view = store.resolve()
                    lease = store._catalog.take_lease(view.id, "read")
            except SnapshotExpired:  # it was not held when somebody let go of it
                expired += 1
                continue
            if mode != "r":
                with lease:  # nothing that happens now takes it away
                    first = seen(store, view)
                    time.sleep(0.05)
                    assert seen(store, store.resolve(view.id)) == first
            assert view.id >= head
            head = view.id
            checked += 1
    return {"checked": checked, "expired": expired}


def compact(folder: str, seconds: float) -> Tally:
    """Compact all the time, and every other time let go of every snapshot that nobody holds."""
    runs = 0
    running = Running()
    with Store.open(folder, settings=SETTINGS) as store:
        while running(seconds, runs):
            report = store.compact(retention=0 if runs % 2 else None)
            assert not report.warnings, report.warnings
            runs += 1
            time.sleep(0.05)
    return {"runs": runs}


def child(connection: Any, together: Any, work: str, *arguments: Any) -> None:
    """One of the processes, which begin together; it sends what it did, or what went wrong."""
    import traceback

    try:
        together.wait(PATIENCE)
        connection.send(globals()[work](*arguments))
    except BaseException:
        connection.send(traceback.format_exc())
        raise

"""What a process does that may be killed at any moment: numbered operations, each with a token, on one bench.

The state after operation n is known without running it, so whoever opens the bench after a kill can tell whether every
operation that was acknowledged is there, and the one that was under way is there wholly or not at all.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.storage.store import Store

SETTINGS = Settings(
    inline_bytes=3_000, shard_rows=1_000, chunk_rows=256, key_chunk_rows=128, threads=1, author="w"
)
KINDS = (
    "append",
    "append big",
    "upsert",
    "upsert big",
    "delete",
    "transaction",
    "compact",
    "collect",
    "publish",
)

State = tuple[dict[int, int], dict[int, int]]
"""Rows of `log` by the operation that wrote them; the value of each key of `kv`."""


def kind_of(seed: int, n: int) -> str:
    return random.Random(seed * 1_000_003 + n).choice(KINDS)


def after(seed: int, n: int, state: State) -> State:
    """The state when operation n is done on `state`."""
    log, kv = dict(state[0]), dict(state[1])
    kind = kind_of(seed, n)
    if kind in ("append", "append big", "transaction"):
        log[n] = 1_500 if kind == "append big" else 3
    if kind in ("upsert", "upsert big", "transaction"):
        kv |= dict.fromkeys(keys_of(seed, n), n)
    if kind == "delete" and log:
        log.pop(victim(seed, n, log))
    return log, kv


def keys_of(seed: int, n: int) -> list[int]:
    drawn = random.Random(seed + n * 7)
    return drawn.sample(range(6_000), 1_200 if kind_of(seed, n) == "upsert big" else 5)


def victim(seed: int, n: int, log: dict[int, int]) -> int:
    return random.Random(seed + n).choice(sorted(log))


def begin(folder: Path) -> None:
    with Store.open(folder, settings=SETTINGS) as store:
        store.write("log", pa.table({"n": pa.array([], pa.int64()), "i": pa.array([], pa.int64())}))
        store.write(
            "kv", pa.table({"k": pa.array([], pa.int64()), "v": pa.array([], pa.int64())}), primary_key="k"
        )


def operate(store: Store, seed: int, n: int, state: State) -> None:
    """Operation n; doing it again changes nothing."""
    kind, token = kind_of(seed, n), f"{seed}-{n}"
    log = {
        "n": [n] * after(seed, n, state)[0].get(n, 0),
        "i": list(range(after(seed, n, state)[0].get(n, 0))),
    }
    match kind:
        case "append" | "append big":
            store.write("log", log, mode="append", token=token)
        case "upsert" | "upsert big":
            keys = keys_of(seed, n)
            store.write("kv", {"k": keys, "v": [n] * len(keys)}, mode="upsert", token=token)
        case "transaction":
            keys = keys_of(seed, n)
            with store.begin(token=token) as transaction:
                transaction.write("log", log, mode="append")
                transaction.write("kv", {"k": keys, "v": [n] * len(keys)}, mode="upsert")
        case "delete" if state[0]:
            held = store.scan(store.resolve(), "log").read(["_rowid", "n"])
            rows = held["_rowid"].to_numpy()[held["n"].to_numpy() == victim(seed, n, state[0])]
            store.delete("log", np.asarray(rows), token=token)
        case "compact":
            store.compact()
        case "collect":
            store.compact(retention=0)
        case "publish":
            store.publish()


def found(store: Store) -> State:
    """The state that a bench shows; a row that is not whole, or there twice, is an error."""
    view = store.resolve()
    log = store.scan(view, "log").read(["n", "i"])
    counts: dict[int, int] = {}
    for n, i in zip(log["n"].to_pylist(), log["i"].to_pylist(), strict=True):
        counts[n] = counts.get(n, 0) + 1
        assert i < 1_500
    assert len(set(zip(log["n"].to_pylist(), log["i"].to_pylist(), strict=True))) == log.num_rows
    kv = store.scan(view, "kv").read(["k", "v"])
    held = dict(zip(kv["k"].to_pylist(), kv["v"].to_pylist(), strict=True))
    assert len(held) == kv.num_rows == view.rows("kv")
    return counts, held


def work(folder: str, seed: int, first: int, state: State, acknowledge: int) -> None:
    """Operate for ever, writing 8 bytes for every operation that returned."""
    with Store.open(folder, settings=SETTINGS) as store:
        os.write(acknowledge, (0).to_bytes(8, "little"))
        n = first
        while True:
            operate(store, seed, n, state)
            os.write(acknowledge, n.to_bytes(8, "little"))
            state = after(seed, n, state)
            n += 1


def child(connection: Any, folder: str, seed: int, first: int, state: State) -> None:
    """`work` in a process of its own."""
    work(folder, seed, first, state, connection.fileno())

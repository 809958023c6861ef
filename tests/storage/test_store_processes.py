"""Several processes on one bench, and processes that die in the middle of a write."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from backends import on_both

from luma_bench.config import Settings
from luma_bench.storage.store import Store

pytestmark = on_both
SETTINGS = Settings(inline_bytes=3_000, shard_rows=1_000, threads=1)

# Writes for ever, alternately inline rows and segments, and prints the token of every write that returned.
WRITER = """
import os, sys
from luma_bench.config import Settings
from luma_bench.storage.store import Store
store = Store.open(sys.argv[1], settings=Settings(inline_bytes=3_000, shard_rows=1_000, threads=1))
name, limit = sys.argv[2], int(sys.argv[3])
for n in range(limit):
    rows = 2_500 if n % 4 == 1 else 2
    token = f"{name}-{n}"
    store.write("t", {"w": [name] * rows, "n": [n] * rows}, mode="append", token=token)
    os.write(1, (token + "\\n").encode())
store.close()
"""


def writer(folder: Path, name: str, limit: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), name, str(limit)], stdout=subprocess.PIPE, text=True
    )


def counts(store: Store, at: int | None = None) -> dict[tuple[str, int], int]:
    table = store.scan(store.resolve(at), "t").read()
    found: dict[tuple[str, int], int] = {}
    for row in zip(table["w"].to_pylist(), table["n"].to_pylist(), strict=True):
        found[row] = found.get(row, 0) + 1
    return found


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "b.luma", settings=SETTINGS) as store:
        store.write("t", {"w": ["first"], "n": [0]})
    return tmp_path / "b.luma"


def whole(found: dict[tuple[str, int], int]) -> bool:
    """Whether every write that is there at all is there with all of its rows."""
    return all(
        count == (1 if name == "first" else 2_500 if n % 4 == 1 else 2) for (name, n), count in found.items()
    )


def test_processes_write_side_by_side_and_readers_see_whole_writes(bench: Path) -> None:
    running = [writer(bench, name, 12) for name in ("a", "b")]
    with Store.open(bench, mode="r", settings=SETTINGS) as reader:
        while any(process.poll() is None for process in running):
            assert whole(counts(reader))
            time.sleep(0.02)
        for process in running:
            assert process.stdout is not None
            assert len(process.stdout.read().split()) == 12
            process.stdout.close()
            assert process.returncode == 0
        found = counts(reader)
        assert {key for key in found if key[0] != "first"} == {(name, n) for name in "ab" for n in range(12)}
        assert whole(found)
        assert len(reader.snapshots()) == 26
        for at in range(2, 27):
            assert whole(counts(reader, at))
        report = reader.check()
        assert report.ok, report.problems
        assert not report.notes


def test_threads_share_a_store(bench: Path) -> None:
    with Store.open(bench, settings=SETTINGS) as store:
        failures: list[BaseException] = []

        def work(name: str) -> None:
            try:
                for n in range(15):
                    rows = 2_500 if n % 4 == 1 else 2
                    store.write("t", {"w": [name] * rows, "n": [n] * rows}, mode="append")
                    assert whole(counts(store))
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(counts(store)) == 46
        ids = store.scan(store.resolve(), "t").read(["_rowid"])["_rowid"].to_pylist()
        assert sorted(ids) == list(range(len(ids)))
        assert store.check().ok


def test_processes_that_make_one_bench_at_once_all_succeed(tmp_path: Path) -> None:
    code = (
        "import sys; from luma_bench.config import load; from luma_bench.storage.store import Store\n"
        "with Store.open(sys.argv[1], settings=load(None)) as store: print(store.head())"
    )
    folder = tmp_path / "new.luma"
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [process.communicate()[0] for process in running] == ["1\n"] * 3
    with Store.open(folder) as store:
        assert len(store.snapshots()) == 1


def killed_writers(bench: Path, times: int, seed: int) -> set[str]:
    """Start a writer and kill it, several times; the tokens of the writes that had returned."""
    chance = random.Random(seed)
    acknowledged: set[str] = set()
    for number in range(times):
        process = writer(bench, f"w{seed}x{number}", 10_000)
        assert process.stdout is not None
        acknowledged.add(process.stdout.readline().strip())
        time.sleep(chance.random() * 0.2)
        os.kill(process.pid, signal.SIGKILL)
        acknowledged |= {line for line in process.stdout.read().split("\n")[:-1] if line}
        process.wait()
        process.stdout.close()
    return acknowledged


@pytest.mark.parametrize("times", [4, pytest.param(60, marks=pytest.mark.slow)])
def test_what_a_killed_writer_was_told_is_there_and_nothing_is_half(bench: Path, times: int) -> None:
    acknowledged = killed_writers(bench, times, seed=times)
    with Store.open(bench, mode="r", settings=SETTINGS) as reader:
        assert whole(counts(reader))
    with Store.open(bench, settings=SETTINGS) as store:
        found = counts(store)
        assert whole(found)
        assert {item.token for item in store.snapshots()} >= acknowledged
        assert {f"{name}-{n}" for name, n in found} >= acknowledged
        report = store.check()
        assert report.ok, report.problems
        assert all("No snapshot lists" in note.text for note in report.notes)
        store.write("t", {"w": ["after"], "n": [0]}, mode="append")
        assert counts(store)["after", 0] == 1

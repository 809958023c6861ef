"""Processes that are killed at a random moment of a random operation: no acknowledged commit is lost, none is half there."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import fault_worker
import pytest
from fault_worker import SETTINGS, State, after, begin, child, found, operate

from luma_bench.storage.store import Store

KILLS = 8


def run(folder: Path, kills: int, seed: int) -> None:
    begin(folder)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fault_worker"])
    drawn = random.Random(seed)
    state: State = ({}, {})
    done = 1
    for _ in range(kills):
        reader, writer = context.Pipe(duplex=False)
        process = context.Process(target=child, args=(writer, str(folder), seed, done, state))
        process.start()
        writer.close()
        acknowledged = _killed(process, reader.fileno(), drawn.expovariate(6))
        reader.close()
        for n in range(done, acknowledged + 1):
            state = after(seed, n, state)
        done = max(done, acknowledged + 1)
        state, done = _verified(folder, seed, done, state)


def _killed(process: multiprocessing.process.BaseProcess, stream: int, delay: float) -> int:
    """Kill the process `delay` seconds after it is ready; the last operation that it acknowledged."""
    last = int.from_bytes(os.read(stream, 8), "little")
    until = time.monotonic() + delay
    os.set_blocking(stream, False)
    data = b""
    while time.monotonic() < until and process.is_alive():
        time.sleep(min(0.005, max(0.0, until - time.monotonic())))
    assert process.is_alive(), "the worker ended by itself"
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    while chunk := _read(stream):
        data += chunk
    for start in range(0, len(data) - 7, 8):
        last = int.from_bytes(data[start : start + 8], "little")
    return last


def _read(stream: int) -> bytes:
    try:
        return os.read(stream, 1 << 16)
    except BlockingIOError:
        return b""


def _verified(folder: Path, seed: int, done: int, state: State) -> tuple[State, int]:
    """See that the bench is as before the operation under way or as after it, and do that operation (again)."""
    following = after(seed, done, state)
    with Store.open(folder, mode="r", settings=SETTINGS) as reading:
        assert found(reading) in (state, following)
    with Store.open(folder, settings=SETTINGS) as store:
        assert found(store) in (state, following)
        report = store.check()
        assert report.ok, report.problems
        operate(store, seed, done, state)
        assert found(store) == following
    return following, done + 1


def test_no_kill_loses_or_halves_a_commit(tmp_path: Path) -> None:
    run(tmp_path / "b.luma", KILLS, 11)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_two_hundred_kills(tmp_path: Path, seed: int) -> None:
    run(tmp_path / "b.luma", 50, 1_000 + seed)


def test_the_model_is_the_bench(tmp_path: Path) -> None:
    begin(tmp_path / "b.luma")
    state: State = ({}, {})
    with Store.open(tmp_path / "b.luma", settings=SETTINGS) as store:
        for n in range(1, 60):
            operate(store, 5, n, state)
            state = after(5, n, state)
            assert found(store) == state, fault_worker.kind_of(5, n)

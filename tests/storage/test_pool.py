"""The buffer pool: a budget that holds, what is used again stays, each thing loaded once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import ClosedError
from luma_bench.storage.pool import BufferPool


def loads(value: Any, nbytes: int, seen: list[Any] | None = None) -> Callable[[], tuple[Any, int]]:
    def load() -> tuple[Any, int]:
        if seen is not None:
            seen.append(value)
        return value, nbytes

    return load


@settings(deadline=None, max_examples=80)
@given(
    budget=st.integers(0, 60),
    steps=st.lists(st.tuples(st.integers(0, 12), st.integers(1, 25), st.booleans()), max_size=80),
)
def test_the_budget_always_holds_and_values_are_always_right(
    budget: int, steps: list[tuple[int, int, bool]]
) -> None:
    pool = BufferPool(budget, 1)
    sizes: dict[int, int] = {}
    for key, size, peek in steps:
        if peek:
            assert pool.peek((key,)) in (None, f"value {key}")
        else:
            size = sizes.setdefault(key, size)
            assert pool.get((key,), loads(f"value {key}", size)) == f"value {key}"
        assert pool.nbytes <= budget
        held = [key for key in sizes if (key,) in pool._once or (key,) in pool._often]
        assert pool.nbytes == sum(sizes[key] for key in held)
        assert pool._often_bytes == sum(sizes[key] for key in sizes if (key,) in pool._often)
        assert len(pool) == len(held)
    pool.close()
    assert (pool.nbytes, len(pool)) == (0, 0)


def test_what_is_used_least_recently_leaves_first() -> None:
    pool = BufferPool(100, 1)
    for key in ("a", "b", "c", "d"):
        pool.get((key,), loads(key, 25))
    for key in ("c", "a"):
        assert pool.peek((key,)) == key
    pool.get(("e",), loads("e", 25))
    pool.get(("f",), loads("f", 25))
    assert [key for key in "abcdef" if (key,) in pool._once or (key,) in pool._often] == ["a", "c", "e", "f"]
    pool.peek(("e",))
    pool.peek(("f",))
    pool.get(("g",), loads("g", 25))
    assert pool.peek(("c",)) is None
    assert pool.peek(("g",)) == "g"


def test_one_large_scan_does_not_flush_what_is_used_often() -> None:
    pool = BufferPool(100, 1)
    for _ in range(2):
        for key in range(5):
            pool.get(("hot", key), loads(key, 10))
    for key in range(1000):
        pool.get(("scan", key), loads(key, 10))
    assert pool.peek_all([("hot", key) for key in range(5)]) == [0, 1, 2, 3, 4]
    assert pool.peek_all([("hot", 0), ("scan", 0)]) is None


def test_an_entry_beyond_the_budget_is_handed_out_and_not_kept() -> None:
    pool = BufferPool(10, 1)
    pool.get(("small",), loads("small", 10))
    assert pool.get(("large",), loads("large", 11)) == "large"
    assert pool.peek(("large",)) is None
    assert pool.peek(("small",)) == "small"


def test_many_threads_load_once() -> None:
    pool = BufferPool(100, 1)
    seen: list[Any] = []
    go, results = threading.Barrier(8), list[Any]()

    def load() -> tuple[Any, int]:
        seen.append(1)
        time.sleep(0.02)
        return "value", 1

    def ask() -> None:
        go.wait()
        results.append(pool.get(("key",), load))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["value"] * 8
    assert seen == [1]
    assert not pool._loading


def test_an_error_reaches_everyone_who_waits_and_does_not_poison_the_key() -> None:
    pool = BufferPool(100, 1)
    begun, release, caught = threading.Event(), threading.Event(), list[str]()

    def fails() -> tuple[Any, int]:
        begun.set()
        release.wait(5)
        raise OSError("broken")

    def ask(load: Callable[[], tuple[Any, int]]) -> None:
        try:
            pool.get(("key",), load)
        except OSError as error:
            caught.append(str(error))

    first = threading.Thread(target=ask, args=(fails,))
    first.start()
    begun.wait(5)
    second = threading.Thread(target=ask, args=(loads("not called", 1),))
    second.start()
    while second.is_alive() and not pool._loading:
        time.sleep(0.001)
    time.sleep(0.02)
    release.set()
    first.join()
    second.join()
    assert caught == ["broken", "broken"]
    assert pool.get(("key",), loads("fine", 1)) == "fine"


def test_submitted_work_runs_on_named_threads_and_errors_come_back() -> None:
    pool = BufferPool(0, 2)
    assert pool.result(pool.submit(lambda: threading.current_thread().name)).startswith("luma-decode")
    with pytest.raises(ZeroDivisionError):
        pool.result(pool.submit(lambda: 1 // 0))
    pool.close()


def test_a_closed_pool_refuses_work_and_keeps_nothing() -> None:
    others = set(threading.enumerate())
    pool = BufferPool(100, 1)
    begun, release = threading.Event(), threading.Event()

    def blocks() -> str:
        begun.set()
        release.wait(5)
        return "done"

    running = pool.submit(blocks)
    begun.wait(5)
    waiting = pool.submit(lambda: "never")
    closer = threading.Thread(target=pool.close)
    closer.start()
    while not pool._closed:
        time.sleep(0.001)
    with pytest.raises(ClosedError, match="closed"):
        pool.submit(lambda: 1)
    while not waiting.cancelled():
        time.sleep(0.001)
    with pytest.raises(ClosedError, match="closed"):
        pool.result(waiting)
    release.set()
    closer.join()
    assert pool.result(running) == "done"
    assert pool.get(("key",), loads("still answered", 1)) == "still answered"
    assert len(pool) == 0
    pool.close()
    left = set(threading.enumerate()) - others
    assert not [thread for thread in left if thread.name.startswith("luma-decode")]


def test_clear_drops_every_entry() -> None:
    pool = BufferPool(100, 1)
    pool.get(("a",), loads("a", 10))
    pool.clear()
    assert (pool.nbytes, len(pool), pool.peek(("a",))) == (0, 0, None)

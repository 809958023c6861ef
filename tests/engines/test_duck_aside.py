"""A blocking call of the main thread runs aside, and a signal reaches the main thread meanwhile."""

from __future__ import annotations

import gc
import signal
import threading
import time

import pytest

from luma_bench.engines.duck_aside import AsideThread


def aside_threads() -> int:
    return sum(thread.name == "luma-aside" for thread in threading.enumerate())


def wait_for_threads(count: int) -> None:
    deadline = time.monotonic() + 10
    while aside_threads() > count:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_gives_back_values_and_errors_of_another_thread():
    aside = AsideThread()
    names = {aside.call(lambda: threading.current_thread().name, lambda: None) for _ in range(3)}
    assert names == {"luma-aside"}
    error = LookupError("x")

    def fail() -> None:
        raise error

    with pytest.raises(LookupError) as caught:
        aside.call(fail, lambda: None)
    assert caught.value is error
    aside.close()


def test_outside_of_the_main_thread_nothing_is_handed_over():
    seen: list[str] = []
    thread = threading.Thread(
        target=lambda: seen.append(AsideThread().call(lambda: threading.current_thread().name, lambda: None)),
        name="other",
    )
    thread.start()
    thread.join()
    assert seen == ["other"]


def test_the_thread_ends_with_its_owner():
    gc.collect()
    before = aside_threads()
    aside = AsideThread()
    aside.call(lambda: 1, lambda: None)
    assert aside_threads() == before + 1
    aside.close()
    wait_for_threads(before)
    aside.call(lambda: 1, lambda: None)
    del aside
    gc.collect()
    wait_for_threads(before)


def test_a_signal_stops_the_call_and_is_raised():
    aside = AsideThread()
    stopped = threading.Event()
    timer = threading.Timer(0.1, signal.raise_signal, (signal.SIGINT,))
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        aside.call(lambda: stopped.wait(30), stopped.set)
    assert stopped.is_set()
    assert time.monotonic() - started < 10
    timer.join()
    assert aside.call(lambda: 5, lambda: None) == 5


def test_a_handler_may_ask_while_the_main_thread_waits():
    aside = AsideThread()
    answers: list[int] = []
    go = threading.Event()
    old = signal.signal(
        signal.SIGINT, lambda *_: (answers.append(aside.call(lambda: 7, lambda: None)), go.set())
    )
    try:
        timer = threading.Timer(0.1, signal.raise_signal, (signal.SIGINT,))
        timer.start()
        assert aside.call(lambda: go.wait(30), go.set)
        timer.join()
    finally:
        signal.signal(signal.SIGINT, old)
    assert answers == [7]


def test_nothing_of_a_finished_call_is_kept():
    import weakref

    class Big:
        pass

    aside = AsideThread()
    ref = weakref.ref(aside.call(Big, lambda: None))
    deadline = time.monotonic() + 10
    while ref() is not None:
        gc.collect()
        assert time.monotonic() < deadline
        time.sleep(0.005)

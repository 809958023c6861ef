"""Ctrl-C during a statement, with engines that stop, that are deaf at first, and that compute in C."""

import os
import signal
import threading
import time

import duckdb
import pytest

from luma_bench.bench.interrupt import interruptible
from luma_bench.errors import CancelledError


class Counting:
    """A bench that notices cancels."""

    def __init__(self) -> None:
        self.cancels = 0
        self.stopped = threading.Event()

    def cancel(self) -> int:
        self.cancels += 1
        self.stopped.set()
        return 1


class Deaf(Counting):
    """A bench that never stops."""

    def cancel(self) -> int:
        self.cancels += 1
        return 0


class Duck:
    """A query that runs in C, without a Python bytecode, for minutes."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()

    def cancel(self) -> int:
        self.connection.interrupt()
        return 1

    def run(self) -> None:
        self.connection.execute(
            "SELECT count(*) FROM range(3000000) a, range(3000000) b WHERE a.range * b.range % 7 = 3"
        ).fetchall()


def interrupt_soon(seconds: float = 0.2) -> None:
    threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()


def test_a_quiet_block_changes_nothing():
    before = signal.getsignal(signal.SIGINT), threading.active_count()
    bench = Counting()
    with interruptible(bench):
        pass
    assert bench.cancels == 0
    assert (signal.getsignal(signal.SIGINT), threading.active_count()) == before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_query_in_c_stops():
    duck = Duck()
    started = time.perf_counter()
    interrupt_soon()
    with pytest.raises(CancelledError), interruptible(duck):
        duck.run()
    assert time.perf_counter() - started < 5


def test_the_engines_own_error_becomes_cancelled():
    bench = Counting()
    interrupt_soon()

    def fail_when_stopped() -> None:
        bench.stopped.wait(30)
        raise RuntimeError("INTERRUPT Error")

    with pytest.raises(CancelledError, match="Cancelled after"), interruptible(bench):
        fail_when_stopped()


def test_an_error_without_an_interrupt_stays():
    with pytest.raises(RuntimeError, match="other"), interruptible(Counting()):
        raise RuntimeError("other")


def test_python_code_that_does_not_stop_is_interrupted():
    def compute() -> None:
        for _ in range(3000):
            time.sleep(0.01)

    interrupt_soon()
    with pytest.raises(CancelledError), interruptible(Deaf()):
        compute()


def test_an_interrupt_is_never_lost():
    bench = Counting()
    interrupt_soon()
    with pytest.raises(CancelledError, match="just as the statement had finished"), interruptible(bench):
        bench.stopped.wait(30)


def test_an_event_loops_wakeup_socket_is_told_and_put_back():
    import socket

    read, write = socket.socketpair()
    write.setblocking(False)
    signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
    try:
        bench = Counting()
        interrupt_soon()
        with pytest.raises(CancelledError), interruptible(bench):
            bench.stopped.wait(30)
        read.settimeout(5)
        assert signal.SIGINT in read.recv(16)
    finally:
        assert signal.set_wakeup_fd(-1) == write.fileno()
        read.close()
        write.close()


def test_another_thread_runs_the_block_as_it_is():
    done: list[bool] = []

    def work() -> None:
        with interruptible(Counting()):
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]

"""Memory of large answers is given back after they end, once, and never by small ones."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pyarrow as pa
import pytest

from luma_bench.engines import duck_memory
from luma_bench.engines.duck_memory import Trimmer, system_trim


class Trimmed:
    """Counts the calls, and tells of the first."""

    def __init__(self) -> None:
        self.calls = 0
        self.called = threading.Event()

    def __call__(self, pad: int) -> int:
        assert pad == 0
        self.calls += 1
        self.called.set()
        return 1


@pytest.fixture
def trimmed(monkeypatch: pytest.MonkeyPatch) -> Trimmed:
    monkeypatch.setattr(duck_memory, "LARGE", 8_000)
    monkeypatch.setattr(duck_memory, "PAUSE", 0.05)
    return Trimmed()


def answer(rows: int) -> pa.Table:
    return pa.table({"a": np.arange(rows)})


def test_a_large_answer_is_trimmed_after_its_end(trimmed: Trimmed) -> None:
    memory = Trimmer(trimmed)
    made = answer(1_000)
    held = memory.watched(made)
    assert held is made
    gc.collect()
    assert trimmed.calls == 0
    del made, held
    assert trimmed.called.wait(10)
    assert trimmed.calls == 1


def test_answers_that_end_together_are_trimmed_once(trimmed: Trimmed) -> None:
    memory = Trimmer(trimmed)
    held = [memory.watched(answer(1_000)) for _ in range(20)]
    held.clear()
    assert trimmed.called.wait(10)
    assert trimmed.calls == 1


def test_a_small_answer_is_not_watched(trimmed: Trimmed) -> None:
    memory = Trimmer(trimmed)
    made = memory.watched(answer(999))
    del made
    assert not trimmed.called.wait(0.2)


def test_the_system_has_it_or_not() -> None:
    trim = system_trim()
    assert trim is None or trim(0) in (0, 1)

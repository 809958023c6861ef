"""What this machine does in a second, measured once and kept: the figures that estimates are made of.

A file in the user's cache folder keeps them for one machine and one set of library versions. One that cannot be read, or is
of another shape, is measured anew and written again: it is never a reason for a query to fail.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from luma_bench.config import Settings
from luma_bench.types.record import bytes_text

_COPIED = 24 << 20
"""Bytes that a round copies, of all threads together: more than a core's own caches hold."""
_ROWS = 1 << 17
"""Values that are filtered and summed: a chunk's."""
_COPIERS = 4
_BUDGET = 0.04
"""Seconds that measuring is to take; a machine that is busy takes longer for the first rounds."""
_ROUNDS = 3
_COPY = 16e9
"""A typical memory bandwidth."""
_CORE = 29e9
"""The speed of the core that the figures in `engines/costs.py` were fitted on."""
_SCANNED = 1e10
"""Decoded column bytes that such a core streams through a filter of the embedded engine in a second."""
_LOWEST, _HIGHEST = 1e8, 1e13
"""What no machine is below or above: a clock that was set meanwhile."""
_FORMAT = "calibration 1"

Source = Literal["measured", "kept", "typical"]


@dataclass(frozen=True, slots=True)
class Figures:
    """How fast this machine is.

    Attributes
    ----------
    memory_bandwidth
        Bytes that are copied in a second, by as many threads as it takes up to four.
    core_speed
        Bytes of plain columns that one core filters and sums in a second.
    cores
        Cores that this process may use.
    source
        Whether they were `measured` by this process, `kept` by an earlier one, or are `typical`: nobody measured yet.
    """

    memory_bandwidth: float = _COPY
    core_speed: float = _CORE
    cores: int = 1
    source: Source = "typical"

    @property
    def text(self) -> str:
        """The figures for people."""
        said = {
            "measured": "measured now",
            "kept": "measured before",
            "typical": "typical figures, nothing was worth measuring yet",
        }[self.source]
        memory, core = bytes_text(int(self.memory_bandwidth)), bytes_text(int(self.core_speed))
        return (
            f"memory {memory}/s, a core {core}/s, {self.cores} core{'' if self.cores == 1 else 's'} ({said})"
        )

    @property
    def pace(self) -> float:
        """A core's speed as a multiple of the one that costs were fitted on."""
        return self.core_speed / _CORE

    @property
    def scan_bandwidth(self) -> float:
        """Decoded column bytes that one core streams through a filter of the embedded engine in a second."""
        return min(_SCANNED * self.pace, self.memory_bandwidth)


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: what it was measured on, and the figures."""

    machine: str
    versions: str
    memory_bandwidth: float
    core_speed: float


class Calibration:
    """The figures of this process: from the file, else typical ones until somebody needs them measured. Thread-safe.

    Parameters
    ----------
    settings
        Where the cache folder is.
    measure
        What measures: memory bandwidth and core speed.
    """

    def __init__(self, settings: Settings, measure: Callable[[], tuple[float, float]] | None = None) -> None:
        self._settings = settings
        self._measure = measure or measured
        self._lock = threading.Lock()
        self._figures: Figures | None = None

    @property
    def known(self) -> Figures:
        """The figures without measuring: those of the file, else typical ones."""
        found = self._figures
        if found is None:
            with self._lock:
                found = self._figures = self._figures or self._read() or Figures(cores=usable_cores())
        return found

    def figures(self) -> Figures:
        """The figures, measured now (some 40 ms) where no file had them."""
        found = self.known
        if found.source != "typical":
            return found
        with self._lock:
            if self._figures is None or self._figures.source == "typical":
                bandwidth, speed = self._measure()
                self._figures = Figures(bandwidth, speed, usable_cores(), "measured")
                self._write(self._figures)
            return self._figures

    @property
    def path(self) -> Path:
        """The file."""
        key = hashlib.sha256(f"{machine()}\n{versions()}".encode()).hexdigest()[:16]
        return self._settings.effective_cache_dir / f"calibration-{key}.json"

    def _read(self) -> Figures | None:
        try:
            kept = msgspec.json.decode(self.path.read_bytes(), type=_Kept)
        except (OSError, msgspec.DecodeError):
            return None  # nobody measured yet, or the file is damaged and will be written anew
        right = kept.machine == machine() and kept.versions == versions()
        if not right or not (_plausible(kept.memory_bandwidth) and _plausible(kept.core_speed)):
            return None
        return Figures(kept.memory_bandwidth, kept.core_speed, usable_cores(), "kept")

    def _write(self, figures: Figures) -> None:
        kept = _Kept(machine(), versions(), figures.memory_bandwidth, figures.core_speed)
        path = self.path
        own = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            own.write_bytes(msgspec.json.encode(kept))
            own.replace(path)
        except OSError:
            # A folder that cannot be written costs the next process its 40 ms, and doctor says that nothing is kept.
            if own.exists():
                own.unlink(missing_ok=True)


def measured() -> tuple[float, float]:
    """Memory bandwidth and core speed, in bytes a second, from as many rounds as fit into some 40 ms."""
    end = time.perf_counter() + _BUDGET
    speed = _core_speed(end - 0.7 * _BUDGET)
    return _memory_bandwidth(end), speed


def _core_speed(end: float) -> float:
    """A filter and a sum over two columns of a chunk, which a core's own cache holds for the most part."""
    values = np.arange(_ROWS, dtype=np.float64)
    keys = values.astype(np.int64) % 1000
    taken: list[float] = []
    while True:
        start = time.perf_counter()
        float(values[keys < 500].sum())
        now = time.perf_counter()
        taken.append(now - start)
        if now > end and len(taken) >= _ROUNDS:
            return _undisturbed(values.nbytes + keys.nbytes, taken)


def _memory_bandwidth(end: float) -> float:
    """Copies of arrays that no cache holds, side by side."""
    threads = min(_COPIERS, usable_cores())
    size = _COPIED // threads
    pairs = [(np.empty(size, np.uint8), np.ones(size, np.uint8)) for _ in range(threads)]
    taken: list[float] = []
    with ThreadPoolExecutor(threads, thread_name_prefix="luma-calibrate") as pool:
        list(pool.map(_copied, pairs))  # the first touch of fresh memory is the system's work
        while True:
            start = time.perf_counter()
            list(pool.map(_copied, pairs))
            now = time.perf_counter()
            taken.append(now - start)
            if now > end and len(taken) >= _ROUNDS:
                return _undisturbed(_COPIED, taken)


def _copied(pair: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]) -> None:
    np.copyto(*pair)


def _undisturbed(nbytes: int, taken: list[float]) -> float:
    """Bytes a second of a round that nothing disturbed: a quick one, not the quickest."""
    return min(max(nbytes / max(sorted(taken)[len(taken) // 4], 1e-9), _LOWEST), _HIGHEST)


def _plausible(figure: float) -> bool:
    return _LOWEST <= figure <= _HIGHEST


def usable_cores() -> int:
    """Cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


@functools.cache
def machine() -> str:
    """What tells this machine from others that share its user's folder."""
    return f"{platform.system()} {platform.machine()} {platform.node()} {processor()} {usable_cores()} cores"


def versions() -> str:
    """The versions of what the figures were measured with; another one measures anew."""
    return f"{_FORMAT}, python {sys.version.split()[0]}, numpy {np.__version__}, {sys.byteorder}-endian"


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", errors="replace")
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))
    return next(named, platform.processor())

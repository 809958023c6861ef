"""What a figure was measured on: machine, disk, versions."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

LIBRARIES = (
    "duckdb",
    "pyarrow",
    "zarr",
    "numcodecs",
    "pcodec",
    "numpy",
    "pandas",
    "polars",
    "dask",
    "ibis-framework",
    "sqlglot",
    "SQLAlchemy",
    "tpchgen-cli",
    "scipy",
    "numba",
    "networkx",
    "igraph",
    "networkit",
    "ladybug",
)


def describe(folder: Path) -> dict[str, Any]:
    """Machine, disk under `folder`, and library versions, as plain values for JSON."""
    import luma_bench

    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(memory_bytes() / 1e9, 1),
        "load_average": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "disk_fdatasync_ms": round(fdatasync_p50(folder) * 1e3, 3),
        "luma_bench": luma_bench.__version__,
        "commit": commit(),
        "sqlglot_compiled": sqlglot_compiled(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "measured": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def cpu_model() -> str:
    """The processor's name as the system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or platform.machine()
    return platform.processor() or platform.machine()


def memory_bytes() -> int:
    """Physical memory in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def fdatasync_p50(folder: Path, calls: int = 60) -> float:
    """Median seconds of writing 4 KiB to a file under `folder` and `fdatasync`: the floor of any durable commit."""
    sync = getattr(os, "fdatasync", os.fsync)
    seconds: list[float] = []
    with tempfile.NamedTemporaryFile(dir=folder, prefix="fdatasync-") as file:
        for _ in range(calls):
            started = time.perf_counter()
            os.write(file.fileno(), bytes(4096))
            sync(file.fileno())
            seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def sqlglot_compiled() -> bool:
    """Whether sqlglot's tokenizer is the compiled one; it is about five times as fast."""
    spec = importlib.util.find_spec("sqlglot.tokenizer_core")
    return spec is not None and spec.origin is not None and not spec.origin.endswith(".py")


def version(name: str) -> str:
    """The installed version of a distribution."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def commit() -> str:
    """The commit of the working tree, with `+` when it has changes; empty outside of a repository."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parent,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found.stdout.strip()

"""`luma-bench doctor`: what this machine has, how fast it is, which engines can run here, and how a bench is."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from luma_bench.cli.options import examples

commands = typer.Typer()

_LIBRARIES = (
    "luma-bench",
    "duckdb",
    "pyarrow",
    "zarr",
    "numcodecs",
    "pcodec",
    "sqlalchemy",
    "sqlglot",
    "numpy",
    "pandas",
    "polars",
)
_OPTIONAL = (
    "datafusion",
    "distributed",
    "numba",
    "networkx",
    "jupyterlab",
    "plotly",
    "cupy-cuda13x",
    "cupy-cuda12x",
    "cudf-polars-cu13",
    "cudf-polars-cu12",
)
_WRITTEN = 32 << 20
"""Bytes that are written and read back to see how fast a disk is."""


@commands.command(
    epilog=examples(
        "luma-bench doctor", "luma-bench doctor --bench tour.luma", "luma-bench doctor --json > machine.json"
    )
)
def doctor(
    bench: Annotated[
        str | None, typer.Option("--bench", "-b", metavar="PATH", help="Look at this bench too.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what this machine has: versions, memory, speed, which engines can run and why others cannot."""
    found = examined(bench)
    if json:
        import json as writer

        print(writer.dumps(found, indent=2, ensure_ascii=False))
    else:
        print("\n".join(report_lines(found)))


def examined(bench: str | None = None) -> dict[str, Any]:
    """Everything that `doctor` says, under the keys of its JSON. Sizes are in bytes, speeds in bytes a second."""
    from luma_bench import config
    from luma_bench.engines.calibrate import Calibration

    settings = config.load(None)
    calibration = Calibration(settings)
    # Asked for here: whoever calls the doctor wants to know.
    figures = calibration.figures()
    return {
        "machine": _machine(settings),
        "versions": {name: _version(name) for name in (*_LIBRARIES, *_OPTIONAL)},
        "engines": engines(),
        "figures": {
            "memory_bandwidth": int(figures.memory_bandwidth),
            "core_speed": int(figures.core_speed),
            "scan_bandwidth": int(figures.scan_bandwidth),
            "source": figures.source,
            "file": str(calibration.path) if calibration.path.is_file() else None,
        },
        **({} if bench is None else {"bench": _bench(bench)}),
    }


def engines() -> dict[str, str | None]:
    """By the name of each engine why it cannot run here; None for one that can."""
    from luma_bench.engines.router import absence

    found: dict[str, str | None] = {"duckdb": _embedded(), "point": None, "statistics": None}
    found |= {name: _needed(*packages) for name, packages in _NEEDS.items()}
    return found | {"gpu": absence("gpu"), "numba": _needed("numba", extra="graph")}


_NEEDS: Mapping[str, tuple[str, ...]] = {
    "polars": ("polars", "datafusion"),
    "dask": ("distributed", "datafusion"),
}
_REMARKS: Mapping[str, str] = {
    "point": "rows by primary key",
    "statistics": "counts and bounds without a scan",
    "polars": "engine='polars'",
    "dask": "with lb.open(path, cluster='local'), an address or a client",
    "numba": "compiled graph kernels",
}


def report_lines(found: Mapping[str, Any]) -> list[str]:
    """What `examined` found, for people."""
    from luma_bench.cli.listing import aligned
    from luma_bench.types.record import bytes_text

    machine, figures = found["machine"], found["figures"]
    disk: Mapping[str, Any] = machine["disk"]
    speed = (
        disk["problem"]
        if "problem" in disk
        else f"writes {bytes_text(disk['write'])}/s, reads {bytes_text(disk['read'])}/s, {bytes_text(disk['free'])} free"
    )
    rows = [
        ("python", f"{machine['python']} ({machine['system']})"),
        ("processor", machine["processor"] or "unknown"),
        ("cores", f"{machine['cores']}, {machine['usable_cores']} of them for this process"),
        ("threads", str(machine["threads"])),
        ("memory", f"{bytes_text(machine['memory'])}, {bytes_text(machine['memory_free'])} free"),
        ("memory for queries", bytes_text(machine["memory_limit"])),
        ("memory for decoded columns", bytes_text(machine["pool"])),
        (f"disk at {disk['path']}", speed),
        ("memory speed", f"{bytes_text(figures['memory_bandwidth'])}/s copied"),
        (
            "core speed",
            f"{bytes_text(figures['core_speed'])}/s filtered and summed, {bytes_text(figures['scan_bandwidth'])}/s scanned",
        ),
        ("speeds kept in", figures["file"] or "nowhere: the cache folder cannot be written"),
    ]
    rows += [
        (name, version or "not installed")
        for name, version in found["versions"].items()
        if version or name in _LIBRARIES
    ]
    told = [
        ("engine", "can it run here"),
        *((name, _told(name, problem)) for name, problem in found["engines"].items()),
    ]
    lines = [*aligned(rows), "", *aligned(told)]
    if "bench" in found:
        lines += ["", *_bench_lines(found["bench"])]
    return lines


def _told(name: str, problem: str | None) -> str:
    if problem is not None:
        return f"no: {problem}"
    return f"yes: {_REMARKS[name]}" if name in _REMARKS else "yes"


def _bench_lines(found: Mapping[str, Any]) -> list[str]:
    from luma_bench.cli.listing import aligned
    from luma_bench.types.record import bytes_text

    rows = [("bench", str(found["path"]))]
    if "format" in found:
        rows.append(("format", str(found["format"])))
    if "tables" in found:
        rows += [
            ("tables", f"{found['tables']:,}"),
            ("snapshots", f"{found['snapshots']:,}"),
            ("size", "unknown" if found["nbytes"] is None else bytes_text(found["nbytes"])),
        ]
    problems: Sequence[str] = found["problems"]
    rows.append(
        ("problems", "none found (luma-bench check reads every byte)" if not problems else str(len(problems)))
    )
    return [*aligned(rows), *(f"  {problem}" for problem in problems)]


def _machine(settings: Any) -> dict[str, Any]:
    from luma_bench.engines.calibrate import processor, usable_cores

    memory, free = _memory()
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "usable_cores": usable_cores(),
        "threads": settings.effective_threads,
        "memory": memory,
        "memory_free": free,
        "memory_limit": settings.effective_memory_limit,
        "pool": settings.effective_pool_bytes,
        "disk": disk_speed(Path(settings.spill_dir or tempfile.gettempdir())),
    }


def _memory() -> tuple[int, int]:
    """Physical memory, and what of it is free or can be freed at once; 0 where the system does not say."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        memory, free = os.sysconf("SC_PHYS_PAGES") * page, os.sysconf("SC_AVPHYS_PAGES") * page
    except (ValueError, OSError, AttributeError):
        return 0, 0
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return memory, free
    available = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), "")
    return memory, int(available) * 1024 if available.isdigit() else free


def disk_speed(folder: Path) -> dict[str, Any]:
    """How fast a file of 32 MB is written through to the disk, and read back past the system's cache where it lets one.

    Keys are `path`, `free`, `write` and `read`; `problem` in their place where the folder cannot be written.
    """
    told: dict[str, Any] = {"path": str(folder)}
    block = os.urandom(1 << 20)
    try:
        told["free"] = shutil.disk_usage(folder).free
        with tempfile.NamedTemporaryFile(dir=folder, prefix="luma-doctor-") as file:
            start = time.perf_counter()
            for _ in range(_WRITTEN >> 20):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
            told["write"] = int(_WRITTEN / (time.perf_counter() - start))
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            start = time.perf_counter()
            file.seek(0)
            while file.read(1 << 20):
                pass
            told["read"] = int(_WRITTEN / (time.perf_counter() - start))
    except OSError as error:
        return {"path": str(folder), "problem": f"cannot be written: {error.strerror or error}"}
    return told


def _embedded() -> str | None:
    """Why the embedded engine does not start; asked by starting it."""
    from luma_bench import config
    from luma_bench.engines.duck import DuckEngine
    from luma_bench.errors import LumaError

    try:
        engine = DuckEngine(config.load(None))
    except LumaError as error:
        return error.message
    engine.close()
    return None


def _needed(*packages: str, extra: str = "scale") -> str | None:
    """Which of these packages is not there, and how to have it."""
    missing = next((name for name in packages if importlib.util.find_spec(name) is None), None)
    return None if missing is None else f"{missing} is not installed: pip install 'luma-bench[{extra}]'"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _bench(given: str) -> dict[str, Any]:
    """A bench's format, its size and what a quick check of it finds."""
    from luma_bench import config
    from luma_bench.cli.session import open_bench
    from luma_bench.errors import LumaError

    path: Path | str = given if "://" in given else Path(given).expanduser()
    found: dict[str, Any] = {"path": str(path), "problems": []}
    try:
        if isinstance(path, Path) and (path / "luma.toml").is_file():
            found["format"] = config.read_toml(path).get("format")
        with open_bench(path, "r") as opened:
            found |= {
                "tables": len(opened.tables()),
                "snapshots": len(opened.snapshots()),
                "nbytes": _size(path) if isinstance(path, Path) else None,
            }
            found["problems"] = [problem.text for problem in opened.check(deep=False).problems]
    except LumaError as error:
        # What is wrong with it is the answer.
        found["problems"].append(str(error))
    return found


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())

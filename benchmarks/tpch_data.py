"""TPC-H: the eight tables as Parquet from `tpchgen-cli`, and the 22 texts with their validation parameters."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TABLES = ("region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem")
QUERIES = Path(__file__).parent / "tpch_queries"
NAMES = tuple(f"q{number:02}" for number in range(1, 23))

TOTALLY_ORDERED = frozenset({
    "q01", "q02", "q04", "q07", "q08", "q09", "q12", "q13", "q15", "q16", "q20", "q21", "q22",
})  # fmt: skip
"""The queries whose ORDER BY decides every row's place; the others are compared as multisets."""


def text(name: str) -> str:
    """The text of a query, `q01` to `q22`."""
    return (QUERIES / f"{name}.sql").read_text("utf-8")


def generate(scale: float, folder: Path) -> dict[str, Path]:
    """The Parquet file of every table at a scale factor; generated once, whole or not at all.

    Parameters
    ----------
    scale
        1 is 6,001,215 lineitem rows, about 350 MB.
    folder
        Holds one folder for each scale factor.
    """
    home = folder / f"tpch-{scale:g}"
    if not home.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=folder, prefix="tpch-unfinished-"))
        try:
            command = [
                _generator(),
                "parquet",
                "--scale-factor",
                f"{scale:g}",
                "--output-dir",
                str(unfinished),
                "--quiet",
            ]
            subprocess.run(command, check=True)
            unfinished.rename(home)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    return {table: home / f"{table}.parquet" for table in TABLES}


def _generator() -> str:
    """The command next to this Python, else on PATH."""
    beside = Path(sys.executable).parent / "tpchgen-cli"
    found = str(beside) if beside.exists() else shutil.which("tpchgen-cli")
    if found is None:
        raise FileNotFoundError("tpchgen-cli is not installed; `make setup` installs it")
    return found

"""Folders that may not be written: what is published there, and benches whose writer is open or has crashed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import published_cases as cases
import pytest

import luma_bench as lb
from luma_bench.storage.remote.store import PublishedStore
from luma_bench.storage.store import Store


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, cases.Answers]:
    folder = tmp_path_factory.mktemp("published") / "b.luma"
    return folder, cases.make(folder)


@pytest.fixture
def bench(original: tuple[Path, cases.Answers], tmp_path: Path) -> Path:
    return Path(shutil.copytree(original[0], tmp_path / "b.luma"))


@pytest.fixture
def expected(original: tuple[Path, cases.Answers]) -> cases.Answers:
    return original[1]


def opened(folder: Path) -> PublishedStore:
    return PublishedStore.open_folder(folder, cases.SETTINGS)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# Reads every table and says what it saw, in a process that may not write into the folder.
READER = """
import sys
import luma_bench as lb
from luma_bench.errors import LumaError
try:
    with lb.open(sys.argv[1], mode="r") as bench:
        print(bench.kadeql("SELECT count(*) AS n, sum(n) AS s FROM big").to_arrow().to_pylist())
except LumaError as error:
    print(type(error).__name__, error)
"""

# Without these two capabilities permission bits bind root too; a new program gets what is left of them.
UNPRIVILEGED = """
import ctypes, os, sys
for capability in (1, 2):
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
os.execv(sys.executable, [sys.executable, "-B", *sys.argv[1:]])
"""


@pytest.fixture
def locked(bench: Path) -> Iterator[Path]:
    """The bench in a folder where nothing can be written."""
    for path in (bench, *bench.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield bench
    for path in (bench, *bench.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def seen_by_a_reader(folder: Path) -> str:
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-c", UNPRIVILEGED, "-c", READER, str(folder)]
        environment = {**os.environ, "HOME": home, "PYTHONPATH": str(Path(lb.__file__).parents[1])}
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=60, check=False
        )
        assert not done.stderr, done.stderr
        return done.stdout.strip()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_that_may_not_be_written_is_read(locked: Path) -> None:
    before = names(locked)
    assert seen_by_a_reader(locked) == answer_of(locked)
    assert names(locked) == before


def answer_of(folder: Path) -> str:
    with lb.open(folder, mode="r") as bench:
        return str(bench.kadeql("SELECT count(*) AS n, sum(n) AS s FROM big").to_arrow().to_pylist())


def test_beside_a_writer_a_folder_that_may_not_be_written_is_read(bench: Path) -> None:
    with Store.open(bench, settings=cases.SETTINGS) as writer:
        writer.write("big", {"n": [10], "x": [1.0], "s": ["s"], "l": [[1]]}, mode="append")
        for path in bench.iterdir():
            path.chmod(0o555 if path.is_dir() else 0o444)
        bench.chmod(0o555)
        try:
            assert seen_by_a_reader(bench) == answer_of(bench)
        finally:
            bench.chmod(0o755)


def test_after_a_crash_the_log_is_read_in_a_folder_that_may_not_be_written(
    bench: Path, tmp_path: Path
) -> None:
    with Store.open(bench, settings=cases.SETTINGS) as writer:
        writer.write("big", {"n": [10], "x": [1.0], "s": ["s"], "l": [[1]]}, mode="append")
        crashed = Path(shutil.copytree(bench, tmp_path / "crashed.luma"))
        wanted = answer_of(bench)
    assert (crashed / "catalog.sqlite-wal").stat().st_size
    for path in crashed.iterdir():
        path.chmod(0o555 if path.is_dir() else 0o444)
    crashed.chmod(0o555)
    try:
        assert seen_by_a_reader(crashed) == wanted
        crashed.chmod(0o755)
        (crashed / "catalog.sqlite-shm").unlink()
        crashed.chmod(0o555)
        assert seen_by_a_reader(crashed).startswith("CatalogError")
        assert "catalog.sqlite-wal" in seen_by_a_reader(crashed)
    finally:
        crashed.chmod(0o755)

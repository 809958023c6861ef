"""Running a process on the disk of `faulty_disk.c`, and reading what it logged."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
_HEAD = struct.Struct("<ciqII")


@dataclass(frozen=True, slots=True)
class Event:
    """One change that a process made: what, the descriptor, a number (flags, offset or size), a path, data."""

    op: str
    descriptor: int
    number: int
    path: str
    data: bytes


def missing() -> str | None:
    """Why there can be no faulty disk here; None where there can."""
    if not sys.platform.startswith("linux"):
        return "the library that stands before the disk is written for Linux"
    if shutil.which("cc") is None:
        return "there is no C compiler (cc)"
    return None


def build(folder: Path) -> Path:
    """The library, compiled into a folder; the test is skipped, loudly, where that cannot be."""
    why = missing()
    if why is not None:
        pytest.skip(f"NO FAULTY DISK: {why}")
    library = folder / "faulty_disk.so"
    command = [
        "cc",
        "-shared",
        "-fPIC",
        "-O1",
        "-o",
        str(library),
        str(HERE / "faulty_disk.c"),
        "-ldl",
        "-lpthread",
    ]
    subprocess.run(command, check=True)
    return library


def run(library: Path, root: Path, script: str, *arguments: str, log: Path | None = None) -> str:
    """Run a script of this folder on the faulty disk, for everything under `root`; what it printed."""
    environment = {
        **os.environ,
        "LD_PRELOAD": str(library),
        "FAULTY_DISK_ROOT": str(root.resolve()),
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1])]),
        **({} if log is None else {"FAULTY_DISK_LOG": str(log)}),
    }
    done = subprocess.run(
        [sys.executable, str(HERE / script), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def events(log: Path) -> Iterator[Event]:
    """What was logged, in order."""
    data = log.read_bytes()
    at = 0
    while at < len(data):
        op, descriptor, number, path, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        name = os.fsdecode(data[at : at + path])
        at += path
        yield Event(op.decode(), descriptor, number, name, data[at : at + length])
        at += length

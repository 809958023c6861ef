"""A disk that is full at any byte, or fails to sync, fails the call: with an error that says so, and nothing half-written."""

from __future__ import annotations

from pathlib import Path

import faulty_disk
import pytest

KINDS = 13
"""The nine kinds of numbered operations, and a big table made, a table altered and one dropped, a tag."""


def run(folder: Path, mode: str, places: int) -> dict[str, int]:
    """How many times each operation failed."""
    root = folder / "disk"
    root.mkdir()
    said = faulty_disk.run(
        faulty_disk.build(folder), root, "full_disk_worker.py", str(root), mode, str(places)
    )
    return {name: int(count) for name, count in (line.rsplit(" ", 1) for line in said.splitlines())}


@pytest.mark.parametrize("places", [1, pytest.param(60, marks=pytest.mark.slow)])
def test_a_full_disk_fails_the_call_and_the_bench_goes_on(tmp_path: Path, places: int) -> None:
    failed = run(tmp_path, "full", places)
    assert len(failed) == KINDS
    assert all(count >= places for count in failed.values()), failed


@pytest.mark.parametrize("places", [2, pytest.param(40, marks=pytest.mark.slow)])
def test_a_sync_that_fails_fails_the_call(tmp_path: Path, places: int) -> None:
    failed = run(tmp_path, "syncs", places)
    assert len(failed) == KINDS
    assert all(failed.values()), failed


def test_a_bench_that_cannot_be_made_can_be_made_later(tmp_path: Path) -> None:
    assert run(tmp_path, "making", 0)["making"] > 5

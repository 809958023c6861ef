"""SQLite's log is folded in beside the commits, stays within its bound, and is gone when the bench is closed."""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path

import pytest

from luma_bench.storage.catalog import checkpoint
from luma_bench.storage.catalog.checkpoint import Checkpointer
from luma_bench.storage.catalog.database import open_database

PAGE = 4096 + 24


def test_the_log_stays_within_its_bound_and_is_folded_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "COMMITS", 10)
    database = open_database(tmp_path, read_only=False)
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE n (v BLOB)")
    for _ in range(1_200):
        with database.write() as connection:
            connection.exec_driver_sql("INSERT INTO n VALUES (zeroblob(12000))")
    log = tmp_path / "catalog.sqlite-wal"
    assert 0 < log.stat().st_size < (checkpoint.LOG_PAGES + 600) * PAGE
    assert (tmp_path / "catalog.sqlite").stat().st_size > 4_000_000
    database.close()
    assert not log.exists()
    assert not [thread for thread in threading.enumerate() if thread.name == "luma-checkpoint"]
    with sqlite3.connect(tmp_path / "catalog.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM n").fetchone() == (1_200,)
    connection.close()


def test_a_checkpoint_is_passive_and_waits_for_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "COMMITS", 1)
    database = open_database(tmp_path, read_only=False)
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE n (v)")

    def slowly(connection: object) -> None:
        for value in range(20):
            with database.write() as other:
                other.exec_driver_sql(f"INSERT INTO n VALUES ({value})")

    database.read(slowly)  # type: ignore[arg-type]
    assert database.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM n").scalar()) == 20
    database.close()


def test_a_checkpoint_that_fails_is_told_and_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "COMMITS", 1)
    checkpointer = Checkpointer(tmp_path / "none.sqlite")
    with caplog.at_level(logging.WARNING):
        checkpointer.committed()
        checkpointer.close()
    assert "was not folded in" in caplog.text
    checkpointer.committed()

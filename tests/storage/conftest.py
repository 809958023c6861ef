"""The databases under a catalog: a module that uses the fixture `backend` runs on every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import faulty_disk
import pytest
from backends import BACKENDS
from postgres_server import PostgresServer, missing

from luma_bench.storage.catalog import database


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the whole run; what uses it is skipped where none can be had."""
    why = missing()
    if why is not None:
        pytest.skip(f"NO POSTGRESQL: {why}")
    server = PostgresServer()
    yield server
    server.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say at the end, where it is seen, that a whole database, or every failure of a disk, was left out."""
    why = missing()
    if why is not None and any(
        "NO POSTGRESQL" in str(item.longrepr) for item in terminalreporter.getreports("skipped")
    ):
        terminalreporter.write_line(f"NOT TESTED ON POSTGRESQL: {why}", red=True, bold=True)
    why = faulty_disk.missing()
    if why is not None and any(
        "NO FAULTY DISK" in str(item.longrepr) for item in terminalreporter.getreports("skipped")
    ):
        terminalreporter.write_line(f"NOT TESTED ON A FAULTY DISK: {why}", red=True, bold=True)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database that every bench of the test gets its catalog on, unless it says another."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        monkeypatch.setattr(database, "DEFAULT_CATALOG", server.url())
        monkeypatch.setenv("LUMA_CATALOG", server.url())  # for the processes that it starts
    return str(request.param)

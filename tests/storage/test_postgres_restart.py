"""A PostgreSQL server that goes away and comes back under load: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import FAST, IMMEDIATE, PostgresServer

from luma_bench.config import Settings
from luma_bench.errors import CatalogError
from luma_bench.storage.catalog.database import LostConnection
from luma_bench.storage.catalog.postgres import PostgresDatabase
from luma_bench.storage.pins import LONG_SECONDS
from luma_bench.storage.store import Store


@pytest.fixture
def store(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Store]:
    settings = Settings(inline_bytes=2_000, threads=1, catalog=postgres_server.url())
    with Store.open(tmp_path / "b.luma", settings=settings) as opened:
        opened.write("t", {"token": ["first"]}, token="first")
        yield opened


def database(store: Store) -> PostgresDatabase:
    found = store._catalog._database
    assert isinstance(found, PostgresDatabase)
    return found


def tokens(store: Store) -> list[str]:
    return store.scan(store.resolve(), "t").read(["token"])["token"].to_pylist()


def loaded(store: Store, server: PostgresServer, restarts: int, writers: int = 4) -> tuple[set[str], int]:
    """Write from threads while the server restarts: the tokens that were acknowledged, and how many reads were right."""
    over = threading.Event()
    acknowledged: list[str] = []
    failures: list[BaseException] = []
    reads = [0]

    def write(name: str) -> None:
        try:
            n = 0
            while not over.is_set():
                token = f"{name}-{n}"
                # Now and then a segment with a lease, else an inline blob.
                store.write("t", {"token": [token] * (200 if n % 10 == 7 else 1)}, mode="append", token=token)
                acknowledged.append(token)
                n += 1
        except BaseException as error:
            failures.append(error)

    def read() -> None:
        try:
            while not over.is_set():
                known = set(acknowledged)
                assert known <= set(tokens(store))
                reads[0] += 1
                time.sleep(0.01)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(f"w{n}",)) for n in range(writers)]
    threads.append(threading.Thread(target=read))
    for thread in threads:
        thread.start()
    for number in range(restarts):
        time.sleep(0.3)
        server.stop(IMMEDIATE if number % 2 else FAST)
        time.sleep(0.1)
        server.start()
    time.sleep(0.3)
    over.set()
    for thread in threads:
        thread.join()
    assert failures == []
    return set(acknowledged), reads[0]


@pytest.mark.parametrize("restarts", [4, pytest.param(40, marks=pytest.mark.slow)])
def test_every_acknowledged_write_is_there_once(
    store: Store, postgres_server: PostgresServer, restarts: int
) -> None:
    acknowledged, reads = loaded(store, postgres_server, restarts)
    assert len(acknowledged) > restarts
    assert reads > 0
    made = [item.token for item in store.snapshots()]
    assert len(made) == len(set(made))
    assert set(made) >= acknowledged
    found = tokens(store)
    assert set(found) == acknowledged | {"first"}
    assert all(
        found.count(token) == (200 if int(token.partition("-")[2]) % 10 == 7 else 1) for token in acknowledged
    )
    ids = store.scan(store.resolve(), "t").read(["_rowid"])["_rowid"].to_pylist()
    assert len(ids) == len(set(ids))
    assert [item.id for item in store.snapshots()] == list(range(1, store.head() + 1))
    report = store.check()
    assert report.ok, report.problems
    assert [lease for lease in store._catalog.leases() if lease.kind != "read"] == []
    # A read that waited long for the server was leased; its lease is given back when that is noticed.
    patience = time.monotonic() + 10 * LONG_SECONDS
    while store._catalog.leases() and time.monotonic() < patience:
        time.sleep(0.05)
    assert store._catalog.leases() == []


def test_a_commit_that_was_made_but_not_acknowledged_is_found_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[int] = []
    real = PostgresDatabase.write

    @contextlib.contextmanager
    def write(self: PostgresDatabase) -> Iterator[object]:
        with real(self) as connection:
            yield connection
        if len(lost) < 2:
            lost.append(1)
            raise LostConnection("gone", hint="", in_doubt=True)

    monkeypatch.setattr(PostgresDatabase, "write", write)
    made = store.write("t", {"token": ["small"]}, mode="append", token="small")
    assert (len(lost), made.id, made.token, store.head()) == (2, 3, "small", 3)
    lost.clear()
    made = store.write("t", {"token": ["big"] * 300}, mode="append", token="big")
    assert (len(lost), made.id, store.head()) == (2, 4, 4)
    lost.clear()
    assert store.tag("v1", 4).tags == ("v1",)
    assert sorted(tokens(store)) == sorted(["first", "small", *["big"] * 300])
    report = store.check()
    assert report.ok, report.problems
    assert not report.notes


def test_a_server_that_stays_away_is_a_plain_error_and_its_return_is_noticed(
    store: Store, postgres_server: PostgresServer
) -> None:
    database(store).patience = 0.2
    postgres_server.stop()
    try:
        with pytest.raises(
            CatalogError, match=r"went away and did not come back within 0 s.*\n.*Nothing of this call"
        ):
            store.write("t", {"token": ["x"]}, mode="append")
        with pytest.raises(CatalogError, match="did not come back"):
            store.head()
        with pytest.raises(CatalogError, match="did not come back"):
            store.snapshots()
        with pytest.raises(CatalogError, match="cannot be reached"):
            Store.open(store.path)
    finally:
        postgres_server.start()
    store.write("t", {"token": ["y"]}, mode="append")
    assert tokens(store) == ["first", "y"]


def test_a_doubtful_commit_says_that_it_is(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    database(store).patience = 0.05

    @contextlib.contextmanager
    def write(self: PostgresDatabase) -> Iterator[None]:
        raise LostConnection("gone", hint="nothing was applied", in_doubt=not seen)
        yield

    seen: list[int] = []
    monkeypatch.setattr(PostgresDatabase, "write", write)
    with pytest.raises(CatalogError, match="is not known: bench"):
        store.write("t", {"token": ["x"]}, mode="append")


def test_a_backend_that_is_terminated_costs_nothing(store: Store, postgres_server: PostgresServer) -> None:
    for n in range(5):
        store.write("t", {"token": [f"n{n}"]}, mode="append")
        assert store.head() == 3 + n
        postgres_server.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'luma-bench'"
        )
    assert tokens(store) == ["first", *(f"n{n}" for n in range(5))]


def test_closing_ends_the_wait_for_a_server(store: Store, postgres_server: PostgresServer) -> None:
    postgres_server.stop()
    try:
        errors: list[BaseException] = []

        def wait() -> None:
            try:
                store.head()
            except CatalogError as error:
                errors.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.3)
        began = time.monotonic()
        store.close()
        thread.join()
        assert time.monotonic() - began < 5
        assert len(errors) == 1
    finally:
        postgres_server.start()

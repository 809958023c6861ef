"""The catalog's parts: ids, the commit queue, leases, the database, and what a resolved snapshot costs."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from backends import on_both, on_sqlite
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.config import Settings
from luma_bench.errors import CatalogError
from luma_bench.storage.catalog import Catalog
from luma_bench.storage.catalog.database import Database, open_database
from luma_bench.storage.catalog.lease import Lease, live_leases
from luma_bench.storage.catalog.mounts import network_file_system
from luma_bench.storage.catalog.queue import CommitQueue
from luma_bench.storage.catalog.schema import decode_column, decode_settings, encode_field, encode_settings
from luma_bench.storage.inline import TailCache
from luma_bench.storage.store import Store
from luma_bench.storage.ulid import ALPHABET, UlidSource, encode
from luma_bench.types.schema import Column, TableSettings

pytestmark = on_both


INSERT = sa.text("INSERT INTO n VALUES (:v)")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    (tmp_path / "luma.toml").write_text("format = 1\n")
    opened = open_database(tmp_path, read_only=False)
    with opened.write() as connection:
        connection.exec_driver_sql("CREATE TABLE n (v INTEGER UNIQUE)")
    yield opened
    opened.close()


def numbers(database: Database) -> list[int]:
    return database.read(lambda c: list(c.exec_driver_sql("SELECT v FROM n ORDER BY v").scalars()))


def insert(value: int) -> Callable[[sa.Connection], int]:
    def work(connection: sa.Connection) -> int:
        connection.execute(INSERT, {"v": value})
        return value

    return work


def test_ulids_increase_also_when_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    source = UlidSource()
    clock = itertools.cycle([5_000_000_000, 1_000_000, 5_000_000_001])
    monkeypatch.setattr(time, "time_ns", lambda: next(clock))
    made = [source() for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000
    assert all(len(item) == 26 and set(item) <= set(ALPHABET) for item in made)


@given(st.integers(0, (1 << 128) - 1))
def test_a_ulid_is_crockford_base32(value: int) -> None:
    decoded = 0
    for char in encode(value):
        decoded = decoded * 32 + ALPHABET.index(char)
    assert decoded == value


def test_work_runs_once_in_order_and_a_failure_is_its_own(database: Database) -> None:
    queue = CommitQueue(database)
    assert queue.submit(insert(1)) == 1
    with pytest.raises(CatalogError, match=r"(?i)unique"):
        queue.submit(insert(1))
    assert queue.submit(insert(2)) == 2
    assert numbers(database) == [1, 2]


def test_many_threads_share_transactions_and_one_bad_piece_is_undone_alone(database: Database) -> None:
    queue = CommitQueue(database)
    begun: list[int] = []
    real = database.write

    def counted() -> object:
        begun.append(1)
        return real()

    database.write = counted  # type: ignore[method-assign, assignment]
    failures: list[int] = []

    def bad(value: int) -> Callable[[sa.Connection], None]:
        def work(connection: sa.Connection) -> None:
            connection.execute(INSERT, {"v": value})
            raise ValueError(value)

        return work

    def writer(first: int) -> None:
        for value in range(first, first + 40):
            if value % 10 == 3:
                try:
                    queue.submit(bad(value))
                except ValueError as error:
                    failures.append(error.args[0])
            else:
                assert queue.submit(insert(value)) == value

    threads = [threading.Thread(target=writer, args=(first,)) for first in range(0, 320, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wanted = {value for value in range(320) if value % 10 != 3}
    assert sorted(numbers(database)) == sorted(wanted)
    assert sorted(failures) == sorted(set(range(320)) - wanted)
    assert len(begun) <= 320


def test_a_group_that_cannot_commit_fails_for_every_member(database: Database) -> None:
    queue = CommitQueue(database)
    entered, go = threading.Event(), threading.Event()

    def slow(connection: sa.Connection) -> None:
        entered.set()
        go.wait()

    errors: list[Exception] = []

    def broken(connection: sa.Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")

    def submit(work: Callable[[sa.Connection], object]) -> None:
        try:
            queue.submit(work)
        except Exception as error:
            errors.append(error)

    first = threading.Thread(target=submit, args=(slow,))
    first.start()
    entered.wait()
    others = [threading.Thread(target=submit, args=(work,)) for work in (insert(1), broken, insert(2))]
    for thread in others:
        thread.start()
    while len(queue._waiting) < 3:
        time.sleep(0.001)
    go.set()
    for thread in (first, *others):
        thread.join()
    assert numbers(database) == []
    assert len(errors) == 3
    queue.submit(insert(9))
    assert numbers(database) == [9]


def test_an_interrupted_leader_hands_on_and_loses_only_its_own_work(database: Database) -> None:
    queue = CommitQueue(database)
    entered, go = threading.Event(), threading.Event()
    interrupted: list[str] = []

    def stop(connection: sa.Connection) -> None:
        connection.exec_driver_sql("INSERT INTO n VALUES (100)")
        entered.set()
        go.wait()
        raise KeyboardInterrupt

    def leader() -> None:
        try:
            queue.submit(stop)
        except KeyboardInterrupt:
            interrupted.append("yes")

    first = threading.Thread(target=leader)
    first.start()
    entered.wait()
    others = [threading.Thread(target=queue.submit, args=(insert(value),)) for value in range(5)]
    for thread in others:
        thread.start()
    while len(queue._waiting) < 5:
        time.sleep(0.001)
    go.set()
    for thread in (first, *others):
        thread.join()
    assert interrupted == ["yes"]
    assert sorted(numbers(database)) == list(range(5))


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:40 / /srv rw,relatime shared:2 - nfs4 server:/srv rw
41 40 8:2 / /srv/ada/my\\040disk rw,relatime - xfs /dev/sdb1 rw
42 22 0:41 / /mnt/c rw - 9p drvfs rw,aname=drvfs
43 22 0:42 / /srv/eve/drive rw - fuse.rclone drive: rw
44 22 0:43 / /srv/eve/zip rw - fuse.archivemount a.zip rw
45 22 0:44 / /lustre rw - lustre mgs@tcp:/fs rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/data/b.luma", None),
        ("/srv/ada/b.luma", "nfs4"),
        ("/srv/ada/my disk/b", None),
        ("/srvwork", None),
        ("/mnt/c/b.luma", "9p"),
        ("/srv/eve/drive/b.luma", "fuse.rclone"),
        ("/srv/eve/zip/b.luma", None),
        ("/lustre/b.luma", "lustre"),
    ],
)
def test_a_network_file_system_is_known_by_its_nearest_mount(
    tmp_path: Path, folder: str, kind: str | None
) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTS)
    assert network_file_system(Path(folder), tmp_path / "mountinfo") == kind
    assert network_file_system(Path(folder), tmp_path / "none") is None


def test_the_root_of_a_sandbox_is_no_network_file_system(tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text("1 0 0:1 / / rw - 9p none rw,cache=remote_revalidating\n")
    assert network_file_system(Path("/b.luma"), tmp_path / "mountinfo") is None


@on_sqlite
def test_a_bench_on_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(tmp_path / "b").close()
    monkeypatch.setattr("luma_bench.storage.catalog.sqlite.network_file_system", lambda folder: "nfs4")
    with pytest.raises(CatalogError, match=r"network file system \(nfs4\)"):
        Store.open(tmp_path / "b")
    Store.open(tmp_path / "b", mode="r").close()
    monkeypatch.undo()
    with Store.open(tmp_path / "b") as writer:
        writer.write("t", {"a": [1]})
        monkeypatch.setattr("luma_bench.storage.catalog.sqlite.network_file_system", lambda folder: "nfs4")
        with pytest.raises(CatalogError, match="a writer has it open"):
            Store.open(tmp_path / "b", mode="r")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    (tmp_path / "luma.toml").write_text("format = 1\n")
    opened = Catalog.open(tmp_path, read_only=False, author=lambda: "ada", tail=TailCache)
    yield opened
    opened.close()


def test_a_lease_is_there_while_it_is_held_and_gone_after(catalog: Catalog) -> None:
    lease = catalog.take_lease(1)
    assert catalog.reserve_table() == 1
    with lease:
        (row,) = catalog.leases()
        assert (row.id, row.kind, row.snapshot) == (lease.id, "write", 1)
        lease.check()
    assert catalog.leases() == []


def test_a_lease_is_renewed_and_a_stolen_one_is_noticed(catalog: Catalog) -> None:
    lease = Lease(catalog._queue, "l1", kind="write", life=0.15)
    catalog._queue.submit(lambda connection: lease.take(connection, 1))
    with lease:
        time.sleep(0.4)
        assert [row.id for row in catalog.read(live_leases)] == ["l1"]
        catalog._queue.submit(lambda connection: connection.exec_driver_sql("DELETE FROM lease"))
        deadline = time.monotonic() + 10
        while lease._failure is None and time.monotonic() < deadline:
            time.sleep(0.01)
        with pytest.raises(CatalogError, match="taken away"):
            lease.check()


def test_a_lease_that_is_not_renewed_runs_out(catalog: Catalog) -> None:
    lease = Lease(catalog._queue, "l1", kind="write", life=-1.0)
    catalog._queue.submit(lambda connection: lease.take(connection, 1))
    assert catalog.leases() == []


FIELDS = [
    pa.field("a", pa.int64(), nullable=False, metadata={b"unit": b"m", b"bytes": b"\x00\xff"}),
    pa.field("z", pa.timestamp("ns", "Europe/Paris")),
    pa.field("d", pa.dictionary(pa.int8(), pa.string(), ordered=True)),
    pa.field(
        "n", pa.list_(pa.field("element", pa.struct([pa.field("x", pa.decimal128(9, 2), nullable=False)])))
    ),
    pa.field("m", pa.map_(pa.string(), pa.float16(), keys_sorted=True)),
    pa.field("u", pa.uuid()),
    pa.field("naïve 🐍", pa.fixed_shape_tensor(pa.float32(), [2, 3])),
]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: str(field.type)[:12])
def test_a_column_survives_the_catalog(field: pa.Field) -> None:
    column = Column(3, field.name, field.type, field.nullable, "why", tuple((field.metadata or {}).items()))
    again = decode_column(3, field.name, encode_field(column), "why")
    assert again == column
    assert again.field.equals(field, check_metadata=True)


def test_settings_follow_a_column_that_is_renamed() -> None:
    columns = [Column(4, "k", pa.int64()), Column(9, "t", pa.int64())]
    text = encode_settings(TableSettings(("k",), ("t", "k"), "t", ("k",), "exchange"), columns)
    assert '"k"' not in text
    renamed = [Column(4, "key", pa.int64()), Column(9, "t", pa.int64())]
    assert decode_settings(text, renamed) == TableSettings(("key",), ("t", "key"), "t", ("key",), "exchange")


WRITES = st.lists(
    st.tuples(st.sampled_from("tu"), st.sampled_from(["append", "replace", "drop", "big"])),
    min_size=1,
    max_size=12,
)


def test_a_snapshot_read_on_top_of_another_is_the_same_as_one_read_alone(
    tmp_path_factory: pytest.TempPathFactory, backend: str
) -> None:
    @given(WRITES)
    @settings(max_examples=20 if backend == "sqlite" else 5, deadline=None)
    def check(writes: list[tuple[str, str]]) -> None:
        with Store.open(
            tmp_path_factory.mktemp("b"), settings=Settings(inline_bytes=1_000, threads=1)
        ) as store:
            for name, what in writes:
                there = store.resolve().named(name) is not None
                if what == "drop":
                    if there:
                        store.drop_table(name)
                elif what == "big":
                    store.write(name, {"a": list(range(200))}, mode="append" if there else "create")
                else:
                    store.write(name, {"a": [1]}, mode=what if there else "create")
            catalog = store._catalog
            head = store.head()
            alone = {n: catalog.read(lambda c, n=n: catalog._load(c, n, None)) for n in range(1, head + 1)}
            for older, newer in itertools.combinations(range(1, head + 1), 2):
                found = catalog.read(lambda c, o=older, n=newer: catalog._load(c, n, alone[o]))
                assert found.tables == alone[newer].tables
                live = {table.id for table in found.tables.values()}
                for table_id in live | {1, 2}:
                    assert found.holds(table_id) == alone[newer].holds(table_id)
            for snapshot in range(1, head + 1):
                resolved = store.resolve(snapshot)
                assert resolved == alone[snapshot]
                assert all(resolved.holds(n) == alone[snapshot].holds(n) for n in (1, 2))

    check()

"""A bench whose catalog is on PostgreSQL: which schema is its own, what is refused, and what others see."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest
import sqlalchemy as sa
from postgres_server import PostgresServer

from luma_bench.config import Settings, load
from luma_bench.errors import CatalogError, ConfigError, UnsupportedError
from luma_bench.storage.catalog.database import Database, open_database
from luma_bench.storage.catalog.postgres_address import Address
from luma_bench.storage.store import Store

SECRET = "s3cr%t/word"
QUOTED = "s3cr%25t%2Fword"


def on(server: PostgresServer, schema: str | None = None) -> Settings:
    return Settings(inline_bytes=2_000, threads=1, author="ada", catalog=server.url(schema))


def schemas(server: PostgresServer) -> set[object]:
    rows = server.run("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'")
    return {row[0] for row in rows}


def values(store: Store) -> list[int]:
    return sorted(store.scan(store.resolve(), "t").read(["a"])["a"].to_pylist())


class TestWhoseItIs:
    """A folder and a schema name the same bench, or nothing is opened."""

    def test_the_folder_remembers_its_catalog(self, tmp_path: Path, postgres_server: PostgresServer) -> None:
        with Store.open(tmp_path / "b", settings=on(postgres_server)) as store:
            store.write("t", {"a": list(range(900))})
            store.write("t", {"a": [900]}, mode="append")
        toml = tomllib.loads((tmp_path / "b" / "luma.toml").read_text())
        assert toml["settings"]["catalog"].startswith("postgresql://admin@/luma?host=")
        assert f"luma_{toml['bench'].lower()}" in schemas(postgres_server)
        assert not (tmp_path / "b" / "catalog.sqlite").exists()
        for settings in (None, load(tmp_path / "b"), on(postgres_server)):
            with Store.open(tmp_path / "b", settings=settings) as store:
                assert values(store) == list(range(901))
                assert store.check().ok
        with Store.open(tmp_path / "b", mode="r") as reader:
            assert reader.head() == 3

    def test_two_benches_in_one_database_have_nothing_in_common(
        self, tmp_path: Path, postgres_server: PostgresServer
    ) -> None:
        with (
            Store.open(tmp_path / "x", settings=on(postgres_server)) as x,
            Store.open(tmp_path / "y", settings=on(postgres_server)) as y,
        ):
            x.write("t", {"a": [1]})
            assert (x.head(), y.head()) == (2, 1)
            y.write("t", {"a": [2]})
            assert (values(x), values(y)) == ([1], [2])

    def test_the_catalog_of_another_bench_is_refused(
        self, tmp_path: Path, postgres_server: PostgresServer
    ) -> None:
        Store.open(tmp_path / "x", settings=on(postgres_server, "Shared_1")).close()
        assert "Shared_1" in schemas(postgres_server)
        Store.open(tmp_path / "x").close()
        Store.open(tmp_path / "y", settings=on(postgres_server)).close()
        before = (tmp_path / "y" / "luma.toml").read_bytes()
        for folder, mode in (("y", "a"), ("y", "r"), ("new", "a")):
            with pytest.raises(CatalogError, match="the catalog of another bench"):
                Store.open(tmp_path / folder, mode=mode, settings=on(postgres_server, "Shared_1"))
        assert (tmp_path / "y" / "luma.toml").read_bytes() == before
        assert "bench" not in tomllib.loads((tmp_path / "new" / "luma.toml").read_text())

    def test_a_schema_with_other_tables_is_refused(
        self, tmp_path: Path, postgres_server: PostgresServer
    ) -> None:
        postgres_server.run("CREATE SCHEMA theirs")
        postgres_server.run("CREATE TABLE theirs.tag (name text)")
        with pytest.raises(CatalogError, match=r"schema theirs of .* holds other tables"):
            Store.open(tmp_path / "b", settings=on(postgres_server, "theirs"))
        postgres_server.run("DROP SCHEMA theirs CASCADE")

    def test_a_bench_that_lost_its_catalog_is_refused_and_gets_no_new_one(
        self, tmp_path: Path, postgres_server: PostgresServer
    ) -> None:
        with Store.open(tmp_path / "b", settings=on(postgres_server, "lost")) as store:
            store.write("t", {"a": list(range(900))})
        postgres_server.run("DROP SCHEMA lost CASCADE")
        for mode in ("a", "r"):
            with pytest.raises(CatalogError, match="it has segments, and its catalog is not in schema lost"):
                Store.open(tmp_path / "b", mode=mode)
        assert "lost" not in schemas(postgres_server)

    def test_a_bench_with_a_sqlite_catalog_stays_one(
        self, tmp_path: Path, postgres_server: PostgresServer
    ) -> None:
        with Store.open(tmp_path / "b") as store:
            store.write("t", {"a": [1]})
        before = schemas(postgres_server)
        with pytest.raises(CatalogError, match=r"has its catalog in catalog\.sqlite"):
            Store.open(tmp_path / "b", settings=on(postgres_server))
        assert schemas(postgres_server) == before

    def test_a_creation_that_was_cut_off_is_finished_by_the_next_open(
        self, tmp_path: Path, postgres_server: PostgresServer
    ) -> None:
        Store.open(tmp_path / "b", settings=on(postgres_server, "cut")).close()
        postgres_server.run("DROP SCHEMA cut CASCADE")
        with Store.open(tmp_path / "b") as store:
            assert store.head() == 1

    def test_reading_makes_nothing(self, tmp_path: Path, postgres_server: PostgresServer) -> None:
        (tmp_path / "luma.toml").write_text("format = 1\n")
        before = schemas(postgres_server)
        with pytest.raises(CatalogError, match="its catalog is not in"):
            Store.open(tmp_path, mode="r", settings=on(postgres_server))
        assert schemas(postgres_server) == before

    def test_threads_that_make_one_bench_at_once_make_one(
        self, tmp_path: Path, postgres_server: PostgresServer
    ) -> None:
        heads: list[int] = []

        def make() -> None:
            with Store.open(tmp_path / "b", settings=on(postgres_server)) as store:
                heads.append(store.head())

        threads = [threading.Thread(target=make) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert heads == [1] * 5
        with Store.open(tmp_path / "b") as store:
            assert len(store.snapshots()) == 1


class TestPasswords:
    """A password is used, and shown nowhere."""

    def test_it_is_neither_stored_nor_shown(
        self, tmp_path: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        postgres_server.run(f"CREATE ROLE grace LOGIN SUPERUSER PASSWORD '{SECRET}'")
        url = f"postgresql://grace:{QUOTED}@127.0.0.1:{postgres_server.port}/luma?schema=secret_one"
        settings = load(None, {"catalog": url}, env={})
        assert settings.effective_catalog == f"postgresql://grace@127.0.0.1:{postgres_server.port}/luma"
        with Store.open(tmp_path / "b", settings=settings) as store:
            store.write("t", {"a": [1]})
            shown = (
                f"{settings!r} {store.settings!r} {settings.effective_catalog} {store._catalog._database!r}"
            )
        stored = (tmp_path / "b" / "luma.toml").read_text()
        assert f"postgresql://grace@127.0.0.1:{postgres_server.port}/luma?schema=secret_one" in stored
        monkeypatch.delenv("PGPASSWORD", raising=False)
        with pytest.raises(CatalogError, match="cannot be reached") as caught:
            Store.open(tmp_path / "b")
        shown += stored + str(caught.value)
        wrong = url.replace(QUOTED, "wrong%21")
        with pytest.raises(CatalogError, match="password authentication failed") as caught:
            Store.open(tmp_path / "b", settings=Settings(catalog=wrong))
        shown += str(caught.value)
        assert all(word not in shown for word in (SECRET, QUOTED, "wrong!", "wrong%21"))
        monkeypatch.setenv("PGPASSWORD", SECRET)
        with Store.open(tmp_path / "b") as store:
            assert values(store) == [1]
        postgres_server.run("DROP OWNED BY grace")
        postgres_server.run("DROP ROLE grace")

    @pytest.mark.parametrize(
        "url",
        ["mysql://u:hunter2@h/d", "postgresql://u:hun@ter2@h/d", "postgresql://u:hunter2?@h/d", "hunter2"],
    )
    def test_a_url_that_is_none_is_refused_without_being_shown(self, tmp_path: Path, url: str) -> None:
        with pytest.raises(ConfigError) as caught:
            load(tmp_path, {"catalog": url}, env={})
        assert "ter2" not in str(caught.value)

    def test_parts_of_an_address(self) -> None:
        found = Address.parse(f"postgres://u:{QUOTED}@h:5/d?sslmode=require&schema=s&password=p2")
        assert (found.schema, found.shown) == ("s", "postgresql://u@h:5/d")
        assert found.stored == "postgresql://u@h:5/d?sslmode=require&schema=s"
        assert found.conninfo == f"postgresql://u:{QUOTED}@h:5/d?sslmode=require&password=p2"
        assert found.hidden(f"no {SECRET} or {QUOTED} or p2") == "no *** or *** or ***"
        assert "p2" not in repr(found)
        for bad in ("1a", "pg_x", 'a"b', "a b", ""):
            with pytest.raises(ConfigError):
                Address.parse(f"postgresql://h/d?schema={bad}")


class TestRefusals:
    """What the server says no to comes out as one sentence and what to do."""

    def test_no_server_no_database_no_driver(
        self, tmp_path: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "luma.toml").write_text("format = 1\n")
        for url in ("postgresql://127.0.0.1:1/luma", postgres_server.url(database="none")):
            with pytest.raises(CatalogError, match=r"cannot be reached: .*\n.*Check that the server runs"):
                open_database(tmp_path, read_only=False, settings=Settings(catalog=url))
        monkeypatch.setitem(sys.modules, "psycopg", None)
        with pytest.raises(UnsupportedError, match=r"needs psycopg.*\n.*luma-bench\[connect\]"):
            open_database(tmp_path, read_only=False, settings=on(postgres_server))

    def test_a_database_of_another_encoding(self, tmp_path: Path, postgres_server: PostgresServer) -> None:
        postgres_server.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        (tmp_path / "luma.toml").write_text("format = 1\n")
        with pytest.raises(CatalogError, match="has the encoding LATIN1"):
            open_database(
                tmp_path, read_only=False, settings=Settings(catalog=postgres_server.url(database="latin"))
            )
        postgres_server.run("DROP DATABASE latin")

    def test_a_role_that_may_only_read(self, tmp_path: Path, postgres_server: PostgresServer) -> None:
        with Store.open(tmp_path / "b", settings=on(postgres_server, "ro")) as store:
            store.write("t", {"a": [1]})
        postgres_server.run("DROP ROLE IF EXISTS reader")
        postgres_server.run("CREATE ROLE reader LOGIN")
        postgres_server.run("GRANT USAGE ON SCHEMA ro TO reader")
        postgres_server.run("GRANT SELECT ON ALL TABLES IN SCHEMA ro TO reader")
        settings = Settings(catalog=postgres_server.url("ro").replace("admin@", "reader@"))
        with Store.open(tmp_path / "b", mode="r", settings=settings) as reader:
            assert values(reader) == [1]
        with (
            Store.open(tmp_path / "b", settings=settings) as writer,
            pytest.raises(CatalogError, match=r"cannot be written: permission denied.*\n.*mode='r'"),
        ):
            writer.write("t", {"a": [2]}, mode="append")
        postgres_server.run("DROP OWNED BY reader")
        postgres_server.run("DROP ROLE reader")


@pytest.fixture
def database(tmp_path: Path, postgres_server: PostgresServer) -> Database:
    (tmp_path / "luma.toml").write_text("format = 1\n")
    with Store.open(tmp_path, settings=on(postgres_server)) as store:
        store.write("t", {"a": [1]})
    return open_database(tmp_path, read_only=False)


class TestTransactions:
    """Writers in turn, readers at one state, and no failed transaction that passes for a commit."""

    def test_a_reader_sees_one_state_and_a_writer_the_newest(self, database: Database) -> None:
        seen: list[int] = []

        def work(connection: sa.Connection) -> None:
            seen.append(connection.exec_driver_sql("SELECT count(*) FROM tag").scalar_one())
            with database.write() as other:
                other.exec_driver_sql("INSERT INTO tag VALUES ('x', 1, 0, '')")
            seen.append(connection.exec_driver_sql("SELECT count(*) FROM tag").scalar_one())

        database.read(work)
        assert seen == [0, 0]
        with database.write() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM tag").scalar_one() == 1
        database.close()

    def test_a_writer_waits_for_the_other_and_sees_what_it_did(
        self, tmp_path: Path, database: Database
    ) -> None:
        other = open_database(tmp_path, read_only=False)
        order: list[str] = []
        entered = threading.Event()

        def second() -> None:
            entered.set()
            with other.write() as connection:
                count = connection.exec_driver_sql("SELECT count(*) FROM tag").scalar_one()
                order.append(f"second sees {count}")

        with database.write() as connection:
            thread = threading.Thread(target=second)
            thread.start()
            entered.wait()
            thread.join(0.2)
            connection.exec_driver_sql("INSERT INTO tag VALUES ('x', 1, 0, '')")
            order.append("first")
        thread.join()
        assert order == ["first", "second sees 1"]
        other.close()
        database.close()

    def test_a_failed_statement_that_was_caught_does_not_pass_for_a_commit(self, database: Database) -> None:
        def write() -> None:
            with database.write() as connection:
                connection.exec_driver_sql("INSERT INTO tag VALUES ('x', 1, 0, '')")
                with contextlib.suppress(sa.exc.ProgrammingError):
                    connection.exec_driver_sql("SELECT * FROM nothing")

        with pytest.raises(CatalogError, match="undid a transaction that failed"):
            write()
        assert database.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM tag").scalar_one()) == 0
        database.close()

    def test_nothing_is_written_through_a_reader(self, tmp_path: Path, database: Database) -> None:
        reader = open_database(tmp_path, read_only=True)
        with pytest.raises(CatalogError, match="read-only transaction"), reader.write() as connection:
            connection.exec_driver_sql("INSERT INTO tag VALUES ('x', 1, 0, '')")
        with pytest.raises(CatalogError, match="read-only transaction"):
            database.read(lambda c: c.exec_driver_sql("INSERT INTO tag VALUES ('x', 1, 0, '')"))
        reader.close()
        database.close()

    def test_commits_are_synchronous_whatever_the_server_says(
        self, tmp_path: Path, database: Database, postgres_server: PostgresServer
    ) -> None:
        database.close()
        postgres_server.run("ALTER DATABASE luma SET synchronous_commit = off")
        try:
            again = open_database(tmp_path, read_only=False)
            assert again.read(lambda c: c.exec_driver_sql("SHOW synchronous_commit").scalar_one()) == "on"
            again.close()
        finally:
            postgres_server.run("ALTER DATABASE luma RESET synchronous_commit")


WRITER = """
import sys
from luma_bench.storage.store import Store
with Store.open(sys.argv[1]) as store:
    for n in range(8):
        rows = 900 if n % 5 == 2 else 2
        store.write("t", {"w": [sys.argv[2]] * rows, "n": [n] * rows}, mode="append", token=f"{sys.argv[2]}-{n}")
"""
READER = """
import sys, time
from collections import Counter
from luma_bench.storage.store import Store
with Store.open(sys.argv[1], mode="r") as store:
    reads, end, last = 0, time.monotonic() + 60, 0
    while last < 34 and time.monotonic() < end:
        pinned = store.resolve()
        assert pinned.id >= last
        last = pinned.id
        found = [Counter(zip(*store.scan(store.resolve(last), "t").read(["w", "n"]).to_pydict().values())) for _ in range(2)]
        assert found[0] == found[1]
        assert sum(1 for w, n in found[0] if w != "first") == last - 2
        assert all(count == (900 if n % 5 == 2 else 2) for (w, n), count in found[0].items() if w != "first")
        reads += 1
        time.sleep(0.05)
    assert last == 34, last
    print(reads)
"""


def test_four_processes_write_and_three_read(tmp_path: Path, postgres_server: PostgresServer) -> None:
    folder = tmp_path / "b"
    with Store.open(folder, settings=on(postgres_server)) as store:
        store.write("t", {"w": ["first"], "n": [0]})

    def started(code: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, str(folder), *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    writers = [started(WRITER, name) for name in "abcd"]
    readers = [started(READER) for _ in range(3)]
    for process in (*writers, *readers):
        output = process.communicate()[0]
        assert process.returncode == 0, output
        assert process not in readers or int(output) > 0
    with Store.open(folder) as store:
        assert [item.id for item in store.snapshots()] == list(range(1, 35))
        report = store.check()
        assert report.ok, report.problems

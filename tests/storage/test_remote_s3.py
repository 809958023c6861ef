"""Publishing to an object store and reading from it: the S3 protocol, spoken by a server of its own on 127.0.0.1."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import published_cases as cases
import pytest

import luma_bench as lb
from luma_bench.errors import CatalogError, CorruptionError, RemoteError
from luma_bench.storage.publication import POINTER
from luma_bench.storage.remote.address import parse_url
from luma_bench.storage.remote.folder import RemoteFolder
from luma_bench.storage.remote.store import PublishedStore
from luma_bench.storage.store import Store

BUCKET = "s3://bench-bucket"


def program() -> str | None:
    """moto's server: beside this interpreter, or on the path."""
    beside = Path(sys.executable).with_name("moto_server")
    return str(beside) if beside.exists() else shutil.which("moto_server")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Options that lead to the server, which has one bucket."""
    server = program()
    if server is None:
        pytest.skip("NO S3 SERVER: moto[server] is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (tmp_path_factory.mktemp("moto") / "log").open("wb") as log:
        process = subprocess.Popen([server, "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log)
        try:
            made = urllib.request.Request(f"http://127.0.0.1:{port}/bench-bucket", method="PUT")
            for _ in range(200):
                try:
                    with urllib.request.urlopen(made, timeout=5) as answer:
                        assert answer.status == 200
                    break
                except OSError:
                    time.sleep(0.1)
            yield {
                "endpoint": f"http://127.0.0.1:{port}",
                "region": "us-east-1",
                "access_key_id": "testing",
                "secret_access_key": "testing",
                "allow_http": "true",
            }
        finally:
            process.terminate()
            process.wait()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, cases.Answers]:
    folder = tmp_path_factory.mktemp("s3") / "b.luma"
    return folder, cases.make(folder)


@pytest.fixture
def bench(original: tuple[Path, cases.Answers], tmp_path: Path) -> Path:
    return Path(shutil.copytree(original[0], tmp_path / "b.luma"))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"{BUCKET}/{tmp_path.name}/b.luma"


def opened(url: str, service: dict[str, Any], cache: Path) -> PublishedStore:
    return PublishedStore.open_url(url, replace(cases.SETTINGS, cache_dir=str(cache)), service)


def test_every_snapshot_reads_the_same_from_s3(
    service: dict[str, Any], original: tuple[Path, cases.Answers], bench: Path, url: str, tmp_path: Path
) -> None:
    with Store.open(bench, settings=cases.SETTINGS) as store:
        made = [store.publish(url, one.id, options=service) for one in store.snapshots()]
        # One has deleted rows at the newest snapshots: it goes there without them too.
        assert sum(one.uploaded for one in made) == len(list((bench / "segments").rglob("*.zip"))) + 1
        assert store.publish(url, options=service).nbytes == 0
    with opened(url, service, tmp_path / "cache") as published:
        for snapshot, tables in original[1].items():
            pinned = published.resolve(snapshot)
            found = {
                name: published.scan(pinned, name).read(table.column_names) for name, table in tables.items()
            }
            cases.assert_same(found, tables)
        assert published.check().ok


def test_lb_open_takes_its_credentials_from_the_environment(
    service: dict[str, Any], bench: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in service.items():
        monkeypatch.setenv(f"AWS_{name.upper()}", value)
    with lb.open(bench) as local:
        local.publish(url, "paper")
    with lb.open(url, mode="r", cache_dir=str(tmp_path / "cache")) as published:
        assert published.kadeql("SELECT count(*) AS n FROM big").to_arrow()["n"].to_pylist() == [cases.ROWS]


def test_a_large_segment_goes_up_in_parts(service: dict[str, Any], url: str, tmp_path: Path) -> None:
    import numpy as np

    noise = np.random.default_rng(3).normal(size=1_500_000)
    with Store.open(tmp_path / "c.luma") as store:
        store.write("t", {"x": noise})
        made = store.publish(url, options=service)
    assert made.nbytes > 8 << 20
    with opened(url, service, tmp_path / "cache") as published:
        assert np.array_equal(published.scan(published.resolve(), "t").read()["x"].to_numpy(), noise)


def test_an_upload_that_was_cut_off_goes_on(
    service: dict[str, Any], bench: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = RemoteFolder.store, []

    def failing(self: RemoteFolder, path: str, source: Any) -> None:
        calls.append(path)
        if len(calls) > 2:
            raise RemoteError.failed("written", path, "the network is down")
        real(self, path, source)

    with Store.open(bench, settings=cases.SETTINGS) as store:
        with monkeypatch.context() as patch:
            patch.setattr(RemoteFolder, "store", failing)
            with pytest.raises(RemoteError, match="network is down"):
                store.publish(url, options=service)
        with pytest.raises(CatalogError, match="no published bench"):
            opened(url, service, tmp_path / "cache")
        made = store.publish(url, options=service)
    assert made.uploaded == made.segments - 2
    with opened(url, service, tmp_path / "cache") as published:
        assert published.check().ok


def test_publishers_at_the_same_time_are_all_listed(
    service: dict[str, Any], bench: Path, url: str, tmp_path: Path
) -> None:
    with Store.open(bench, settings=cases.SETTINGS) as store:
        ids = [one.id for one in store.snapshots()][:4]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda at: store.publish(url, at, options=service), ids))
    with opened(url, service, tmp_path / "cache") as published:
        assert [one.id for one in published.snapshots()] == ids


def test_a_bucket_that_is_not_there(service: dict[str, Any], bench: Path) -> None:
    with (
        Store.open(bench, settings=cases.SETTINGS) as store,
        pytest.raises((RemoteError, CatalogError), match="no-such-bucket"),
    ):
        store.publish("s3://no-such-bucket/b", options=service)


def test_a_damaged_object_is_an_error(service: dict[str, Any], bench: Path, url: str, tmp_path: Path) -> None:
    import obstore

    with Store.open(bench, settings=cases.SETTINGS) as store:
        store.publish(url, options=service)
    folder = RemoteFolder.open(parse_url(url), service)
    path = max(folder.sizes("segments").items(), key=lambda item: item[1])[0]
    obstore.put(folder.client, path, bytes(len(folder.read(path))))
    with opened(url, service, tmp_path / "cache") as published:
        with pytest.raises(CorruptionError):
            published.scan(published.resolve(), "big").read()
        assert not published.check().ok
    folder.change(POINTER, lambda before: (before or b"")[:30])
    with pytest.raises(CorruptionError, match=POINTER):
        opened(url, service, tmp_path / "cache")

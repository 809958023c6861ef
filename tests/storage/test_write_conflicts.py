"""Primary keys, and writers that meet on one table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from backends import on_both
from write_cases import SETTINGS, assert_refused, batches, files, read, stream

from luma_bench.config import Settings
from luma_bench.errors import CatalogError, ConflictError, ConstraintError
from luma_bench.storage.store import Store

pytestmark = on_both


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "b.luma", settings=SETTINGS) as opened:
        yield opened


class TestPrimaryKeys:
    """Never NULL, never twice: in the data, against what is there, and against who comes first."""

    def test_nulls_and_doubles_in_the_data(self, store: Store) -> None:
        assert_refused(
            store, ConstraintError, "'k' of table 't' must not be NULL", {"k": [1, None]}, primary_key="k"
        )
        assert_refused(store, ConstraintError, r"\(k=7\) twice", {"k": [7, 1, 7]}, primary_key="k")
        keys = {"k": ["a", "a", "b"], "n": [1, 2, 1]}
        store.write("t", keys, primary_key=["k", "n"])
        assert_refused(
            store, ConstraintError, r"\(k='c', n=1\) twice", {"k": ["c"] * 2, "n": [1, 1]}, mode="append"
        )

    def test_keys_that_are_there_already_inline_and_in_segments(self, store: Store) -> None:
        store.write("t", {"k": np.arange(5_000), "v": np.arange(5_000)}, primary_key="k")
        store.write("t", {"k": [9_000], "v": [0]}, mode="append")
        for key in (0, 4_999, 2_500, 9_000):
            assert_refused(
                store,
                ConstraintError,
                rf"\(k={key}\) already",
                {"k": [10_000, key], "v": [1, 1]},
                mode="append",
            )
        many = {"k": np.arange(4_999, 8_000), "v": np.arange(4_999, 8_000)}
        assert_refused(store, ConstraintError, r"\(k=4999\) already", many, mode="append")
        store.write("t", {"k": np.arange(5_000, 8_000), "v": np.arange(5_000, 8_000)}, mode="append")
        assert store.resolve().rows("t") == 8_001

    def test_replace_may_use_old_keys_again(self, store: Store) -> None:
        store.write("t", {"k": [1, 2]}, primary_key="k")
        store.write("t", {"k": [2, 3]}, mode="replace", primary_key="k")
        assert read(store)["k"].to_pylist() == [2, 3]

    @pytest.mark.parametrize(
        ("old", "new", "other"),
        [
            (["a", "b"], ["b"], ["c"]),
            ([Decimal("1.10"), Decimal("2.20")], [Decimal("2.20")], [Decimal("2.21")]),
            (
                [dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 2)],
                [dt.datetime(2026, 1, 2)],
                [dt.datetime(2026, 1, 3)],
            ),
            ([dt.date(2026, 1, 1)], [dt.date(2026, 1, 1)], [dt.date(2026, 1, 2)]),
            ([0.0, float("nan")], [-0.0], [1.0]),
            ([0.0, float("nan")], [float("nan")], [2.0]),
            ([True], [True], [False]),
            ([b"\x00", b""], [b""], [b"\x01"]),
        ],
    )
    @pytest.mark.parametrize("inline", [True, False])
    def test_keys_of_every_type(
        self, tmp_path: Path, old: list[Any], new: list[Any], other: list[Any], inline: bool
    ) -> None:
        settings = Settings(inline_bytes=1 << 20 if inline else 0)
        with Store.open(tmp_path / "b", settings=settings) as store:
            store.write("t", {"k": old}, primary_key="k")
            assert_refused(store, ConstraintError, "already", {"k": new}, mode="append")
            store.write("t", {"k": other}, mode="append")
            assert store.resolve().rows("t") == len(old) + 1

    def test_dictionary_keys(self, store: Store) -> None:
        store.write("t", {"k": pa.array(["a", "b"]).dictionary_encode()}, primary_key="k")
        assert_refused(store, ConstraintError, r"\(k='b'\) already", {"k": ["c", "b"]}, mode="append")

    def test_a_key_that_another_writer_commits_first_is_a_conflict(self, store: Store) -> None:
        store.write("t", {"i": np.arange(10), "s": ["x"] * 10}, primary_key="i")

        def overtaken(first: int, key: int) -> Iterator[pa.RecordBatch]:
            yield pa.record_batch({"i": np.arange(first, first + 2_900), "s": ["y"] * 2_900})
            with Store.open(store.path, settings=SETTINGS) as other:
                other.write("t", {"i": [key], "s": ["z"]}, mode="append")

        before = files(store)
        with pytest.raises(ConflictError, match=r"'t' was changed by snapshot 3 .*\(i=2000\)"):
            store.write("t", stream(overtaken(100, 2_000)), mode="append")
        assert files(store) == before
        store.write("t", stream(overtaken(4_000, 9_999)), mode="append")
        assert store.resolve().rows("t") == 10 + 1 + 1 + 2_900
        assert store.check().ok


def during(store: Store, action: Any) -> pa.RecordBatchReader:
    """A stream in the middle of which another store does something."""

    def source() -> Iterator[pa.RecordBatch]:
        yield from batches(4)
        with Store.open(store.path, settings=SETTINGS) as other:
            action(other)
        yield from batches(1)

    return stream(source())


class TestConflicts:
    """Two writers of one table."""

    def test_appends_do_not_conflict(self, store: Store) -> None:
        store.write("t", {"i": [1], "s": ["x"]})
        small = {"i": [2], "s": ["y"]}
        store.write("t", during(store, lambda other: other.write("t", small, mode="append")), mode="append")
        assert store.resolve().rows("t") == 2 + 2_000
        ids = read(store, columns=["_rowid"])["_rowid"].to_pylist()
        assert sorted(ids) == list(range(2_002))
        assert store.check().ok

    @pytest.mark.parametrize("mode", ["append", "replace"])
    def test_replace_and_drop_win_over_what_began_before(self, store: Store, mode: str) -> None:
        store.write("t", {"i": [1], "s": ["x"]})
        data = {"i": [3], "s": ["z"]}
        before = files(store)
        with pytest.raises(ConflictError, match=r"'t' was changed by snapshot 3 \(replace\)"):
            store.write("t", during(store, lambda other: other.write("t", data, mode="replace")), mode=mode)
        with pytest.raises(ConflictError, match=r"'t' was changed by snapshot 4 \(drop\)"):
            store.write("t", during(store, lambda other: other.drop_table("t")), mode=mode)
        assert files(store) == before

    def test_replace_loses_against_an_append(self, store: Store) -> None:
        store.write("t", {"i": [1], "s": ["x"]})
        action = {"i": [3], "s": ["z"]}
        with pytest.raises(ConflictError, match=r"changed by snapshot 3 \(append\)"):
            store.write(
                "t", during(store, lambda other: other.write("t", action, mode="append")), mode="replace"
            )
        assert store.resolve().rows("t") == 2

    def test_two_creates(self, store: Store) -> None:
        with pytest.raises(ConflictError, match=r"'T' was changed by snapshot 2 \(it got this name\)"):
            store.write("t", during(store, lambda other: other.write("T", {"a": [1]})))
        assert store.resolve().find("t").names == ("a",)

    def test_a_lost_lease_stops_the_commit(self, store: Store) -> None:
        def steal(other: Store) -> None:
            with other._catalog._database.write() as connection:
                connection.exec_driver_sql("DELETE FROM lease")

        with pytest.raises(CatalogError, match="lease ran out"):
            store.write("t", during(store, steal))
        assert files(store) == []

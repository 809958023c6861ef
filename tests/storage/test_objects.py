"""Objects of the catalog: versioned with the tables, part of the same commits, and never two of one name."""

from __future__ import annotations

from pathlib import Path

import pytest
from backends import on_both

from luma_bench.errors import CatalogError, ConflictError
from luma_bench.storage.store import Store

pytestmark = on_both

ROWS = {"a": [1, 2, 3]}


def names(store: Store, at: int | None = None) -> list[str]:
    return [item.name for item in store.resolve(at).objects_of("view")]


def test_an_object_lives_in_the_snapshots_between_its_creation_and_its_drop(tmp_path: Path) -> None:
    with Store.open(tmp_path / "b.luma") as store:
        before = store.head()
        with store.begin() as inside:
            inside.create_object("view", "V", '{"text": "SELECT 1"}', comment="one")
            assert inside.view().object("view", "v") is not None
        made = store.head()
        with store.begin() as inside:
            inside.alter_object("view", "v", definition='{"text": "SELECT 2"}')
        altered = store.head()
        with store.begin() as inside:
            inside.drop_object("view", "v")
        assert (names(store, before), names(store, made), names(store)) == ([], ["V"], [])
        first, second = (store.resolve(at).object("view", "V") for at in (made, altered))
        assert first is not None
        assert second is not None
        assert (first.id, first.comment) == (second.id, second.comment)
        assert (first.definition, second.definition) == ('{"text": "SELECT 1"}', '{"text": "SELECT 2"}')
        assert [item.operation for item in store.snapshots()][-3:] == [
            "create view",
            "alter view",
            "drop view",
        ]
    with Store.open(tmp_path / "b.luma", mode="r") as again:
        assert again.resolve(altered).objects == {("view", "v"): second}


def test_objects_and_tables_are_one_commit_or_none(tmp_path: Path) -> None:
    with Store.open(tmp_path / "b.luma") as store:
        head = store.head()
        dropped = store.begin()
        dropped.write("t", ROWS)
        dropped.create_object("view", "v", "{}")
        dropped.rollback()
        assert (store.head(), names(store)) == (head, [])
        with store.begin() as inside:
            inside.write("t", ROWS)
            inside.create_object("view", "v", "{}")
            inside.create_object("sequence", "v", "{}")
        found = store.resolve()
        assert found.id == head + 1
        assert found.snapshot.operation == "transaction"
        ids = {found.find("t").id, *(item.id for item in found.objects.values())}
        assert len(ids) == 3


def test_what_is_made_and_dropped_inside_is_no_change(tmp_path: Path) -> None:
    with Store.open(tmp_path / "b.luma") as store:
        head = store.head()
        with store.begin() as inside:
            inside.create_object("view", "v", "{}")
            inside.drop_object("view", "v")
        assert store.head() == head
        with store.begin() as inside:
            inside.create_object("view", "v", "{}")
        with store.begin() as inside:
            inside.drop_object("view", "v")
            inside.create_object("view", "V", '{"new": 1}')
            inside.alter_object("view", "v", rename="w", comment="renamed")
        assert [(item.name, item.comment) for item in store.resolve().objects_of("view")] == [
            ("w", "renamed")
        ]


def test_views_and_tables_share_their_names(tmp_path: Path) -> None:
    with Store.open(tmp_path / "b.luma") as store:
        store.write("t", ROWS)
        with store.begin() as inside:
            inside.create_object("view", "v", "{}")
            inside.create_object("schema", "t", "{}")  # names of another kind are free
        with pytest.raises(CatalogError, match="table 't' already"), store.begin() as inside:
            inside.create_object("view", "T", "{}")
        with pytest.raises(CatalogError, match="view 'v' already"):
            store.write("V", ROWS)
        with pytest.raises(CatalogError, match="table 't' already"), store.begin() as inside:
            inside.alter_object("view", "v", rename="T")
        with store.begin() as inside:
            inside.drop_table("t")
            inside.create_object("view", "t", "{}")
        assert names(store) == ["t", "v"]


@pytest.mark.parametrize("table_first", [False, True])
def test_two_writers_of_one_name_conflict(tmp_path: Path, table_first: bool) -> None:
    with Store.open(tmp_path / "b.luma") as store:
        store.write("other", ROWS)
        table, view = store.begin(), store.begin()
        table.write("x", ROWS)
        view.create_object("view", "X", "{}")
        first, second = (table, view) if table_first else (view, table)
        first.commit()
        with pytest.raises(ConflictError, match="got this name"):
            second.commit()


def test_of_two_changes_of_one_object_the_second_conflicts(tmp_path: Path) -> None:
    with Store.open(tmp_path / "b.luma") as store:
        with store.begin() as inside:
            inside.create_object("view", "v", "{}")
        first, second, third = store.begin(), store.begin(), store.begin()
        first.alter_object("view", "v", definition='{"by": 1}')
        second.alter_object("view", "v", definition='{"by": 2}')
        third.drop_object("view", "v")
        first.commit()
        for late in (second, third):
            with pytest.raises(ConflictError, match="View 'v'"):
                late.commit()
        with pytest.raises(CatalogError, match="no view 'w'"), store.begin() as inside:
            inside.drop_object("view", "w")


def test_nothing_is_left_in_a_schema_that_is_gone(tmp_path: Path) -> None:
    with Store.open(tmp_path / "b.luma") as store:
        for late in ("table", "view", "schema"):
            with store.begin() as inside:
                inside.create_object("schema", "s", "{}")
            maker, dropper = store.begin(), store.begin()
            if late == "view":
                maker.create_object("view", "s.v", "{}")
            else:
                maker.write("s.t", ROWS)
            dropper.drop_object("schema", "s")
            first, second = (maker, dropper) if late == "schema" else (dropper, maker)
            first.commit()
            with pytest.raises(ConflictError, match="takes to be as it was"):
                second.commit()
        assert store.resolve().object("schema", "s") is not None
        store.drop_table("s.t")
        with store.begin() as inside:
            inside.drop_object("schema", "s")
        # What is made and dropped together is nobody's business.
        with store.begin() as inside:
            inside.create_object("schema", "s", "{}")
            inside.write("s.t", ROWS)


def test_a_commit_relies_on_what_did_not_happen(tmp_path: Path) -> None:
    with Store.open(tmp_path / "b.luma") as store:
        store.write("parent", ROWS)
        store.write("child", ROWS)
        child = store.begin()
        child.write("child", ROWS, mode="append")
        child.rely("parent", ["delete", "update"])
        store.write("parent", ROWS, mode="append")  # nothing that it relies on
        child.commit()
        child = store.begin()
        child.write("child", ROWS, mode="append")
        child.rely("parent", ["delete", "update"])
        store.delete("parent", [0])
        with pytest.raises(ConflictError, match="constraint"):
            child.commit()
        assert store.resolve().rows("child") == 6

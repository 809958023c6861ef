"""Adjacency in files: another process finds it, nothing torn or altered is believed, and no answer depends on the disk."""

from __future__ import annotations

import errno
import itertools
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from topology_worlds import check, expected, graph_of, read

from luma_bench.bench.graph import topologies as module
from luma_bench.bench.graph import topology_making
from luma_bench.bench.graph.topologies import Topologies
from luma_bench.models.control import Control
from luma_bench.storage import index_files
from luma_bench.storage.evolve import RenameColumn
from luma_bench.storage.index_store import KEPT, remove_left_over
from luma_bench.storage.store import Store

GRAPH = graph_of({"v": ("k",)}, {"e": (("s",), "v", ("d",), "v")})
TEXTS = graph_of(
    {"v": ("k",), "place": ("a", "b")},
    {"e": (("s",), "v", ("d",), "v"), "in": (("s",), "v", ("a", "b"), "place")},
)


@pytest.fixture(autouse=True)
def stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tables are stored and have deltas, too."""
    for place in (module, topology_making):
        monkeypatch.setattr(place, "STORED", 1)
    monkeypatch.setattr(topology_making, "SMALL", 0)
    monkeypatch.setattr(topology_making, "SHARE", 4)


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "b.luma") as made:
        made.write("v", pa.table({"k": list(range(50)), "x": [0] * 50}))
        source, destination = np.random.default_rng(3).integers(0, 55, (2, 400))
        made.write(
            "e",
            pa.table({"s": pa.array([None, *source.tolist()], pa.int64()), "d": [1, *destination.tolist()]}),
        )
        yield made


def look(store: Store, topologies: Topologies, graph=GRAPH, at=None):
    view = store.resolve(at)
    found = topologies.get(graph, view, Control())
    check(found, expected(graph, read(store, view, graph)))
    return found


def generations(store: Store) -> list[Path]:
    return sorted((store.path / "index").glob("*/*/*"))


def files(store: Store) -> list[Path]:
    return sorted(path for folder in generations(store) for path in folder.iterdir())


def begun(store: Store, graph=GRAPH) -> None:
    """A first process that builds, stores and ends."""
    first = Topologies(store)
    look(store, first, graph)
    first.close()
    assert first.take_warnings() == ()


def never(*_: object) -> None:
    raise AssertionError("it was built")


def test_another_process_reads_what_the_first_built(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshots = len(store.snapshots())
    begun(store)
    assert len(store.snapshots()) == snapshots
    assert len(generations(store)) == 1
    assert store.check().ok
    monkeypatch.setattr(topology_making, "edge_base", never)
    found = look(store, Topologies(store))
    assert found.edges[0].dangling > 0
    assert found.edges[0].nulls == 1
    assert found.edges[0].out.base.neighbours.flags.writeable


def test_later_changes_are_told_from_the_files(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(store)
    monkeypatch.setattr(topology_making, "edge_base", never)
    store.write("e", pa.table({"s": [1, 2], "d": [3, 60]}), mode="append")
    look(store, Topologies(store))
    store.delete("e", np.array([5, 6]))
    store.update("v", np.array([7]), pa.table({"k": [7], "x": [1]}))
    look(store, Topologies(store))
    store.delete("v", np.array([9]))
    other = Topologies(store)
    look(store, other)
    for snapshot in range(3, store.head() + 1):
        look(store, other, at=snapshot)
    store.compact(retention="forever")
    look(store, other)
    look(store, Topologies(store))


def test_composite_keys_and_shared_vertices_come_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("place", pa.table({"a": ["x", "y", None], "b": [1, 1, 2]}))
    store.write("in", pa.table({"s": [1, 2, 3, 99], "a": ["x", "y", "x", "q"], "b": [1, 1, 7, 1]}))
    begun(store, TEXTS)
    assert len(generations(store)) == 2
    monkeypatch.setattr(topology_making, "edge_base", never)
    monkeypatch.setattr(topology_making, "vertex_base", never)
    look(store, Topologies(store), TEXTS)


def test_a_read_only_bench_reads_and_writes_nothing(store: Store) -> None:
    with Store.open(store.path, mode="r") as reader:
        first = Topologies(reader)
        look(reader, first)
        first.close()
    assert generations(store) == []
    begun(store)
    before = {path: path.read_bytes() for path in files(store)}
    with Store.open(store.path, mode="r") as reader:
        look(reader, Topologies(reader))
    assert {path: path.read_bytes() for path in files(store)} == before


def test_every_file_that_is_torn_altered_or_missing_is_built_again(store: Store) -> None:
    begun(store)
    count = len(files(store))
    draw = random.Random(7)
    for number, harm in itertools.product(range(count), ("torn", "altered", "missing")):
        path = files(store)[number]
        data = path.read_bytes()
        if harm == "missing":
            path.unlink()
        elif harm == "torn":
            path.write_bytes(data[:-1])
        else:
            at = draw.randrange(len(data))
            path.write_bytes(data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :])
        second = Topologies(store)
        look(store, second)
        second.close()
        warnings = second.take_warnings()
        assert len(warnings) == 1, (path.name, harm)
        assert "damaged and was built again" in warnings[0]
        store.compact(retention="forever")  # removes what was dropped
        assert len(generations(store)) == 1
        assert store.check().ok


def test_check_and_repair_find_what_was_altered(store: Store) -> None:
    begun(store)
    path = next(path for path in files(store) if path.name == "out.slots.npy")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    report = store.check()
    assert not report.ok
    assert [problem.kind for problem in report.problems] == ["index"]
    assert store.repair(dry_run=False).ok
    assert store.check().ok
    look(store, Topologies(store))


def test_a_damaged_index_of_a_read_only_bench_is_noted_once(store: Store) -> None:
    begun(store)
    path = next(path for path in files(store) if path.name == "out.indptr.npy")
    path.write_bytes(path.read_bytes()[:-8])
    with Store.open(store.path, mode="r") as reader:
        topologies = Topologies(reader)
        look(reader, topologies)
        assert len(topologies.take_warnings()) == 1
        assert topologies.take_warnings() == ()


@pytest.mark.parametrize("failing", [1, 3, 8])
def test_a_full_disk_fails_no_answer(store: Store, monkeypatch: pytest.MonkeyPatch, failing: int) -> None:
    opened = itertools.count(1)
    known = index_files.IndexWriter.open

    def full(self, name: str):
        if next(opened) == failing:
            raise OSError(errno.ENOSPC, "No space left on device")
        return known(self, name)

    monkeypatch.setattr(index_files.IndexWriter, "open", full)
    first = Topologies(store)
    look(store, first)
    first.drain()
    (warning,) = first.take_warnings()
    assert "could not be stored (No space left on device)" in warning
    assert generations(store) == []
    assert store.check().ok
    look(store, first)
    monkeypatch.setattr(index_files.IndexWriter, "open", known)
    begun(store)
    assert len(generations(store)) == 1


def test_a_catalog_that_takes_nothing_fails_no_answer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from luma_bench.errors import CatalogError
    from luma_bench.storage import index_store

    def failing(*_: object) -> None:
        raise CatalogError("The disk is full.")

    monkeypatch.setattr(index_store, "_list", failing)
    first = Topologies(store)
    look(store, first)
    first.drain()
    assert len(first.take_warnings()) == 1
    assert generations(store) == []


def test_a_later_generation_takes_the_place_of_the_one_before(store: Store) -> None:
    for number in range(KEPT + 3):
        begun(store)
        store.write(
            "e", pa.table({"s": [number] * 200 * 3**number, "d": list(range(200)) * 3**number}), mode="append"
        )
    begun(store)
    listed = store.indexes.generations(store.resolve().find("e").id, int(generations(store)[0].parent.name))
    assert len(listed) == KEPT
    assert [item.begin for item in listed] == sorted((item.begin for item in listed), reverse=True)
    assert listed[0].begin == store.head()
    assert store.check().ok
    store.compact(retention="forever")
    assert sorted(item.folder for item in listed) == generations(store)
    store.write("v", pa.table({"k": [1000], "x": [0]}), mode="append")
    store.compact(retention=0.0)
    assert generations(store) == [listed[0].folder]
    assert store.check().ok
    look(store, Topologies(store))


def test_generations_go_with_their_table(store: Store) -> None:
    begun(store)
    store.write("e", pa.table({"s": [1], "d": [2]}), mode="replace")
    look(store, Topologies(store))
    store.drop_table("e")
    assert store.check().ok
    store.compact(retention=0.0)
    assert generations(store) == []
    assert store.check().ok


def test_another_definition_has_an_index_of_its_own(store: Store) -> None:
    begun(store)
    backward = graph_of({"v": ("k",)}, {"e": (("d",), "v", ("s",), "v")})
    begun(store, backward)
    assert len({path.parent for path in generations(store)}) == 2
    store.alter("e", RenameColumn("s", "from"))
    renamed = graph_of({"v": ("k",)}, {"e": (("from",), "v", ("d",), "v")})
    begun(store, renamed)
    assert len({path.parent for path in generations(store)}) == 2


def test_what_a_transaction_staged_is_never_stored(store: Store) -> None:
    topologies = Topologies(store)
    with store.begin() as transaction:
        transaction.write("e", pa.table({"s": [1] * 900, "d": [2] * 900}), mode="append")
        view = transaction.view()
        check(topologies.get(GRAPH, view, Control()), expected(GRAPH, read(store, view, GRAPH)))
        topologies.drain()
        assert generations(store) == []
        transaction.rollback()


def test_what_a_writer_left_is_removed_later(store: Store) -> None:
    begun(store)
    (listed,) = generations(store)
    for name in ("01ARZ3NDEKTSV4RRFFQ69G5FAV", ".01ARZ3NDEKTSV4RRFFQ69G5FAW.part"):
        (listed.parent / name).mkdir()
        (listed.parent / name / "out.slots.npy").write_bytes(b"half of it")
    assert remove_left_over(store._catalog, time.time() - 3600)[0] == 0
    assert remove_left_over(store._catalog, time.time() + 1)[0] == 2
    assert generations(store) == [listed]
    look(store, Topologies(store))


def test_folding_makes_it_clean_for_the_next_process(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(store)
    topologies = Topologies(store)
    store.write("e", pa.table({"s": [1], "d": [2]}), mode="append")
    assert look(store, topologies).edges[0].out.delta is not None
    folded = topologies.fold(GRAPH, store.resolve(), Control())
    check(folded, expected(GRAPH, read(store, store.resolve(), GRAPH)))
    assert folded.edges[0].out.clean
    assert topologies.get(GRAPH, store.resolve(), Control()) is folded
    topologies.drain()
    monkeypatch.setattr(topology_making, "edge_base", never)
    assert look(store, Topologies(store)).edges[0].out.clean


def test_a_killed_writer_leaves_nothing_that_is_believed(store: Store) -> None:
    worker = Path(__file__).with_name("topology_killed_worker.py")
    draw = random.Random(11)
    for _ in range(4):
        process = subprocess.Popen([sys.executable, str(worker), str(store.path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(draw.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        topologies = Topologies(store)
        look(store, topologies)
        topologies.close()
        assert store.check().ok
    store.write("e", pa.table({"s": [1], "d": [2]}), mode="append")
    look(store, Topologies(store))

"""Bases of edge tables as files: what a process reads instead of building it, and what it checks before it believes it.

    index/<table id>/<index id>/<ulid>/
        manifest.json             sha256 and size of every file; the catalog holds the manifest's own sha256
        about.json                the shape, what the tables showed, counts, and the crc32c of every other file
        out.indptr.npy  out.neighbours.npy  out.slots.npy   into.…      int64, int32, int32; places inside of the tables
        rows.npy                  int64 row ids of the slots; missing where they are a range
        nulls.npy  loose.arrow    rows with a NULL in a key; rows whose key no vertex had, with their keys
        source.rows.npy  source.keys.arrow   destination.…   the vertices, in the order of their places, and their keys

`<index id>` is a number made of the shape, so that another definition of a graph never reads this index. Arrays are mapped
copy-on-write. Loading reads every byte once for its crc32c, which costs hundredths of a second for a hundred megabytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import google_crc32c
import numpy as np
import pyarrow as pa

from luma_bench.bench.graph.topology_bases import HeldEdges, HeldVertices, Known, built_at
from luma_bench.bench.graph.topology_shapes import Columns, EdgeShape, VertexShape, labels
from luma_bench.errors import CorruptionError
from luma_bench.models.graph.base import EdgeBase, VertexBase
from luma_bench.models.graph.row_ids import RowIds
from luma_bench.models.graph.topology import Csr
from luma_bench.storage.index_files import IndexWriter, verify_index
from luma_bench.storage.index_store import Generation, IndexStore
from luma_bench.storage.table_rows import Shown

KIND = "csr"
FORMAT = 1
ABOUT = "about.json"
_BLOCK = 1 << 22
_ENDS = ("source", "destination")

Intern = Callable[[HeldVertices], HeldVertices]
"""Gives the vertices that are held already where they are the same."""


def index_id(shape: EdgeShape) -> int:
    """The number of the index of an edge table: the same in every process, another one for every other shape."""
    data = json.dumps(asdict(shape), sort_keys=True).encode()
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "big") >> 1


def save(indexes: IndexStore, held: HeldEdges, name: str) -> Generation | None:
    """Store a base that was built from committed rows; None when there is a later one.

    Raises
    ------
    OSError, LumaError
        It cannot be stored, and nothing of it is.
    """
    shape = held.shape
    return indexes.write(
        shape.table,
        index_id(shape),
        held.base.snapshot,
        KIND,
        lambda writer: _fill(writer, held, name),
        library={"numpy": np.__version__, "pyarrow": pa.__version__},
        parameters={"shape": asdict(shape), "format": FORMAT, "edges": held.base.count},
    )


def load(generation: Generation, shape: EdgeShape, intern: Intern) -> HeldEdges | None:
    """A base from its files; None when a later version wrote it, in a form that this one does not know.

    Raises
    ------
    CorruptionError
        A file is missing, torn or altered.
    """
    folder = generation.folder
    for error in verify_index(folder, generation.sha256, deep=False):
        raise error
    try:
        return _load(folder, generation, shape, intern)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowInvalid) as error:
        raise CorruptionError.file_of(generation.ulid, f"the index cannot be read: {error}") from error


class _Files:
    """Writes files and notes their crc32c."""

    def __init__(self, writer: IndexWriter) -> None:
        self.sums: dict[str, int] = {}
        self._writer = writer

    def write(self, name: str, fill: Callable[[IO[bytes]], None]) -> None:
        with self._writer.open(name) as stream:
            summed = _Summed(stream)
            fill(summed)  # type: ignore[arg-type]
        self.sums[name] = summed.crc

    def array(self, name: str, values: np.ndarray[Any, Any]) -> None:
        held = np.ascontiguousarray(values)
        self.write(name, lambda stream: np.lib.format.write_array(stream, held, allow_pickle=False))

    def table(self, name: str, table: pa.Table) -> None:
        def fill(stream: IO[bytes]) -> None:
            with pa.ipc.new_file(pa.PythonFile(stream, "w"), table.schema) as writer:
                writer.write_table(table)

        self.write(name, fill)


class _Summed:
    """A file that is written, with the crc32c of what was."""

    closed = False

    def __init__(self, stream: IO[bytes]) -> None:
        self.crc = 0
        self._stream = stream

    def write(self, data: Any) -> int:
        given = bytes(data)
        self.crc = google_crc32c.extend(self.crc, given)
        return self._stream.write(given)

    def flush(self) -> None:
        self._stream.flush()

    def tell(self) -> int:
        return self._stream.tell()


def _fill(writer: IndexWriter, held: HeldEdges, name: str) -> None:
    files, base = _Files(writer), held.base
    out, into, (sources, destinations) = base.local()
    for label, csr, first in (("out", out, destinations), ("into", into, sources)):
        files.array(f"{label}.indptr.npy", csr.indptr)
        files.array(f"{label}.neighbours.npy", csr.neighbours - np.int32(first) if first else csr.neighbours)
        files.array(f"{label}.slots.npy", csr.slots)
    about: dict[str, Any] = {
        "format": FORMAT,
        "shape": asdict(held.shape),
        "graph": name,
        "snapshot": base.snapshot,
        "shown": _shown_of(held.known),
        "rows": _rows(files, "rows.npy", base.row_ids),
    }
    files.array("nulls.npy", base.null_ids)
    files.table("loose.arrow", base.loose)
    for label, vertices in zip(_ENDS, (held.source, held.destination), strict=True):
        if label == "destination" and vertices is held.source:
            about[label] = "source"
            continue
        columns = _columns(vertices.shape)
        keys = [_plain(column) for column in vertices.base.columns(labels(columns))]
        about[label] = {
            "table": vertices.base.table,
            "shown": _shown_of(vertices.known),
            "rows": _rows(files, f"{label}.rows.npy", vertices.base.row_ids),
        }
        files.table(f"{label}.keys.arrow", pa.Table.from_arrays(keys, names=list(labels(columns))))
    about["crc32c"] = files.sums
    with writer.open(ABOUT) as stream:
        stream.write(json.dumps(about).encode())


def _rows(files: _Files, name: str, rows: RowIds) -> dict[str, int | None]:
    if rows.start is None:
        files.array(name, rows.array)
    return {"start": rows.start, "count": len(rows)}


def _shown_of(known: Known) -> list[Any]:
    state = known.states[0].shown
    return [[part, list(ids)] for part, ids in state.parts]


def _columns(shape: VertexShape) -> Columns:
    return tuple(dict.fromkeys(column for key in shape.keys for column in key))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _load(folder: Path, generation: Generation, shape: EdgeShape, intern: Intern) -> HeldEdges | None:
    manifest = generation.manifest()
    data = (folder / ABOUT).read_bytes()
    if hashlib.sha256(data).hexdigest() != manifest.files[ABOUT].sha256:
        raise CorruptionError.file_of(generation.ulid, f"its file {ABOUT!r} does not match its checksum")
    about = json.loads(data)
    if about["format"] > FORMAT:
        return None
    if about["shape"] != json.loads(json.dumps(asdict(shape))):
        raise CorruptionError.file_of(generation.ulid, "it is the index of something else")
    sums: dict[str, int] = about["crc32c"]
    if set(sums) | {ABOUT} != set(manifest.files):
        raise CorruptionError.file_of(generation.ulid, "its files are not those that it lists")
    for name, crc in sums.items():
        if _crc(folder / name) != crc:
            raise CorruptionError.file_of(generation.ulid, f"its file {name!r} does not match its checksum")
    out, into = (
        Csr(*(_array(folder / f"{label}.{part}.npy") for part in ("indptr", "neighbours", "slots")))
        for label in ("out", "into")
    )
    base = EdgeBase(
        int(about["snapshot"]),
        _row_ids(folder / "rows.npy", about["rows"]),
        _table(folder / "loose.arrow"),
        _array(folder / "nulls.npy"),
        out,
        into,
    )
    source = intern(_vertices(folder, "source", about["source"], shape.source.vertices))
    destination = (
        source
        if about["destination"] == "source"
        else intern(_vertices(folder, "destination", about["destination"], shape.destination.vertices))
    )
    known = Known([built_at(_known(shape.table, about["shown"]))])
    return HeldEdges(shape, base, known, source, destination, generation.ulid)


def _vertices(folder: Path, label: str, about: Any, shape: VertexShape) -> HeldVertices:
    keys = _table(folder / f"{label}.keys.arrow")
    base = VertexBase(
        about["table"],
        _row_ids(folder / f"{label}.rows.npy", about["rows"]),
        lambda names: [keys.column(name) for name in names],
    )
    return HeldVertices(shape, base, Known([built_at(_known(shape.table, about["shown"]))]))


def _known(table: int, parts: Any) -> Shown:
    return Shown(table, tuple((str(part), tuple(ids)) for part, ids in parts))


def _row_ids(path: Path, about: Any) -> RowIds:
    start, count = about["start"], int(about["count"])
    return RowIds(int(start), count) if start is not None else RowIds(0, count, _array(path))


def _array(path: Path) -> np.ndarray[Any, Any]:
    # Copy on write: compiled kernels are for arrays that may be written to.
    if path.stat().st_size == 0:
        raise ValueError(f"{path.name} is empty")
    held = np.load(path, allow_pickle=False) if _no_values(path) else np.load(path, mmap_mode="c")
    return np.asarray(held)


def _no_values(path: Path) -> bool:
    """Whether an array holds nothing, which cannot be mapped."""
    with path.open("rb") as stream:
        np.lib.format.read_magic(stream)
        shape, _, _ = np.lib.format.read_array_header_1_0(stream)
    return 0 in shape


def _table(path: Path) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def _crc(path: Path) -> int:
    crc = 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            crc = google_crc32c.extend(crc, block)
    return crc

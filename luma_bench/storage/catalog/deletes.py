"""Deletion vectors: the places of deleted rows in a part, as bytes in the catalog and as what a snapshot sees.

A deletion lists only the rows that its own snapshot deleted, so that two writers' deletions on one segment stand beside
each other, and what a snapshot changed can be told. What is deleted at a snapshot is the union.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import google_crc32c
import numpy as np
from pcodec import ChunkConfig, standalone

from luma_bench.errors import CorruptionError, SnapshotExpired

_RAW, _PCODEC = b"\x00", b"\x01"
_SMALL = 64
_CACHED = 4096


@dataclass(frozen=True, slots=True)
class DeletionRef:
    """A deletion as the catalog lists it: `rows` rows of one part, since snapshot `begin`."""

    id: int
    part: str
    rows: int
    begin: int


Fetch = Callable[[Sequence[int]], Mapping[int, tuple[int, bytes]]]
"""Gives checksum and bytes of deletions by id; collected ones are left out."""


def encode(positions: np.ndarray) -> tuple[bytes, int]:
    """Sorted positions as bytes, and their crc32c: uint32 as they are where they are few, else by pcodec."""
    values = np.ascontiguousarray(positions, np.uint32)
    data = (
        _RAW + values.tobytes()
        if len(values) <= _SMALL
        else _PCODEC + standalone.simple_compress(values, ChunkConfig(compression_level=4))
    )
    return data, google_crc32c.value(data)


def decode(ref: DeletionRef, crc32c: int, data: bytes) -> np.ndarray:
    """The sorted int64 positions.

    Raises
    ------
    CorruptionError
        The bytes are not those that were written.
    """
    where = f"deletion {ref.id} of part {ref.part}"
    if google_crc32c.value(data) != crc32c:
        raise CorruptionError.file_of(where, "the checksum is wrong")
    try:
        values = (
            np.frombuffer(data, np.uint32, offset=1)
            if data[:1] == _RAW
            else np.asarray(standalone.simple_decompress(data[1:]))
        )
    except (RuntimeError, ValueError) as error:
        raise CorruptionError.file_of(where, str(error)) from error
    if len(values) != ref.rows:
        raise CorruptionError.file_of(where, f"{len(values):,} rows where the catalog says {ref.rows:,}")
    return values.astype(np.int64)


class DeletionCache:
    """The union of a part's deletions, decoded once for each set of them. Thread-safe."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[tuple[int, ...], np.ndarray]] = OrderedDict()

    def __call__(self, parts: Mapping[str, Sequence[DeletionRef]]) -> dict[str, np.ndarray]:
        """The sorted int64 positions of the deleted rows of each part.

        Raises
        ------
        CorruptionError
            A deletion is damaged.
        SnapshotExpired
            One was collected.
        """
        found: dict[str, np.ndarray] = {}
        missing: dict[str, Sequence[DeletionRef]] = {}
        starts: dict[str, np.ndarray] = {}
        with self._lock:
            for part, refs in parts.items():
                ids = tuple(ref.id for ref in refs)
                held = self._held.get(part)
                if held is not None and held[0] == ids:
                    found[part] = held[1]
                elif held is not None and ids[: len(held[0])] == held[0]:
                    starts[part], missing[part] = held[1], refs[len(held[0]) :]
                else:
                    missing[part] = refs
        if missing:
            data = self._fetch([ref.id for refs in missing.values() for ref in refs])
            for part, refs in missing.items():
                first = starts.get(part)
                pieces = [] if first is None else [first]
                for ref in refs:
                    if ref.id not in data:
                        raise SnapshotExpired(
                            "Rows deleted at this snapshot were collected.", hint="Read a newer snapshot."
                        )
                    pieces.append(decode(ref, *data[ref.id]))
                found[part] = (
                    pieces[0] if len(pieces) == 1 else np.sort(np.concatenate(pieces), kind="stable")
                )
            with self._lock:
                for part in missing:
                    self._held[part] = (tuple(ref.id for ref in parts[part]), found[part])
                    self._held.move_to_end(part)
                while len(self._held) > _CACHED:
                    self._held.popitem(last=False)
        return found

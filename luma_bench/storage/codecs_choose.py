"""Which codec an array gets: candidates follow from its element type, a trial on a sample of it decides.

A level-0 segment is written fast, for a compaction to write anew: lz4 inside blosc. Higher levels are written to be
small: pcodec for most numbers, zstd or lz4 for the rest. Sizes are weighed by how fast a candidate decodes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from luma_bench.storage.codecs import PCO, ZSTD, Codec, Pcodec, Zstd
from luma_bench.storage.codecs_blosc import MAX_BYTES, MAX_TYPESIZE, Blosc

CODECS: dict[str, Codec] = {codec.name: codec for codec in (PCO, ZSTD, Blosc())}
"""What decodes the chunks of an array, by the name in the segment's index."""

FROM_BYTES = frozenset({PCO.name})
"""The codecs that decode from `bytes` alone; the others read any buffer."""

TABLE_CODECS = ("auto", "exchange", "lz4", "zstd", "pco")
"""The values of `TableSettings.codec`.

`auto` is lz4 first and the smallest after a compaction; `exchange` is plain zstd, which every Zarr v3 reader decodes;
`lz4` stays fastest to read; `zstd` does without pcodec, which GPU libraries do not decode; `pco` is small at once.
"""

SMALL = Zstd(3)
_FAST_SAMPLE = 1 << 14
_SMALL_SAMPLE = 1 << 16

Weighed = tuple[Codec, float]
"""A candidate, and what its size is multiplied by: more than 1 for what decodes more slowly."""


def choose(
    dtype: np.dtype,
    width: int,
    parts: Sequence[np.ndarray | None],
    chunk: int,
    *,
    level: int,
    table_codec: str,
) -> Codec:
    """The codec of an array.

    Parameters
    ----------
    dtype, width
        The element type, and how many elements make one value (more than one only for opaque bytes).
    parts
        The elements of each chunk; None or empty for a chunk that is left out.
    chunk
        The elements of a chunk in Zarr's eyes, padding included.
    level
        The segment's level: 0 is written fast, more is written small.
    table_codec
        `TableSettings.codec`, one of `TABLE_CODECS`.
    """
    found = _candidates(dtype, width, level > 0, table_codec)
    held = [part for part in parts if part is not None and len(part)]
    # blosc has one frame a chunk, so padding is encoded and decoded with the data: zstd's second frame costs nothing.
    if chunk * dtype.itemsize > MAX_BYTES or chunk * len(held) > 2 * sum(map(len, held)) + chunk:
        found = [pair for pair in found if not isinstance(pair[0], Blosc)] or [(ZSTD, 1.0)]
    if len(found) == 1 or not held:
        return found[0][0]
    sample = _sample(held, width, _SMALL_SAMPLE if level else _FAST_SAMPLE)
    sizes = [len(codec.encode(sample, 0).data) * weight for codec, weight in found]
    return found[sizes.index(min(sizes))][0]


def _candidates(dtype: np.dtype, width: int, small: bool, table_codec: str) -> list[Weighed]:
    """What may encode an array; the first wins a tie."""
    if table_codec == "exchange":
        return [(SMALL if small else ZSTD, 1.0)]
    size = dtype.itemsize * width
    if size > MAX_TYPESIZE:
        return [(SMALL if small else ZSTD, 1.0)]
    if table_codec == "zstd" or (small and table_codec != "lz4") or (table_codec == "pco" and size == 1):
        zstd = SMALL if small else ZSTD
        dense: list[Weighed] = [
            (Blosc("zstd", 1, "bitshuffle" if size == 1 else "shuffle", size), 1.1),
            (zstd, 1.1),
        ]
    else:
        dense = []
    numbers = size > 1 and width == 1
    if table_codec == "pco" and numbers:
        return [(PCO, 1.0), (Pcodec(4), 1.02)]
    if table_codec == "zstd":
        return dense
    fast: list[Weighed] = [(Blosc("lz4", 5, "shuffle", size), 1.0)] if size > 1 else []
    fast += [
        (Blosc("lz4", 5, "bitshuffle", size), 1.0 if size == 1 else 1.05),
        (Blosc("lz4", 5, "noshuffle", size), 1.05),
    ]
    if not small or table_codec == "lz4":
        return fast
    if not numbers:
        return fast + dense
    return [(PCO, 1.05), (Pcodec(4), 1.07), (fast[0][0], 1.0), *[(codec, 1.2) for codec, _ in dense]]


def _sample(parts: Sequence[np.ndarray], width: int, count: int) -> np.ndarray:
    """About `count` elements from the middle of one chunk: of the longest, so that a short last chunk does not decide."""
    part = max(parts, key=len)
    count -= count % width
    start = max(0, (len(part) - count) // 2)
    start -= start % width
    return part[start : start + count]

"""The graphs of `make bench-graph`, made here from fixed seeds: a power-law graph, a road map, and a social network's tables.

`rmat` follows Graph500: 2^18 vertices and 16 edges drawn for each, without self-loops and repeats, about 3.9 million left, in
random order. `grid` is a square of crossings with streets in both directions, one of twelve missing, and lengths that the
straight line never exceeds. `snb` has persons who know each other, posts, what persons like and what posts are tagged with,
in the proportions of LDBC's social network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

BITS, SIDE = 18, 700
"""Of the number of vertices of `rmat`, and crossings along a side of `grid`, in full size."""
_PERSON_BITS, _POSTS, _TAGS, _LIKES = 16, 400_000, 5_000, 3_000_000
_A, _B, _C = 0.57, 0.19, 0.19
"""Graph500's chances of the quarters of the adjacency matrix."""

type Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Graph:
    """The tables of one graph as Parquet files; the first is that of its vertices, for `rmat` and `grid`."""

    name: str
    files: Mapping[str, Path]

    def table(self, name: str) -> pa.Table:
        """One of its tables, in memory."""
        return pq.read_table(self.files[name])


def rmat_of(bits: int, folder: Path) -> Graph:
    """Tables `v (id, age)` and `e (s, d, w)`: 2^bits vertices."""
    return _graph(f"rmat-{bits}", folder, ("v", "e"), lambda: _rmat(bits))


def grid_of(side: int, folder: Path) -> Graph:
    """Tables `v (id, x, y)` and `e (s, d, w)`: side x side vertices; `w` is at least the straight line."""
    return _graph(f"grid-{side}", folder, ("v", "e"), lambda: _grid(side))


def snb_of(scale: float, folder: Path) -> Graph:
    """Tables `person (id)`, `post (id, day)`, `tag (id)`, `knows (a, b)`, `likes (p, post)`, `hastag (post, tag)`."""
    names = ("person", "post", "tag", "knows", "likes", "hastag")
    return _graph(f"snb-{scale:g}", folder, names, lambda: _snb(scale))


def sizes(scale: float) -> tuple[int, int]:
    """The bits of `rmat` and the side of `grid` at a share of the full size."""
    return max(8, BITS + round(math.log2(scale))), max(20, round(SIDE * math.sqrt(scale)))


def _graph(
    name: str, folder: Path, tables: tuple[str, ...], make: Callable[[], Mapping[str, pa.Table]]
) -> Graph:
    """The files of a graph; those that an earlier run left are taken as they are."""
    files = {table: folder / f"{name}-{table}.parquet" for table in tables}
    if not all(file.exists() for file in files.values()):
        folder.mkdir(parents=True, exist_ok=True)
        for table, rows in make().items():
            part = files[table].with_suffix(".part")
            pq.write_table(rows, part)
            part.rename(files[table])
    return Graph(name, files)


def _rmat(bits: int) -> dict[str, pa.Table]:
    random = np.random.default_rng(7)
    source, destination = _power_law(random, bits, 16)
    order = random.permutation(len(source))
    return {
        "v": pa.table({"id": np.arange(1 << bits), "age": random.integers(10, 90, 1 << bits)}),
        "e": pa.table({"s": source[order], "d": destination[order], "w": random.random(len(order)) + 0.01}),
    }


def _power_law(random: np.random.Generator, bits: int, degree: int) -> tuple[Ints, Ints]:
    """The edges of a Graph500 matrix, each once and without self-loops, under shuffled numbers."""
    count = degree << bits
    source, destination = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for bit in range(bits):
        drawn = random.random(count)
        below = drawn > _A + _B
        right = ((drawn > _A) & ~below) | (drawn > _A + _B + _C)
        source |= below.astype(np.int64) << bit
        destination |= right.astype(np.int64) << bit
    numbers = random.permutation(1 << bits)
    source, destination = numbers[source], numbers[destination]
    pairs = np.unique((source << bits | destination)[source != destination])
    return pairs >> bits, pairs & ((1 << bits) - 1)


def _grid(side: int) -> dict[str, pa.Table]:
    random = np.random.default_rng(13)
    count = side * side
    at = np.arange(count).reshape(side, side)
    streets = np.concatenate(
        (
            np.stack((at[:, :-1].ravel(), at[:, 1:].ravel()), axis=1),
            np.stack((at[:-1].ravel(), at[1:].ravel()), axis=1),
        )
    )
    streets = streets[random.random(len(streets)) > 0.08]
    places = np.stack((np.repeat(np.arange(side), side), np.tile(np.arange(side), side)), axis=1)
    places = places + random.random((count, 2)) * 0.4
    line = np.hypot(*(places[streets[:, 0]] - places[streets[:, 1]]).T)
    length = line * (1 + random.random(len(streets)) * 0.8)
    both = np.concatenate((streets, streets[:, ::-1]))
    order = random.permutation(len(both))
    return {
        "v": pa.table({"id": np.arange(count), "x": places[:, 0], "y": places[:, 1]}),
        "e": pa.table(
            {"s": both[order, 0], "d": both[order, 1], "w": np.concatenate((length, length))[order]}
        ),
    }


def _snb(scale: float) -> dict[str, pa.Table]:
    random = np.random.default_rng(17)
    bits = max(6, _PERSON_BITS + round(math.log2(scale)))
    persons, posts, likes = 1 << bits, max(100, round(_POSTS * scale)), max(500, round(_LIKES * scale))
    knows = _power_law(random, bits, 12)
    # A few persons like very much, and a few tags are on very many posts.
    eager = random.permutation(persons)[random.zipf(1.6, likes) % persons]
    liked = _pairs(eager, random.integers(0, posts, likes), posts)
    tagged = _pairs(np.repeat(np.arange(posts), 3), random.zipf(1.4, 3 * posts) % _TAGS, _TAGS)

    def edges(names: tuple[str, str], ends: tuple[Ints, Ints]) -> pa.Table:
        order = random.permutation(len(ends[0]))
        return pa.table({name: end[order] for name, end in zip(names, ends, strict=True)})

    return {
        "person": pa.table({"id": np.arange(persons)}),
        "post": pa.table({"id": np.arange(posts), "day": random.integers(0, 1000, posts)}),
        "tag": pa.table({"id": np.arange(_TAGS)}),
        "knows": edges(("a", "b"), knows),
        "likes": edges(("p", "post"), liked),
        "hastag": edges(("post", "tag"), tagged),
    }


def _pairs(left: Ints, right: Ints, most: int) -> tuple[Ints, Ints]:
    """Each pair once."""
    found = np.unique(left * most + right)
    return found // most, found % most


def starts_of(edges: pa.Table, count: int, *, least: int = 1, seed: int = 3) -> list[int]:
    """Different vertices that at least so many edges leave, drawn from a seed; of `s`, or of the first column."""
    degrees = np.bincount(edges.column(0).to_numpy())
    known = np.flatnonzero(degrees >= least)
    return [int(v) for v in np.random.default_rng(seed).choice(known, min(count, len(known)), replace=False)]

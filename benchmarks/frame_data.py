"""The tables of the db-benchmark (group-by `G1`, joins `J1`), made here after its published generators, from a fixed seed.

`K` = 100 groups a key and no missing values: `G1_1e7_1e2_0_0` and `J1_1e7_NA_0_0` at ten million rows. The random numbers
are NumPy's, so the values are not those of R's generator; their types, ranges and numbers of groups are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

GROUPS = 100
"""Values of a small key."""
GROUPED, JOINED = ("x",), ("x", "small", "medium", "big")
"""The tables of the two tasks."""

type Ints = np.ndarray


def generate(rows: int, folder: Path) -> dict[str, dict[str, Path]]:
    """Parquet files by task and table; those that an earlier run left are taken as they are.

    Parameters
    ----------
    rows
        Of the large tables, a multiple of a million (or, for a trial, at least ten thousand).
    """
    made: dict[str, dict[str, Path]] = {}
    tasks: Mapping[str, tuple[tuple[str, ...], Callable[[int], Mapping[str, pa.Table]]]] = {
        "groupby": (GROUPED, grouped),
        "join": (JOINED, joined),
    }
    for task, (names, make) in tasks.items():
        files = {name: folder / f"{task}-{rows}-{name}.parquet" for name in names}
        if not all(file.exists() for file in files.values()):
            folder.mkdir(parents=True, exist_ok=True)
            for name, table in make(rows).items():
                part = files[name].with_suffix(".part")
                pq.write_table(table, part, compression="zstd", row_group_size=122_880)
                part.rename(files[name])
        made[task] = files
    return made


def grouped(rows: int) -> dict[str, pa.Table]:
    """Nine columns: three text keys, three integer keys, two small integers and a number with six digits."""
    random = np.random.default_rng(108)
    many = max(1, rows // GROUPS)
    return {
        "x": pa.table(
            {
                "id1": _words("id{:03d}", GROUPS, random.integers(1, GROUPS + 1, rows)),
                "id2": _words("id{:03d}", GROUPS, random.integers(1, GROUPS + 1, rows)),
                "id3": _words("id{:010d}", many, random.integers(1, many + 1, rows)),
                "id4": random.integers(1, GROUPS + 1, rows),
                "id5": random.integers(1, GROUPS + 1, rows),
                "id6": random.integers(1, many + 1, rows),
                "v1": random.integers(1, 6, rows),
                "v2": random.integers(1, 16, rows),
                "v3": np.round(random.uniform(0, 100, rows), 6),
            }
        )
    }


def joined(rows: int) -> dict[str, pa.Table]:
    """A large left table, and right ones of a millionth, a thousandth and all of its rows.

    Nine tenths of the keys are on both sides, one tenth on each side alone; the text keys are the integer ones as words.
    """
    random = np.random.default_rng(109)
    sizes = (max(10, rows // 1_000_000), max(10, rows // 1_000), rows)
    left, right = zip(*(_keys(random, size) for size in sizes), strict=True)
    own = [_all(random, keys, rows) for keys in left]

    def table(ids: tuple[int, ...], keys: list[Ints], value: str, most: int) -> pa.Table:
        columns: dict[str, pa.Array] = {f"id{i + 1}": pa.array(keys[i]) for i in ids}
        for i in ids:
            columns[f"id{i + 4}"] = _words("id{:d}", int(keys[i].max()), keys[i])
        columns[value] = pa.array(np.round(random.uniform(0, 100, most), 6))
        return pa.table(columns)

    tables = {"x": table((0, 1, 2), own, "v1", rows)}
    for place, name in enumerate(JOINED[1:]):
        size = sizes[place]
        keys = [_all(random, right[i], size) for i in range(place + 1)]
        # The key that the table is joined by occurs once for each of its values.
        keys[place] = random.permutation(right[place])
        tables[name] = table(tuple(range(place + 1)), keys, "v2", size)
    return tables


def _keys(random: np.random.Generator, size: int) -> tuple[Ints, Ints]:
    keys = random.permutation(np.arange(1, size + size // 10 + 1))
    both = size - size // 10
    return keys[:size], np.concatenate([keys[:both], keys[size:]])


def _all(random: np.random.Generator, keys: Ints, rows: int) -> Ints:
    """Each key at least once where there is room, the others by chance, shuffled."""
    if len(keys) >= rows:
        return random.permutation(keys)[:rows]
    return random.permutation(np.concatenate([keys, random.choice(keys, rows - len(keys))]))


def _words(form: str, most: int, numbers: Ints) -> pa.Array:
    words = pa.array([form.format(number) for number in range(most + 1)])
    return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32)), words).cast(pa.string())

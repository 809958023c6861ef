"""JSON files of which some records may be wrong: each is parsed by itself, each value read as its column's type by itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from luma_bench.engines.duck_aside import AsideThread
from luma_bench.engines.duck_csv import sql_types
from luma_bench.engines.duck_guess import NEARLY_ALL, SAMPLE_ROWS, guess_types
from luma_bench.engines.duck_result import ResultShape, result_shape
from luma_bench.engines.duck_text import check_text, file_connection, text_error
from luma_bench.errors import LumaError
from luma_bench.types.reject import Late, Portion, Reject
from luma_bench.types.sql_text import quoted, string_literal

_ROWS = 32_768
_BLOCK = 8 << 20
_WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"})  # fmt: skip
_SPACE = b" \t\r\n"


class JsonFiles:
    """An `ImportSource` over JSON files: an object a line, or one array of objects. Ranks count the file's records."""

    def __init__(self, paths: Sequence[Path], target: pa.Schema | None, limit: int) -> None:
        check_text(paths, {})
        self._paths = paths
        self._limit = limit
        self._aside = AsideThread()
        self._con: duckdb.DuckDBPyConnection | None = file_connection(paths)
        self._found: list[Reject] = []
        self._ranks: dict[str, int] = {}
        self._lines: dict[tuple[str, int], int] = {}
        self.refused = 0
        self.total: int | None = None
        try:
            self._types: dict[str, str] = self._call(lambda con: self._columns(con, target))
            self._query = _query(self._types)
            self._shape: ResultShape = self._call(self._described)
        except BaseException:
            self.close()
            raise

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return pa.schema(list(self._shape.schema)[: len(self._types)])

    def portions(self) -> Iterator[Portion]:
        """The records that could be read."""
        for path in self._paths:
            for records in self._records(path):
                portion = self._call(lambda con, path=path, records=records: self._read(con, path, records))
                if portion is not None:
                    yield portion

    def rejects(self, late: Sequence[Late]) -> list[Reject]:
        """What was refused, and `late` with its lines."""
        behind = [
            Reject(
                item.file,
                self._line(item.file, item.rank),
                item.rank + 1,
                item.column,
                item.reason,
                item.text,
            )
            for item in late
        ]
        return [*self._found, *behind]

    def close(self) -> None:
        """End the reading."""
        con, self._con = self._con, None
        if con is not None:
            con.close()
        self._aside.close()

    def _line(self, file: str | None, rank: int) -> int | None:
        """The line of a record: that of its rank, but for blank lines before it."""
        assert file is not None
        if _is_array(Path(file)):
            return None
        held = self._lines
        if (file, rank) not in held:
            for record, (number, _) in enumerate(_numbered(Path(file))):
                if record == rank:
                    held[file, rank] = number
                    break
        return held.get((file, rank))

    def _call(self, work: Callable[[duckdb.DuckDBPyConnection], Any]) -> Any:
        con = self._con
        if con is None:
            return None
        try:
            return self._aside.call(lambda: work(con), con.interrupt)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            self.close()
            raise text_error(error, self._paths, "json") from error

    def _records(self, path: Path) -> Iterator[list[tuple[int | None, bytes]]]:
        """Line and bytes of every record, some thousands at a time."""
        source = self._elements(path) if _is_array(path) else _numbered(path)
        waiting: list[tuple[int | None, bytes]] = []
        size = 0
        for item in source:
            waiting.append(item)
            size += len(item[1])
            if len(waiting) == _ROWS or size > 64 << 20:
                yield waiting
                waiting, size = [], 0
        if waiting:
            yield waiting

    def _elements(self, path: Path) -> Iterator[tuple[None, bytes]]:
        """The elements of an array; text that is no JSON ends the file, since nothing says where the next one begins."""
        con = self._con
        assert con is not None
        cursor = con.cursor()
        try:
            cursor.execute(
                f"SELECT json::VARCHAR FROM read_json_objects({string_literal(str(path))}, format = 'array')"
            )
            while rows := self._aside.call(lambda: cursor.fetchmany(_ROWS), cursor.interrupt):
                for (text,) in rows:
                    yield None, text.encode()
        except duckdb.Error as error:
            raise text_error(error, [path], "json") from error
        finally:
            cursor.close()

    def _columns(self, con: duckdb.DuckDBPyConnection, target: pa.Schema | None) -> dict[str, str]:
        """Every column of the files, in order of appearance, with its SQL type."""
        texts: list[str] = []
        for path in self._paths:
            for records in self._records(path):
                texts += [text for _, data in records if (text := _decoded(data)) is not None]
                if len(texts) >= SAMPLE_ROWS:
                    break
            if len(texts) >= SAMPLE_ROWS:
                break
        con.register("luma_texts", pa.table({"t": pa.array(texts[:SAMPLE_ROWS], pa.string())}))
        con.execute(
            "CREATE TEMP TABLE luma_sample AS SELECT t FROM luma_texts WHERE json_valid(t) AND json_type(t) = 'OBJECT'"
        )
        con.unregister("luma_texts")
        names = [
            row[0]
            for row in con.execute(
                "SELECT name FROM (SELECT unnest(json_keys(t)) AS name FROM luma_sample) GROUP BY name ORDER BY count(*) DESC, name"
            ).fetchall()
        ]
        first = con.execute("SELECT json_keys(t) FROM luma_sample LIMIT 1").fetchall()
        if not first:
            raise LumaError(
                f"{self._paths[0]} has no JSON object among its first {SAMPLE_ROWS:,} records.",
                hint="Give a file of one object a line, or of one array of objects.",
            )
        ordered = [*first[0][0], *(name for name in names if name not in first[0][0])]
        wanted = (
            {} if target is None else {name.casefold(): sql for name, sql in sql_types(con, target).items()}
        )
        types = {
            name: wanted.get(name.casefold()) or self._guessed(con, name) for name in dict.fromkeys(ordered)
        }
        con.execute("DROP TABLE luma_sample")
        return types

    def _guessed(self, con: duckdb.DuckDBPyConnection, name: str) -> str:
        value = f"json_extract(t, {_path(name)})"
        rows = con.execute(
            f"SELECT json_structure({value})::VARCHAR, count(*) FROM luma_sample WHERE coalesce(json_type({value}), 'NULL') <> 'NULL' GROUP BY 1"
        ).fetchall()
        counts = Counter[str](dict(rows))
        if not counts:
            return "VARCHAR"
        texts = counts['"VARCHAR"']
        if texts >= NEARLY_ALL * counts.total():
            con.execute(
                f"CREATE OR REPLACE TEMP TABLE luma_column AS SELECT json_extract_string(t, {_path(name)}) AS c FROM luma_sample"
            )
            found = guess_types(con, "luma_column", ["c"])["c"]
            return found if found in ("DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ") else "VARCHAR"
        merged = con.execute(
            f"SELECT json_group_structure({value})::VARCHAR FROM luma_sample WHERE json_type({value}) NOT IN ('NULL', 'VARCHAR')"
        ).fetchall()
        numbers = counts.total() - texts
        structure = merged[0][0] if numbers >= NEARLY_ALL * counts.total() else '"VARCHAR"'
        return _sql_of(json.loads(structure))

    def _described(self, con: duckdb.DuckDBPyConnection) -> ResultShape:
        con.register("luma_records", pa.table({"t": pa.array([], pa.string())}))
        columns = con._submit(self._query, None, "arrow").description
        return result_shape(con, [item[0] for item in columns], [item[1] for item in columns], {})

    def _read(
        self, con: duckdb.DuckDBPyConnection, path: Path, records: list[tuple[int | None, bytes]]
    ) -> Portion | None:
        texts = [_decoded(data) for _, data in records]
        con.register("luma_records", pa.table({"t": pa.array(texts, pa.string())}))
        answer = con._submit(self._query, None, "arrow").arrow_table()
        if not self._shape.is_plain:
            answer = self._shape.convert(answer, con.cursor)
        start = self._ranks.get(str(path), 0)
        self._ranks[str(path)] = start + len(records)
        bad = answer.column(len(self._types)).to_numpy(zero_copy_only=False).astype(bool)
        for at in np.flatnonzero(bad).tolist():
            self._refuse(path, records[at], start + at, answer, at)
        good = np.flatnonzero(~bad)
        if not len(good):
            return None
        rows = answer.select(range(len(self._types)))
        if len(good) < len(bad):
            rows = rows.take(pa.array(good))
        batch = rows.combine_chunks().to_batches()[0]
        return Portion(batch, str(path), good + start)

    def _refuse(
        self, path: Path, record: tuple[int | None, bytes], rank: int, answer: pa.Table, at: int
    ) -> None:
        """Write down what is wrong with one record."""
        self.refused += 1
        line, data = record
        text = data.decode("utf-8", "replace")
        width = len(self._types)
        if self.refused > self._limit + 1:
            return  # the import is given up; only the count matters
        whole: str | None = answer.column(width + 1)[at].as_py()
        if whole is not None:
            problem = "The record is not UTF-8." if _decoded(data) is None else whole
            self._found.append(Reject(str(path), line, rank + 1, None, problem, text))
            return
        for index, (name, kind) in enumerate(self._types.items()):
            wrong: str | None = answer.column(width + 2 + index)[at].as_py()
            if wrong is not None:
                reason = f"Could not convert {wrong} to {kind}."
                self._found.append(Reject(str(path), line, rank + 1, name, reason, text))


def _query(types: dict[str, str]) -> str:
    """Columns of values; `bad`; what is wrong with a record as a whole; and for each column the value that it cannot take."""
    taken = ", ".join(
        f"json_extract(o, {_path(name)}) AS x{i}, "
        f"TRY(json_transform_strict(json_extract(o, {_path(name)}), {string_literal(json.dumps(kind))})) AS v{i}"
        for i, (name, kind) in enumerate(types.items())
    )
    wrong = [
        f"CASE WHEN coalesce(json_type(x{i}), 'NULL') <> 'NULL' AND (v{i} IS NULL{_cut(i, kind)}) THEN x{i}::VARCHAR END AS w{i}"
        for i, kind in enumerate(types.values())
    ]
    known = "[" + ", ".join(string_literal(name) for name in types) + "]"
    keys = f"list_filter(json_keys(o), lambda k: NOT list_contains({known}, k))"
    whole = (
        "CASE WHEN t IS NULL THEN 'The record is no text.' WHEN NOT json_valid(t) THEN 'The record is no JSON.' "
        "WHEN o IS NULL THEN 'The record is no JSON object.' "
        f"WHEN len({keys}) > 0 THEN 'There is no column ' || json_quote({keys}[1])::VARCHAR || '.' "
        "WHEN len(json_keys(o)) <> len(list_distinct(json_keys(o))) THEN 'A key is there twice.' END"
    )
    values = ", ".join(f"v{i} AS {quoted(name)}" for i, name in enumerate(types))
    flags = " OR ".join(["whole IS NOT NULL", *(f"w{i} IS NOT NULL" for i in range(len(types)))])
    return (
        f"SELECT {values}, ({flags})::TINYINT AS bad, whole, {', '.join(f'w{i}' for i in range(len(types)))} FROM ("
        f"SELECT *, {whole} AS whole, {', '.join(wrong)} FROM (SELECT t, o, {taken} FROM ("
        "SELECT t, CASE WHEN json_valid(t) AND json_type(t) = 'OBJECT' THEN t END AS o FROM luma_records)))"
    )


def _cut(index: int, kind: str) -> str:
    """A number that a whole-number column would round."""
    return (
        f" OR (json_type(x{index}) = 'DOUBLE' AND x{index}::DOUBLE <> trunc(x{index}::DOUBLE))"
        if kind in _WHOLE
        else ""
    )


def _path(name: str) -> str:
    """The key as a JSON pointer."""
    return string_literal("/" + name.replace("~", "~0").replace("/", "~1"))


def _sql_of(structure: Any) -> str:
    """A structure as `json_structure` gives it, as an SQL type."""
    match structure:
        case [inner]:
            return f"{_sql_of(inner)}[]"
        case dict():
            fields = ", ".join(f"{quoted(str(name))} {_sql_of(kind)}" for name, kind in structure.items())
            return f"STRUCT({fields})" if structure else "VARCHAR"
        case "UBIGINT":
            return "BIGINT"
        case "NULL" | "JSON":
            return "VARCHAR"
        case _:
            return str(structure)


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _is_array(path: Path) -> bool:
    with pa.input_stream(str(path), compression="detect") as stream:
        return stream.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE).startswith(b"[")


def _numbered(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers from 1."""
    line, rest = 1, b""
    with pa.input_stream(str(path), compression="detect") as stream:
        while block := stream.read(_BLOCK):
            *whole, rest = (rest + block).split(b"\n")
            for data in whole:
                if stripped := data.strip(_SPACE):
                    yield line, stripped.removeprefix(b"\xef\xbb\xbf") if line == 1 else stripped
                line += 1
    if stripped := rest.strip(_SPACE):
        yield line, stripped.removeprefix(b"\xef\xbb\xbf") if line == 1 else stripped

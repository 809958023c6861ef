"""Names, values and texts that look like SQL stay names, values and texts, wherever the bench puts them into SQL itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from thorough import drawn

import luma_bench as lb

PIECES = [
    '"', "'", ";", "--", "/*", "*/", "$x", "$$", ") AS y", "DROP TABLE secret", " ", ".", "\\", "\n", "é", "😀", "%", "{}", "{0}", "(", "]",
    "SELECT", "main", "_rowid", ":a", "?", "`", "E'", "\t", "NULL", "1",
]  # fmt: skip
NASTY = [
    'a"b', 'a"; DROP TABLE secret; --', "a'b", "a' OR '1'='1", "x) AS y; DROP TABLE secret --", "$$; DROP TABLE secret; $$",
    "a--b", "a/*b", "select", "a.b", "a b", "é\n", "%s{0}", "a\\", ";",
]  # fmt: skip
names = (
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=4)
    .map("".join)
    .filter(lambda name: name.strip() == name)
)
values = st.text(st.sampled_from("".join(PIECES)), max_size=12)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma") as opened:
        opened.write("secret", {"k": [1]})
        yield opened


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def rows(bench: lb.Bench, text: str, **given: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in bench.kadeql(text, **given).to_arrow().to_pylist()]


@pytest.mark.parametrize("name", NASTY)
def test_a_name_is_a_name_everywhere(bench: lb.Bench, name: str) -> None:
    own, t = quoted(name), quoted(f"t {name}")
    bench.kadeql(
        f"CREATE TABLE {t} ({own} INTEGER PRIMARY KEY CHECK ({own} > 0), v VARCHAR DEFAULT 'x', w VARCHAR AS (v || '!'))"
    )
    bench.kadeql(f"INSERT INTO {t} ({own}) VALUES (1), (2), (3)")
    bench.kadeql(f"INSERT INTO {t} VALUES (1, 'y') ON CONFLICT ({own}) DO UPDATE SET v = excluded.v")
    bench.kadeql(f"UPDATE {t} SET {own} = {own} + 10 WHERE {own} = 3")
    bench.kadeql(
        f"MERGE INTO {t} USING (SELECT 2 AS {own}) AS s USING ({own}) WHEN MATCHED THEN UPDATE SET v = 'm'"
    )
    bench.kadeql(f"CREATE VIEW {quoted('v ' + name)} ({own}) AS SELECT {own} FROM {t}")
    bench.kadeql(f"CREATE SEQUENCE {quoted('s ' + name)}")
    bench.kadeql(f"COMMENT ON TABLE {t} IS '{name.replace(chr(39), chr(39) * 2)}'")
    bench.kadeql(f"CREATE ROW POLICY {own} ON {t} USING {own} < 10 TO {quoted('r ' + name)}")
    found = [(1, "y", "y!"), (2, "m", "m!"), (13, "x", "x!")]
    assert rows(bench, f"SELECT * FROM {t} ORDER BY {own}") == found
    assert rows(bench, f"FROM {quoted('v ' + name)} ORDER BY 1") == [(1,), (2,), (13,)]
    assert bench.table(f"t {name}").sort_values(name).to_arrow().to_pylist()[0] == {
        name: 1,
        "v": "y",
        "w": "y!",
    }
    assert bench.get(f"t {name}", 13) == {name: 13, "v": "x", "w": "x!"}
    guest = bench.acting_as(lb.Identity("ada", roles=(f"r {name}",)))
    assert rows(guest, f"SELECT {own} FROM {t} ORDER BY 1") == [(1,), (2,)]
    for text in (
        "SHOW TABLES",
        f"DESCRIBE {t}",
        f"SUMMARIZE {t}",
        "SHOW CONSTRAINTS",
        "SHOW POLICIES",
        "FROM information_schema.columns",
    ):
        bench.kadeql(text)
    bench.lineage(f"SELECT {own} FROM {t}")
    bench.kadeql(f"EXPLAIN ANALYZE SELECT {own} FROM {t} WHERE {own} = 1")
    ((_, made),) = rows(bench, f"SHOW CREATE TABLE {t}")
    bench.kadeql(f"DROP VIEW {quoted('v ' + name)}")
    bench.kadeql(f"DROP TABLE {t}")
    bench.kadeql(made)
    assert bench.tables() == sorted(["secret", f"t {name}"])
    bench.kadeql(f"ALTER TABLE {t} RENAME COLUMN {own} TO plain")
    with pytest.raises(lb.errors.ConstraintError):
        bench.kadeql(f"INSERT INTO {t} (plain) VALUES (0)")
    assert rows(bench, "SELECT count(*) FROM secret") == [(1,)]


@settings(max_examples=drawn(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=names, column=names, value=values)
def test_no_name_or_value_is_run(bench: lb.Bench, name: str, column: str, value: str) -> None:
    data = pa.table({column: [value, None], "n": [1, 2]})
    try:
        bench.write(name, data, mode="replace")
    except lb.errors.LumaError:
        return  # a name that the bench does not take at all
    if bench.tables() == ["secret"]:
        raise AssertionError("nothing was written")
    text = f"SELECT {quoted(column)} FROM {quoted(name)} WHERE {quoted(column)} = $v"
    assert rows(bench, text, params={"v": value}) == [(value,)]
    literal = value.replace("'", "''")
    assert rows(bench, f"SELECT '{literal}' AS a") == [(value,)]
    frame = bench.table(name)
    assert frame[frame[column] == value][column].to_arrow().to_pylist() == [value]
    assert rows(bench, frame[[column]].kadeql) == [(value,), (None,)]
    prepared = bench.prepare(text)
    assert prepared.run({"v": value}).to_arrow().num_rows == 1
    assert rows(bench, lb.format_kadeql(text), params={"v": value}) == [(value,)]
    bench.kadeql(f"DROP TABLE {quoted(name)}")
    assert bench.tables() == ["secret"]

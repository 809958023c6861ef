"""Scalar expressions: each gives what the embedded engine gives, or is refused."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa
import pytest
from polars_oracle import Oracle

from luma_bench.plan.relational import Project, Scan, Sql
from luma_bench.plan.relational.expressions import Column

NAN, INF = float("nan"), float("inf")
COLUMNS: dict[str, pa.Array] = {
    "i": pa.array([1, -2, None, 7, 0, 2_000_000_000], pa.int32()),
    "b": pa.array([10, None, -3, 0, 5, 9_000_000_000], pa.int64()),
    "s": pa.array([1, 2, None, -128, 127, 5], pa.int8()),
    "d": pa.array([Decimal("1.50"), None, Decimal("-2.35"), Decimal("0.00"), Decimal("99.99"), Decimal("0.05")], pa.decimal128(15, 2)),
    "w": pa.array([Decimal("1.2345"), Decimal("-0.0005"), None, Decimal("12345678.9999"), Decimal(0), Decimal(3)], pa.decimal128(30, 4)),
    "f": pa.array([1.5, NAN, None, -0.0, INF, 2.5], pa.float64()),
    "t": pa.array(["apple", "Äpfel", None, "", "a%b_c", "x\ny"], pa.string()),
    "g": pa.array(["red", "blue", None, "red", "", "green"]).dictionary_encode(),
    "y": pa.array([dt.date(1995, 3, 15), dt.date(2000, 2, 29), None, dt.date(1969, 12, 31), dt.date(2024, 1, 1), dt.date(1600, 5, 5)], pa.date32()),
    "z": pa.array([dt.datetime(1995, 3, 15, 12, 30), None, dt.datetime(2000, 2, 29), dt.datetime(1969, 12, 31, 23, 59, 59, 999999), dt.datetime(2024, 1, 1), dt.datetime(1600, 5, 5)], pa.timestamp("us")),
    "o": pa.array([True, False, None, True, False, None], pa.bool_()),
}  # fmt: skip
TABLE = pa.table(COLUMNS)
NAMES = tuple(COLUMNS)

RIGHT = r"""
i + 1; i - i; 2 * o::INT; b * 3; -i; d + 1; 1 - d; d * (1 - d); d * (1 - d) * (1 + d); 0.2 * d; d * w; d + w; w - i; -d; d * 2
i / 2; d / 3; b / i; f / 2; f * 2; f + d; f - i; i / 0; d / 0.0; f / 0; i + f
i = 1; i <> b; i < b; d = 1.5; d > i; d <= w; f = f; f > 1; f < 'NaN'::DOUBLE; f >= f; f <> 2.5; f = d; i = 1.0; i > 0.5; s < 300
i IS DISTINCT FROM b; f IS NOT DISTINCT FROM 'NaN'::DOUBLE; t IS DISTINCT FROM 'apple'; g IS DISTINCT FROM 'red'; g IS NOT DISTINCT FROM NULL
i IS NULL; t IS NOT NULL; NOT o; o AND i > 0; o OR i > 0; o = true; i > 0 AND b > 0 OR o; NOT (o AND f > 1)
t = 'apple'; t < 'b'; t >= g; g = 'red'; g <> 'red'; g < 'green'; 'green' <= g; g = t; g > t; g = 'none'; g <> 'none'
t LIKE 'a%'; t LIKE '%e'; t LIKE '%p%'; t LIKE '%p%l%'; t NOT LIKE 'a%e'; t LIKE 'a\%b%'; t LIKE 'a!%b!_c' ESCAPE '!'; t LIKE '_pple'; t LIKE '%'; t LIKE ''
t LIKE 'x_y'; t LIKE '%\n%'; t LIKE 'Ä%'; t LIKE '_____'; g LIKE '%e%'; g NOT LIKE 'r%'; t LIKE 'a%%e'; t LIKE 'a%p%p%e'; t LIKE 'app%ple'; t LIKE 'x'; g LIKE '%zzz%'
i IN (1, 7); i IN (1, NULL); i NOT IN (1, 7); i NOT IN (1, NULL); t IN ('apple', ''); g IN ('red', 'blue'); g NOT IN ('red'); d IN (1.5, 99.99); y IN (DATE '2000-02-29')
i IN (1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17); d BETWEEN 0 AND 1.5; i BETWEEN -2 AND 1; y BETWEEN DATE '1995-01-01' AND '1995-12-31'; t BETWEEN 'a' AND 'b'; g BETWEEN 'b' AND 'h'; f BETWEEN 1 AND 2.5
CASE WHEN i > 0 THEN d ELSE 0 END; CASE WHEN o THEN i END; CASE i WHEN 1 THEN 'one' WHEN 7 THEN 'seven' ELSE t END; CASE WHEN o THEN g ELSE t END; CASE WHEN i > 0 THEN 1 ELSE 0 END; CASE WHEN o THEN i ELSE f END
CASE WHEN o THEN d ELSE w END; CASE WHEN o THEN g END; CASE WHEN i = 1 THEN 1.25 WHEN i = 7 THEN d END
coalesce(i, 0); coalesce(d, w); coalesce(t, 'none'); coalesce(g, 'none'); coalesce(NULL, i, b); nullif(i, 1); ifnull(d, 0)
y < DATE '2000-01-01'; y >= '1995-03-15'; y = z; y < TIMESTAMP '1995-03-15 12:00:00'; z > '1995-03-15 12:00:00'; z = z; y + 1; y - 5; y - DATE '2000-01-01'; 3 + y; y - y
year(y); month(y); day(y); extract(year FROM y); date_part('month', z); quarter(y); extract(doy FROM y); extract(isodow FROM y); week(y); extract(hour FROM z); minute(z)
date_trunc('month', y); date_trunc('year', y); date_trunc('week', y); date_trunc('quarter', y); date_trunc('day', y); date_trunc('month', z); date_trunc('week', z)
CAST(i AS BIGINT); CAST(i AS DECIMAL(15,2)); CAST(d AS DECIMAL(10,1)); CAST(w AS DECIMAL(20,2)); CAST(d AS INTEGER); CAST(w AS BIGINT); CAST(d AS DOUBLE); CAST(w AS DOUBLE); CAST(i AS DOUBLE); CAST(o AS INTEGER); CAST(i AS BOOLEAN); CAST(y AS TIMESTAMP); CAST(i AS VARCHAR); CAST(y AS VARCHAR); d::DECIMAL(20,4); s::HUGEINT
substring(t, 1, 2); substring(t FROM 2); left(t, 3); length(t); t || 'x'; t || g; trim(t); ltrim(t); rtrim(t); replace(t, 'p', 'qq'); starts_with(t, 'a'); contains(t, '%'); suffix(t, 'e'); substr(g, 2, 1); length(g); prefix(g, 're')
abs(i); abs(d); abs(f); round(d, 1); round(w, 2); round(d); floor(f); ceil(f); greatest(i, 3); least(d, 1); greatest(d, w)
1; 'text'; NULL; DATE '1998-12-01' - INTERVAL '90' DAY; 0.06 - 0.01; 1.5; true; 1e3
"""
REFUSED = """
CAST(t AS INTEGER); CAST(f AS INTEGER); CAST(f AS DECIMAL(10,2)); t = 5; upper(t); reverse(t); i // 2; i % 2; substring(t, 0, 2); substring(t, -1)
2 * s; i + 2000000000; b * 9000000000; s + s; -s; regexp_matches(t, 'a'); strftime(y, '%Y'); round(f, 1); y + INTERVAL 1 MONTH; TRY_CAST(t AS INTEGER); CAST(i AS TINYINT); abs(s); t LIKE g; list_value(i); d % 2
"""


def _texts(block: str) -> list[str]:
    texts = [text.strip() for line in block.strip().split("\n") for text in line.split("; ")]
    return [text.replace("\\n", "\n") for text in texts]


def templated(text: str) -> Sql:
    """The text with its columns as holes, as the lowering makes it."""
    pieces = re.split(r"('(?:[^']|'')*')", text)
    parts, args = [""], []
    for piece in pieces:
        if piece.startswith("'"):
            parts[-1] += piece
            continue
        for word in re.split(r"(\b\w+\b)", piece):
            if word in NAMES:
                args.append(Column(NAMES.index(word)))
                parts.append("")
            else:
                parts[-1] += word
    return Sql(tuple(parts), tuple(args))


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    made = Oracle.opened()
    yield made
    made.close()


@pytest.mark.parametrize("text", _texts(RIGHT))
def test_is_computed_as_duckdb_does(oracle: Oracle, text: str) -> None:
    node = Project(Scan("data", NAMES), (templated(text), Column(0)))

    assert oracle.check(node, {"data": TABLE}) is None
    assert oracle.check(node, {"data": TABLE.slice(0, 0)}) is None


@pytest.mark.parametrize("text", _texts(REFUSED))
def test_is_refused_for_a_reason(oracle: Oracle, text: str) -> None:
    node = Project(Scan("data", NAMES), (templated(text),))

    assert oracle.check(node, {"data": TABLE}, refuses=True)

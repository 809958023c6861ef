"""Hover: what is told of a name, and that nothing in names, comments and data becomes Markdown or HTML."""

from __future__ import annotations

import re
from pathlib import Path

import mistune
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luma_bench as lb
from luma_bench.bench.assist import Hover, hover
from luma_bench.bench.assist.telling import block, code, plain


def shown(source: str, bench: lb.Bench | None, **options) -> Hover:
    """What is told of the place at the bar."""
    found = hover(source.replace("|", "", 1), source.index("|"), bench, **options)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("source", "place", "told"),
    [
        (
            "SELECT * FROM fli|ghts",
            "flights",
            ["**table** `flights`", "primary key `id`", "`dep_delay`", "3 rows"],
        ),
        ("SELECT * FROM la|te", "late", ["**view** `late`", "`minutes`"]),
        (
            "SELECT dep_d|elay FROM flights",
            "dep_delay",
            ["`INTEGER`", "table `flights`", "minutes", "1 NULL", "from `5`"],
        ),
        ("SELECT f.carri|er FROM flights f", "carrier", ["`VARCHAR`", "table `flights`"]),
        ("SELECT f.place.l|at FROM flights f", "lat", ["`DOUBLE`"]),
        ("SELECT f|.id FROM flights f", "f", ["**table** `flights`"]),
        ("SELECT min|utes FROM late", "minutes", ["`INTEGER`"]),
        ("WITH b|usy AS (SELECT dest FROM flights) SELECT * FROM busy", "busy", ["query of WITH", "`dest`"]),
        ("WITH busy AS (SELECT dest FROM flights) SELECT de|st FROM busy", "dest", ["`VARCHAR`"]),
        ("SELECT date_tr|unc('hour', sched) FROM flights", "date_trunc", ["date_trunc(part", "Truncate"]),
        ("SELECT count|(*) FROM flights", "count", ["count(", "number of"]),
        ("SELECT ohl|c(temp, time_hour) FROM weather", "ohlc", ["ohlc(price, time)"]),
        ("SELECT * FROM PAGE|RANK(GRAPH air)", "PAGERANK", ["damping", "`score`"]),
        ("SELECT * FROM PAGERANK(GRAPH a|ir)", "air", ["**property graph** `air`", "`:route`"]),
        (
            "SELECT * FROM EW|MA(TABLE weather, DESCRIPTOR(time_hour), temp, span => 3)",
            "EWMA",
            ["`half_life`"],
        ),
        ("MATCH (a:air|ports)-[r:route]->(b) RETURN a.iata", "airports", ["**vertex** `airports`", "`city`"]),
        ("MATCH (a:airports)-[r:route]->(b) RETURN r|.km", "r", ["**edge** `r`", "`km`"]),
        ("MATCH (a:airports)-[r:route]->(b) RETURN r.k|m", "km", ["`DOUBLE`"]),
        ("SELECT * FROM weather SAM|PLE BY '1h'", "SAMPLE", ["**SAMPLE BY**", "FILL"]),
        ("CREA|TE PROPERTY GRAPH g", "CREATE", ["VERTEX TABLES"]),
        ("SELECT * FROM flights AT (TAG => 'fi|rst')", "'first'", ["**snapshot**", "`first`"]),
        ("SELECT * FROM flights AT (VERSION => 2|)", "2", ["**snapshot** 2"]),
        ("SELECT 1 |- 2", "-", ["difference"]),
        ("SELECT 1 WHERE 1 BETW|EEN 0 AND 2", "BETWEEN", ["low"]),
        ("UPDATE flights SET car|rier = 'x'", "carrier", ["`VARCHAR`"]),
    ],
)
def test_what_is_told(source: str, place: str, told: list[str], shop: lb.Bench):
    found = shown(source, shop)
    assert source.replace("|", "", 1)[found.start : found.stop] == place
    for text in told:
        assert text in found.markdown, found.markdown


@pytest.mark.parametrize(
    "source", ["SELECT 1 -- fli|ghts", "SELECT nothi|ng FROM flights", "SELECT 'a|b'", "|", "SELECT  |  1"]
)
def test_of_some_places_nothing_is_told(source: str, shop: lb.Bench):
    assert hover(source.replace("|", "", 1), source.index("|"), shop) is None


def test_cells(shop: lb.Bench):
    assert "older snapshot" in shown("%%kadeql --a|t first\nSELECT 1", shop, cell=True).markdown
    assert "**table**" in shown("x = 1\n%kadeql FROM fli|ghts", shop, cell=True).markdown
    assert hover("flights = 1", 3, shop, cell=True) is None


def test_notebook_tables(shop: lb.Bench):
    variables = {"frame": pa.schema([("price", pa.float64())])}
    assert "`price`" in shown("SELECT 1 FROM fra|me", shop, variables=variables).markdown


def text_of(html: str) -> str:
    import html as entities

    return entities.unescape(re.sub(r"<[^>]*>", "", html))


@given(st.text(max_size=40))
@settings(deadline=None, max_examples=100)
def test_texts_are_shown_as_they_are(text: str):
    words = " ".join(text.split())
    for told in (plain(text), code(text) if words.strip("`") else "x"):
        html = mistune.html(f"a {told} b\n\n{told}")
        assert set(re.findall(r"<(\w+)", html)) <= {"p", "code"}
    if "\0" not in text:  # which no Markdown can hold
        assert text_of(mistune.html(f"a {plain(text)} b")).strip() == f"a {words} b"
    assert set(re.findall(r"<(\w+)", mistune.html(block(text)))) <= {"pre", "code"}


def test_names_comments_and_values_cannot_become_markup(tmp_path: Path):
    evil = '<img src=x onerror=alert(1)> ![i](https://e.x/i.png) [l](javascript:alert(1)) `c` ``` *b* | "q"'
    with lb.open(tmp_path / "evil.luma") as bench:
        bench.write("t", pa.table({evil: [evil]}), mode="create")
        quoted = '"' + evil.replace('"', '""') + '"'
        literal = "'" + evil.replace("'", "''") + "'"
        bench.kadeql(f"COMMENT ON TABLE t IS {literal}; COMMENT ON COLUMN t.{quoted} IS {literal}")
        for text, offset in ((f"SELECT {quoted} FROM t", 9), (f"SELECT {quoted} FROM t", len(quoted) + 13)):
            found = hover(text, offset, bench)
            assert found is not None
            html = mistune.create_markdown(escape=False, plugins=["table", "url", "strikethrough"])(
                found.markdown
            )
            assert not set(re.findall(r"<(\w+)", str(html))) - {
                "p",
                "code",
                "strong",
                "table",
                "thead",
                "tbody",
                "tr",
                "th",
                "td",
            }, html

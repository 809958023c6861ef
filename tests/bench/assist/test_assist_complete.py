"""Completion: what is offered where, and that whatever stands in a valid statement was offered while it was typed."""

from __future__ import annotations

import pyarrow as pa
import pytest
from assist_cases import VALID
from hypothesis import given, settings
from hypothesis import strategies as st
from test_assist_scan import TEXTS

import luma_bench as lb
from luma_bench.bench.assist import Completion, complete, hover, lint
from luma_bench.bench.assist.spelling import spelled
from luma_bench.bench.assist.words import FIRST, FOLLOWERS, PAIRS, WORDS
from luma_bench.engines.duck_inspect import DuckInspector
from luma_bench.errors import KadeQLUnsupportedError
from luma_bench.language import parse
from luma_bench.language.tokens import tokenize


def completed(source: str, bench: lb.Bench | None, **options) -> tuple[Completion, list[str]]:
    """What is offered at the bar."""
    offset = source.index("|")
    found = complete(source.replace("|", "", 1), offset, bench, **options)
    return found, [item.text for item in found.items]


@pytest.mark.parametrize(
    ("source", "offered", "not_offered"),
    [
        ("SELECT * FROM |", {"flights", "late", "sales.orders", "TUMBLE", "PAGERANK", "read_csv"}, {"carrier", "WHERE"}),
        ("SELECT * FROM fl|", {"flights"}, {"airports"}),
        ("SELECT | FROM flights", {"carrier", '"tail number"', "count", "CASE"}, {"iata"}),
        ("SELECT delay| FROM flights", {"dep_delay", "arr_delay"}, {"carrier"}),
        ("SELECT f.| FROM flights f JOIN airports a ON true", {"carrier", "place"}, {"city", "SELECT"}),
        ("SELECT f.place.| FROM flights f", {"lat", "at"}, {"gate"}),
        ("SELECT place.at.| FROM flights", {"gate"}, {"lat"}),
        ("SELECT sales.| FROM sales.orders", {"orders"}, {"number"}),
        ("SELECT * FROM sales.|", {"orders"}, {"flights"}),
        ("SELECT o.| FROM sales.orders o", {"number", "total"}, set()),
        ("SELECT ori| FROM flights, weather", {"flights.origin", "weather.origin"}, {"origin"}),
        ("SELECT * FROM flights |", {"WHERE", "JOIN", "SAMPLE", "GROUP"}, {"carrier"}),
        ("SELECT * FROM flights GROUP |", {"BY"}, {"carrier", "WHERE"}),
        ("SELECT * FROM flights wh|", {"where"}, {"WHERE"}),
        ("SELECT count(*) AS n FROM flights ORDER BY |", {"n", "carrier"}, set()),
        ("WITH busy AS (SELECT dest AS d FROM flights) SELECT | FROM busy", {"d"}, {"dest"}),
        ("WITH busy AS (SELECT dest FROM flights) SELECT * FROM |", {"busy", "flights"}, set()),
        ("WITH x(p) AS (SELECT dest FROM flights) SELECT x.| FROM x", {"p"}, {"dest"}),
        ("SELECT q.| FROM (SELECT * EXCLUDE (carrier) FROM flights) q", {"dest"}, {"carrier"}),
        ("SELECT 1 FROM airports a WHERE EXISTS (SELECT 1 FROM flights f WHERE f.origin = a.|", {"iata", "city"}, {"carrier"}),
        ("MATCH (a:|", {"airports"}, {"route"}),
        ("MATCH (a)-[r:|", {"route"}, {"airports"}),
        ("MATCH (a:airports {|", {"iata: ", "city: "}, {"km"}),
        ("MATCH (a:airports)-[r:route]->(b) ON GRAPH |", {"air"}, {"flights"}),
        ("MATCH (a:airports)-[r:route]->(b) RETURN r.|", {"km", "stops"}, {"city"}),
        ("MATCH (a:airports)-[r:route]->(b) WHERE |", {"a", "r", "b", "path_length"}, set()),
        ("SELECT * FROM GRAPH_TABLE (|", {"air"}, {"flights"}),
        ("SELECT * FROM GRAPH_TABLE (air MATCH (a:airports)-[r:route]->(b) COLUMNS (b.|", {"iata"}, {"km"}),
        ("SELECT * FROM PAGERANK(GRAPH air, |", {"damping => ", "weight => "}, {"carrier"}),
        ("SELECT * FROM PAGERANK(GRAPH air, damping => 1, |", {"weight => "}, {"damping => "}),
        ("SELECT * FROM PAGERANK(GRAPH air, weight => |", {"km"}, {"city"}),
        ("SELECT p.| FROM PAGERANK(GRAPH air) p", {"id", "score"}, set()),
        ("SELECT * FROM TUMBLE(|", {"TABLE"}, {"weather"}),
        ("SELECT * FROM TUMBLE(TABLE |", {"weather"}, set()),
        ("SELECT * FROM TUMBLE(TABLE weather, DESCRIPTOR(|", {"time_hour"}, set()),
        ("SELECT win| FROM TUMBLE(TABLE weather, DESCRIPTOR(time_hour), '1h')", {"window_start"}, set()),
        ("SELECT * FROM DOWNSAMPLE(TABLE weather, DESCRIPTOR(time_hour), temp, method => |", {"lttb", "m4"}, {"temp"}),
        ("SELECT * FROM weather SAMPLE BY '1h' FILL(|", {"LINEAR", "PREV"}, {"temp"}),
        ("SELECT * FROM weather SAMPLE BY '1h' ZONE 'Europe/Lon|", {"'Europe/London'"}, {"'Europe/Paris'"}),
        ("SELECT * FROM flights AT (|", {"VERSION => ", "TAG => "}, {"carrier"}),
        ("SELECT * FROM flights AT (TAG => |", {"'first'"}, {"1"}),
        ("SELECT * FROM flights AT (TAG => 'fi|", {"'first'"}, set()),
        ("SELECT * FROM flights AT (VERSION => |", {"1", "2"}, {"'first'"}),
        ("SELECT dep_delay::|", {"INTEGER", "VARCHAR"}, {"carrier"}),
        ("SELECT CAST(dep_delay AS D|", {"DOUBLE", "DATE"}, {"dest"}),
        ("SELECT $l| FROM flights WHERE id = $lo", {"$lo"}, {"$hi"}),
        ("UPDATE flights SET |", {"carrier"}, {"iata"}),
        ("INSERT INTO airports (|", {"iata", "city"}, {"carrier"}),
        ("DELETE FROM |", {"flights"}, {"late"}),
        ("DROP VIEW |", {"late"}, {"flights"}),
        ("CREATE TABLE |", set(), {"flights"}),
        ("|", set(FIRST), {"carrier"}),
        ("SELECT 1; SEL|", {"SELECT"}, set()),
        ('SELECT "ta| FROM flights', {'"tail number"'}, {'"carrier"'}),
        ('FROM "fl|', {'"flights"'}, {'"late"'}),
        ("SELECT 1 -- car|", set(), {"carrier"}),
        ("SELECT 'car|", set(), {"carrier"}),
        ("SELECT /* car| */ 1 FROM flights", set(), {"carrier"}),
    ],
)  # fmt: skip
def test_what_is_offered(source: str, offered: set[str], not_offered: set[str], shop: lb.Bench):
    found, texts = completed(source, shop)
    assert offered <= set(texts)
    assert not set(texts) & not_offered
    assert len(texts) == len(set(texts))
    assert found.start <= found.stop == source.index("|")


@pytest.mark.parametrize(
    ("source", "first"),
    [
        ("SELECT 1 FROM routes r JOIN airports a ON |", ["a.iata = r.src", "a.iata = r.dst"]),
        ("SELECT 1 FROM airports a JOIN routes ON r|", ["routes.src = a.iata", "routes.dst = a.iata"]),
        ("SELECT 1 FROM flights f LEFT JOIN weather w ON |", ["w.origin = f.origin"]),
        ("SELECT 1 FROM flights f ASOF JOIN weather w ON | WHERE f.id = 1", ["w.origin = f.origin"]),
        (
            "MERGE INTO airports USING routes ON |",
            ["routes.src = airports.iata", "routes.dst = airports.iata"],
        ),
        ("SELECT 1 FROM flights JOIN (SELECT carrier FROM late) q ON |", ["q.carrier = flights.carrier"]),
        ("SELECT 1 FROM flights f JOIN weather w USING (|", ["origin"]),
    ],
)
def test_join_conditions_are_offered_first(source: str, first: list[str], shop: lb.Bench):
    assert completed(source, shop)[1][: len(first)] == first


@pytest.mark.parametrize(
    "source",
    [
        "SELECT DISTINCT ON | FROM flights, weather",
        "SELECT 1 FROM flights f JOIN airports a ON |",
        "SELECT 1 FROM flights f JOIN weather w ON f.origin = |",
        "SELECT * FROM weather LATEST ON |",
    ],
)
def test_conditions_are_offered_nowhere_else(source: str, shop: lb.Bench):
    assert "condition" not in {item.kind for item in completed(source, shop)[0].items}


def test_a_foreign_key_is_a_condition_and_a_views_structs_have_fields(tmp_path):
    with lb.open(tmp_path / "keys.luma") as bench:
        bench.kadeql(
            "CREATE TABLE makers (id INTEGER PRIMARY KEY, tail VARCHAR);"
            "CREATE TABLE planes (tail VARCHAR, maker INTEGER REFERENCES makers (id), "
            """place STRUCT(lat DOUBLE, "the, gate" STRUCT(code VARCHAR), cost DECIMAL(9, 2)));"""
            "CREATE VIEW seen AS SELECT place AS spot FROM planes"
        )
        assert completed("SELECT 1 FROM planes p JOIN makers m ON |", bench)[1][:1] == ["m.id = p.maker"]
        assert completed("SELECT 1 FROM planes p JOIN makers m USING (|", bench)[1] == ["tail"]
        found, texts = completed("SELECT spot.| FROM seen", bench)
        assert texts == ["lat", '"the, gate"', "cost"]
        assert found.items[-1].detail == "DECIMAL(9,2)"
        assert completed('SELECT s.spot."the, gate".| FROM seen s', bench)[1] == ["code"]


def test_items_tell_types_tables_and_comments(shop: lb.Bench):
    found, _ = completed("SELECT dep_d| FROM flights", shop)
    (item,) = found.items
    assert (item.kind, item.detail, item.doc) == ("column", "INTEGER · flights", "minutes")
    function = next(item for item in completed("SELECT date_tr|", shop)[0].items if item.text == "date_trunc")
    assert function.detail.startswith("date_trunc(part")
    assert function.doc


def test_times_come_first_for_a_descriptor(shop: lb.Bench):
    assert completed("SELECT * FROM TUMBLE(TABLE flights, DESCRIPTOR(|", shop)[1][0] == "sched"


def test_notebook_tables_and_parameters(shop: lb.Bench):
    variables = {"frame": pa.schema([("price", pa.float64())]), "lazy": None}
    assert "price" in completed("SELECT p| FROM frame", shop, variables=variables)[1]
    assert {"frame", "lazy"} <= set(completed("SELECT * FROM |", shop, variables=variables)[1])
    assert completed("SELECT $|", shop, params=("lo", "hi"))[1] == ["$lo", "$hi"]


@pytest.mark.parametrize(
    ("cell", "offered", "not_offered"),
    [
        ("%%kadeql --|", {"--at", "--engine", "--no-cache"}, {"flights"}),
        ("%%kadeql --at first --|\nSELECT 1", {"--engine"}, {"--at"}),
        ("%%kadeql --at |\nSELECT 1", {"first", "1"}, {"flights"}),
        ("%%kadeql x << --at fi|\nSELECT 1", {"first"}, {"1"}),
        ("%%kadeql --engine |", {"auto", "duckdb"}, {"point"}),
        ("%%kadeql --limit 3\nSELECT * FROM fl|", {"flights"}, set()),
        ("x = 1\n%kadeql --str|", {"--strict"}, set()),
        ("x = 1\nr = %kadeql --limit 3 FROM fl|\ny = 2", {"flights"}, {"y"}),
        ("x = fl|", set(), {"flights"}),
    ],
)
def test_cells(cell: str, offered: set[str], not_offered: set[str], shop: lb.Bench):
    _, texts = completed(cell, shop, cell=True)
    assert offered <= set(texts)
    assert not set(texts) & not_offered


@pytest.mark.parametrize("text", VALID)
def test_every_name_of_a_valid_statement_was_offered_while_it_was_typed(text: str, shop: lb.Bench):
    known = {"flights", "airports", "routes", "weather", "late", "air", "carrier", "dep_delay", "arr_delay", "origin", "dest", "sched", "city", "iata",
             "km", "temp", "time_hour", "minutes", "total", "lat", "gate", "route", "src", "dst", "tail number"}  # fmt: skip
    tokens = tokenize(text)
    for index, name in enumerate(tokens.names):
        if name not in known or tokens.words[index] == "'":
            continue
        start, stop = tokens.span(index)
        # One letter is typed, and the rest of the statement stands behind the cursor already.
        before = text[: start + (2 if tokens.words[index] == '"' else 1)]
        found = complete(before + " " + text[stop:], len(before), shop)
        texts = {item.text.rpartition(".")[2].removesuffix(": ") for item in found.items}
        defined = text[:start].rstrip().endswith(("AS", "VIEW"))
        assert defined or spelled(name) in texts or name in texts, (before, sorted(texts)[:20])


@given(TEXTS, st.data())
@settings(deadline=None, max_examples=60)
def test_no_text_is_too_broken_to_be_edited(shop: lb.Bench, text: str, data: st.DataObject):
    offset = data.draw(st.integers(0, len(text)))
    cell = data.draw(st.booleans())
    source = f"%%kadeql --at first\n{text}" if cell else text
    found = complete(source, offset, shop, cell=cell)
    assert 0 <= found.start <= found.stop == offset
    shown = hover(source, offset, shop, cell=cell)
    assert shown is None or 0 <= shown.start <= offset <= shown.stop <= len(source)
    for problem in lint(source, shop, cell=cell):
        assert 0 <= problem.start <= problem.stop <= len(source)
        for fix in problem.fixes:
            assert 0 <= fix.start <= fix.stop <= len(source)


def test_without_a_bench_the_language_is_offered(shop_path):
    assert {"SELECT"} <= set(completed("SEL|", None)[1])
    with lb.open(shop_path, mode="r") as bench:
        pass
    assert completed("SELECT * FROM fl|", bench)[1] == []
    assert hover("SELECT * FROM flights", 16, bench) is None
    assert lint("SELECT nothing FROM nowhere", bench) == ()


def test_offsets_can_be_counted_in_other_units(shop: lb.Bench):
    found, _ = completed("SELECT '😀', dep_d| FROM flights", shop)
    units = [len("SELECT '😀', dep_d "[:at].encode("utf-16-le")) // 2 for at in range(18)]
    told = found.to_json(lambda at: units[at])
    assert (told["from"], told["to"]) == (found.start + 1, found.stop + 1)


def test_every_example_of_the_words_parses():
    inspector = DuckInspector()
    for name, word in WORDS.items():
        if word.example:
            try:
                parse(word.example, inspector)
            except KadeQLUnsupportedError as error:
                raise AssertionError(name) from error


def test_keywords_are_written_in_upper_case_once():
    for words in (*FOLLOWERS.values(), *PAIRS.values(), tuple(FIRST)):
        assert all(word.isupper() for word in words)
        assert len(set(words)) == len(words), words

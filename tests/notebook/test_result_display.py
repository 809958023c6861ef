# ruff: noqa: RUF001
"""Results as text and as HTML."""

import datetime as dt
import html.parser
import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.bench import display
from luma_bench.bench.cells import NULL, column_cells, type_text
from luma_bench.types.record import NodeRecord, RunRecord


class Answer:
    """A finished result without a bench."""

    def __init__(self, table: pa.Table, run: RunRecord | None = None) -> None:
        self.table = table
        self.run = run or RunRecord(
            "duckdb",
            "one local table",
            12,
            0.0123,
            rows_read=336776,
            bytes_read=2_100_000,
            segments_pruned=3,
            segments_read=1,
        )

    def to_arrow(self) -> pa.Table:
        return self.table


class Page(html.parser.HTMLParser):
    """Every tag, attribute and text of a fragment, and whether its tags close."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.cells: list[str] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open or "th" in self.open:
            self.cells[-1] += data


def shown(values: list[object], kind: pa.DataType) -> list[str]:
    return [cell.text for cell in column_cells(pa.chunked_array([pa.array(values, kind)]))]


NEW_YORK = pa.timestamp("us", "America/New_York")


@pytest.mark.parametrize(
    ("kind", "values", "texts"),
    [
        (pa.int64(), [58665, -1, None], ["58665", "-1", "NULL"]),
        (pa.float64(), [1.5, 2.25, None], ["1.50", "2.25", "NULL"]),
        (
            pa.float64(),
            [float("nan"), float("inf"), -float("inf"), 1e300, 0.5],
            ["NaN", "inf", "-inf", "1e+300", "0.5"],
        ),
        (pa.float64(), [1e-9, 2.0], ["1e-09", "2.0"]),
        (pa.float32(), [1.1], ["1.1"]),
        (pa.bool_(), [True, False], ["true", "false"]),
        (pa.decimal128(10, 2), [None], ["NULL"]),
        (NEW_YORK, [dt.datetime(2013, 1, 1, 10, tzinfo=dt.UTC)], ["2013-01-01 05:00:00-05:00"]),
        (NEW_YORK, [2**63 - 1, -(2**63) + 1], ["infinity", "-infinity"]),
        (pa.timestamp("ns"), [1], ["1970-01-01 00:00:00.000000001"]),
        (pa.timestamp("s"), [10**12], ["33658-09-27 01:46:40"]),
        (pa.timestamp("s", "+05:30"), [0], ["1970-01-01 05:30:00+05:30"]),
        (pa.date32(), [dt.date(2013, 2, 8)], ["2013-02-08"]),
        (pa.time64("us"), [3_661_000_001], ["01:01:01.000001"]),
        (pa.duration("s"), [90_061, -1], ["1 day 01:01:01", "-00:00:01"]),
        (pa.month_day_nano_interval(), [(14, 3, 10**9)], ["1 year 2 months 3 days 00:00:01"]),
        (pa.binary(), [b"\x00\xff", b"x" * 40], ["0x00FF", f"0x{'78' * 16}… (40 bytes)"]),
        (pa.list_(pa.int64()), [[1, None], list(range(9))], ["[1, NULL]", "[0, 1, 2, 3, 4, … 4 more]"]),
        (pa.list_(pa.float32(), 2), [[1.5, 2.0]], ["[1.5, 2.0]"]),
        (pa.struct({"a": pa.int64(), "b": pa.string()}), [{"a": 1, "b": "it's"}], ["{a: 1, b: 'it''s'}"]),
        (pa.map_(pa.string(), pa.int64()), [[("k", 1)]], ["{'k': 1}"]),
        (pa.string(), ["a\nb", "\x1b[31m", "\u202eabc", ""], ["a\\nb", "\\u001b[31m", "\\u202eabc", ""]),
        (pa.null(), [None], ["NULL"]),
    ],
)
def test_every_type_has_its_text(kind: pa.DataType, values: list[object], texts: list[str]):
    assert shown(values, kind) == texts


def test_dictionary_and_extension_values_show_what_they_stand_for():
    coded = pa.chunked_array([pa.array(["a", None]).dictionary_encode()])
    assert [cell.text for cell in column_cells(coded)] == ["a", "NULL"]
    document = pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}']))
    assert column_cells(pa.chunked_array([document]))[0].text == '{"a": 1}'
    assert type_text(document.type) == "json"


def test_bytes_that_are_not_utf8_do_not_break_the_display():
    broken = pa.StringArray.from_buffers(
        1, pa.py_buffer(b"\x00\x00\x00\x00\x02\x00\x00\x00"), pa.py_buffer(b"\xff\xfe")
    )
    assert column_cells(pa.chunked_array([broken]))[0].text == "\ufffd\ufffd"


def test_a_cut_value_keeps_its_whole_form_in_the_title():
    page = Page(display.html(Answer(pa.table({"t": ["x" * 300], "f": [1 / 3]}))))
    titles = dict(page.attributes)["title"], [value for name, value in page.attributes if name == "title"]
    assert "x" * 300 in titles[1]
    assert repr(1 / 3) in titles[1]
    assert "x" * 79 + "…" in page.cells


def test_the_text_shows_head_types_size_and_badge():
    table = pa.table({"carrier": ["UA", None], "n": [58665, 7]})
    expected = """\
carrier │     n
string  │ int64
────────┼──────
UA      │ 58665
NULL    │     7
(2 rows × 2 columns)
duckdb (one local table) · snapshot 12 · 336,776 rows read, 2.1 MB, 3 of 4 segments pruned · 12 ms"""
    assert display.text(Answer(table)) == expected


def test_more_rows_than_the_limit_are_counted():
    many = Answer(pa.table({"a": list(range(1000))}))
    assert "… 990 more rows (1,000 rows × 1 column)" in display.text(many)
    page = Page(display.html(many, limit=3))
    assert page.cells == ["aint64", "0", "1", "2"]
    assert "… 997 more rows" in display.html(many, limit=3)


def test_a_text_is_as_wide_as_asked():
    wide = pa.table({f"column_{number}": ["value"] for number in range(50)})
    for width in (30, 60, 120):
        lines = display.table_text(wide, 10, width).split("\n")
        assert all(len(line) <= width for line in lines)
        assert "…" in lines[0]
    assert "column_25" in display.table_text(wide, 10, None)


def test_five_thousand_columns_show_the_first_and_the_last():
    wide = Answer(pa.table({f"c{number}": [number] for number in range(5000)}))
    page = Page(display.html(wide))
    heads = page.cells[:21]
    assert heads[0] == "c0int64"
    assert heads[10] == "…"
    assert heads[-1] == "c4999int64"
    assert len(display.html(wide)) < 12_000
    assert "c4999" in display.text(wide)
    assert "5,000 columns" in display.text(wide)


def test_no_rows_and_no_columns():
    assert "no rows" in display.html(Answer(pa.table({"a": pa.array([], pa.int64())})))
    assert "(0 rows × 1 column)" in display.text(Answer(pa.table({"a": pa.array([], pa.int64())})))
    assert display.text(Answer(pa.table({}))).startswith("duckdb")
    Page(display.html(Answer(pa.table({}))))


def test_a_plan_is_shown_as_it_is_printed():
    plan = Answer(pa.table({"explain_key": ["plan"], "explain_value": ["SCAN <t>\n  FILTER"]}))
    assert display.text(plan).startswith("SCAN <t>\n  FILTER\n")
    assert "SCAN &lt;t&gt;\n  FILTER" in display.html(plan)


def test_what_the_reader_must_know_is_said():
    run = RunRecord(
        "duckdb",
        "gpu was asked",
        3,
        cached=True,
        fallbacks=("gpu: no <device>",),
        recall=0.9871,
        warnings=("3 NULL times left out",),
    )
    text = display.text(Answer(pa.table({"a": [1]}), run))
    assert text.endswith(
        "! Fell back: gpu: no <device>\n! Approximate: measured recall 0.987.\n! 3 NULL times left out"
    )
    page = display.html(Answer(pa.table({"a": [1]}), run))
    assert "Fell back: gpu: no &lt;device&gt;" in page
    assert "cached" in page


def test_right_to_left_text_is_isolated():
    page = Page(display.html(Answer(pa.table({"שם": ["שלום"]}))))
    assert page.tags.count("bdi") == 2


def test_there_is_no_script_and_the_style_is_scoped():
    page = display.html(Answer(pa.table({"a": [1]})))
    assert "<script" not in page
    rules = re.findall(r"([^{}]+)\{[^{}]*\}", page.partition("<style>")[2].partition("</style>")[0])
    assert all(part.strip().startswith(".luma-result") for rule in rules for part in rule.split(","))


@settings(deadline=None, max_examples=80)
@given(
    st.text(min_size=1, max_size=30),
    st.lists(st.one_of(st.none(), st.text(max_size=120)), max_size=4),
    st.text(max_size=40),
    st.text(max_size=40),
)
def test_nothing_from_outside_becomes_markup(name: str, values: list[str | None], reason: str, warning: str):
    evil = "\"><img src=x onerror=alert(1)>'</td></style>&amp;"
    table = pa.table(
        {name + evil: pa.array([value if value is None else value + evil for value in values], pa.string())}
    )
    page = Page(
        display.html(Answer(table, RunRecord("d" + evil, reason + evil, 1, warnings=(warning + evil,))))
    )
    assert page.open == []
    assert set(page.tags) <= {
        "div",
        "style",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "span",
        "small",
        "bdi",
        "b",
    }
    # A table that scrolls is reached by keyboard, and has a name then.
    scrolled = {"tabindex", "role", "aria-label"}
    assert {attribute for attribute, _ in page.attributes} <= {
        "class",
        "scope",
        "title",
        "colspan",
        *scrolled,
    }


@settings(deadline=None, max_examples=80)
@given(st.lists(st.one_of(st.none(), st.text(max_size=60)), min_size=1, max_size=5))
def test_a_text_table_has_a_line_a_row_and_no_control_characters(values: list[str | None]):
    text = display.table_text(pa.table({"a": pa.array(values, pa.string())}))
    assert len(text.split("\n")) == len(values) + 4
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_null_is_not_the_text_null():
    cells = column_cells(pa.chunked_array([pa.array([None, "NULL"])]))
    assert cells[0] is NULL
    assert not cells[1].null
    assert 'luma-null">NULL' in display.html(Answer(pa.table({"a": pa.array([None], pa.string())})))


def test_a_sum_of_integers_reads_as_an_integer():
    import decimal

    table = pa.table({"s": pa.array([decimal.Decimal(10), None], pa.decimal128(38, 0))})
    assert display.text(Answer(table)).split("\n")[:2] == ["    s", "int64"]
    wide = pa.table({"s": pa.array([decimal.Decimal(2**70)], pa.decimal128(38, 0))})
    assert str(2**70) in display.text(Answer(wide))


def test_numbers_and_times_are_never_cut():
    moment = pa.array([dt.datetime(2013, 1, 1, 10, 0, 0, 123456, tzinfo=dt.UTC)], NEW_YORK)
    table = pa.table(
        {"at": moment, "t": ["long " * 50], "n": [2**62]}
        | {f"c{number}": ["long " * 9] for number in range(9)}
    )
    lines = display.table_text(table, 10, 70).split("\n")
    assert "2013-01-01 05:00:00.123456-05:00" in lines[3]
    assert "…" in lines[3]
    assert str(2**62) in display.table_text(table.select(["t", "n"]), 10, 50)


def test_truth_values_of_one_byte_read_as_truth_values():
    flags = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, None], pa.int8()))
    assert [cell.text for cell in column_cells(pa.chunked_array([flags]))] == ["true", "false", "NULL"]
    assert type_text(pa.bool8()) == "bool"
    nested = pa.ListArray.from_arrays([0, 3], flags)
    assert [cell.text for cell in column_cells(pa.chunked_array([nested]))] == ["[true, false, NULL]"]


def test_dollar_signs_are_data_and_no_formulas():
    page = Page(display.html(Answer(pa.table({"price": ["$5 and $6"]}))))
    classes = next(value for name, value in page.attributes if name == "class")
    assert classes is not None
    assert {"mathjax_ignore", "tex2jax_ignore"} <= set(classes.split())


def test_left_out_columns_are_counted():
    wide = pa.table({f"c{number}": [1] for number in range(60)})
    assert "40 columns not shown" in display.html(Answer(wide))
    assert "not shown" not in display.html(Answer(wide.select(range(20))))


def test_the_badge_breaks_between_its_parts():
    shown = display.badge_html(Answer(pa.table({"x": [1]})).run)
    assert '<span class="luma-part">snapshot 12</span>' in shown
    assert '<span class="luma-part">12 ms</span>' in shown


def test_figures_that_no_node_has_are_left_out():
    nodes = (NodeRecord("scan t", "duckdb", rows=3, detail="all"), NodeRecord("scan u", "duckdb", rows=4))
    shown = display.nodes_table(RunRecord("duckdb", "one", 1, nodes=nodes))
    assert shown.column_names == ["node", "engine", "rows", "detail"]


def test_a_wide_table_is_scrolled_by_keyboard():
    page = Page(display.html(Answer(pa.table({"a": [1]}))))
    assert {("tabindex", "0"), ("role", "group"), ("aria-label", "Rows")} <= set(page.attributes)

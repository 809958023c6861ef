"""How a KadeQL notebook's cell is read: whose each line is, and where positions are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.notebook.kernel.cells import as_magic, read_cell, transformed
from luma_bench.notebook.kernel.editing import completeness

LINES = st.lists(
    st.sampled_from(
        [
            "%luma tables", "!ls", "", "  ", "SELECT 1", "% 3", "%%kadeql --limit 3", "%%python", "%%time", "x = 1",
            "-- a note", "FROM t", "%python y = 2", "name?", "%luma open a \\", "'", "MATCH (a)-[e]->(b)", "\t%kadeql SELECT 2",
        ]
    ),
    max_size=6,
).map("\n".join)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(LINES)
def test_the_parts_of_a_cell_are_the_cell(code: str):
    try:
        parts = read_cell(code)
    except SyntaxError:
        return
    assert code.startswith(parts.above)
    assert code[parts.start :] == parts.text
    assert parts.above == "" or parts.above.endswith("\n") or not parts.text
    bare = parts.language == "kadeql" and parts.line is None
    assert not (bare and parts.text.startswith(("!", "%")))


@settings(deadline=None, max_examples=300)
@given(LINES, st.data())
def test_positions_stay_on_their_letters(code: str, data: st.DataObject):
    position = data.draw(st.integers(0, len(code)))
    text, place, shift = as_magic(code, position)
    assert place + shift == position
    assert 0 <= place <= len(text)
    try:
        parts = read_cell(code)
    except SyntaxError:
        return
    if position > parts.start:
        typed = code[parts.start : position]
        assert text[:place].endswith(typed)


@settings(deadline=None, max_examples=200)
@given(LINES)
def test_every_cell_becomes_lines_of_ipython(code: str):
    try:
        lines = transformed(code.splitlines(keepends=True))
    except SyntaxError:
        assert "%%python" in code
        return
    assert all(line.endswith("\n") and "\n" not in line[:-1] for line in lines)
    assert completeness(code) is None or completeness(code)["status"] in ("complete", "incomplete", "invalid")  # pyright: ignore[reportOptionalSubscript]


@pytest.mark.parametrize(
    ("code", "language", "above", "text"),
    [
        ("SELECT 1", "kadeql", "", "SELECT 1"),
        ("SELECT 10\n% 3", "kadeql", "", "SELECT 10\n% 3"),
        ("%luma open x\n\nSELECT 1", "kadeql", "%luma open x\n\n", "SELECT 1"),
        ("%luma open x \\\n  --mode r\nSELECT 1", "kadeql", "%luma open x \\\n  --mode r\n", "SELECT 1"),
        ("%%python\nx = 1", "python", "", "x = 1"),
        ("%%python3\nx = 1", "python", "", "x = 1"),
        ("%%pythonic\nx = 1", "ipython", "", "%%pythonic\nx = 1"),
        ("%%html\n<b>", "ipython", "", "%%html\n<b>"),
        ("%%kadeql --at 3\nSELECT 1", "kadeql", "", "SELECT 1"),
        ("%%kadeqlish\n1", "ipython", "", "%%kadeqlish\n1"),
        ("flights?", "ipython", "", "flights?"),
        ("?len", "ipython", "", "?len"),
        ("SELECT a?", "kadeql", "", "SELECT a?"),
        ("%luma tables", "kadeql", "%luma tables", ""),
        ("", "kadeql", "", ""),
    ],
)
def test_whose_a_cell_is(code: str, language: str, above: str, text: str):
    parts = read_cell(code)
    assert (parts.language, parts.above, parts.text) == (language, above, text)


def test_python_keeps_its_line_numbers():
    assert transformed(["%%python\n", "x = 1\n", "y = 2"]) == ["#\n", "x = 1\n", "y = 2\n"]
    assert transformed(["%python x = 1\n", "%%python\n", "y = 2\n"]) == ["x = 1\n", "#\n", "y = 2\n"]
    assert transformed(["\n", "%%python\n", "y\n"]) == ["#\n", "#\n", "y\n"]


def test_a_magic_that_runs_cells_hands_python_on():
    assert transformed(["%%python\n", "%%time\n", "y = 2\n"]) == ["%%time\n", "%%python\n", "y = 2\n"]
    assert transformed(["%%python\n", "%%html\n", "<b>\n"]) == ["%%html\n", "<b>\n"]


def test_the_debugger_gets_python_as_it_is():
    assert transformed(["%%debug\n", "%%python\n", "y = 2\n"]) == ["%%debug\n", "y = 2\n"]
    assert transformed(["%%python\n", "%%debug\n", "y = 2\n"]) == ["%%debug\n", "y = 2\n"]
    assert transformed(["%%debug\n"]) == ["%%debug\n"]
    with pytest.raises(SyntaxError, match="write %%python in the line below"):
        transformed(["%%debug\n", "SELECT 1\n"])


def test_what_a_line_above_the_statements_gives_is_shown():
    shown = "get_ipython().kernel.show(get_ipython().run_line_magic('luma', 'tables'))\n"
    assert transformed(["%luma tables\n", "SELECT 1\n"])[0] == shown
    assert transformed(["%luma tables\n", "%luma snapshots\n"]) == [shown, "%luma snapshots\n"]
    assert transformed(["%luma tables\n", "-- nothing\n"]) == ["%luma tables\n", "-- nothing\n"][:1]
    assert transformed(["%luma open a \\\n", "  --mode r\n", "SELECT 1"])[0] == "%luma open a \\\n"


@pytest.mark.parametrize(
    ("code", "position"), [("   ", 2), ("", 0), ("%luma tables\n\nSELECT 1", 13), ("\n\n", 1)]
)
def test_in_an_empty_line_a_statement_may_begin(code: str, position: int):
    text, place, shift = as_magic(code, position)
    assert text.startswith("%%kadeql\n")
    assert place + shift == position

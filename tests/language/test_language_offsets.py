"""The offset map: every character of a rewritten text leads back to where it came from."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from luma_bench.language import OffsetMap, Query
from luma_bench.language.rewrite import Edit, rewritten

NAMES = st.sampled_from(["t", "flights", '"a b"', "größe", "match", "main.t", '"q""q"', "`b q`"])
PINS = st.sampled_from(
    ["VERSION => 3", "TAG => 'x'", "VERSION => $v", "TIMESTAMP => '2026-01-31 12:00'", "version=>12"]
)
SPACE = st.sampled_from([" ", "\n", "\t", "  ", "\r\n", " /* AT (VERSION => 9) */ ", " -- x\n"])


@st.composite
def references(draw) -> str:
    name, space, pin = draw(NAMES), draw(SPACE), draw(PINS)
    at = f"AT{draw(st.sampled_from(['', ' ']))}({pin})"
    shape = draw(
        st.sampled_from(
            ["{n}", "{n}{s}{a}", "{n}{s}{a} AS f", "{n}{s}{a} f", "{n} f{s}{a}", "(FROM {n}{s}{a}) AS f"]
        )
    )
    return shape.format(n=name, s=space, a=at)


@st.composite
def queries(draw) -> str:
    tables = draw(st.lists(references(), min_size=1, max_size=4))
    glue = draw(st.sampled_from([", ", " CROSS JOIN ", "\nPOSITIONAL JOIN "]))
    head = draw(
        st.sampled_from(["SELECT 'é', $p, a FROM ", "FROM ", "WITH c AS (SELECT 1) SELECT $$x$$ FROM "])
    )
    tail = draw(st.sampled_from(["", " WHERE größer = 'ü'", "\nORDER BY a LIMIT 3"]))
    return head + glue.join(tables) + tail


@settings(deadline=None, max_examples=150)
@given(before=st.sampled_from(["", "SELECT 1;\n", " -- ü\n"]), text=queries())
def test_at_anywhere_round_trips(read, before, text):
    whole = before + text
    query = read(whole)[-1]
    assert isinstance(query, Query)
    offsets = [query.offsets.to_source(at) for at in range(len(query.sql) + 1)]
    assert offsets == sorted(offsets)
    assert query.start <= offsets[0]
    assert offsets[-1] <= query.end
    kept = 0
    for segment in query.offsets.segments:
        if segment.verbatim:
            kept += 1
            new, old = (
                query.sql[segment.new_start : segment.new_end],
                whole[segment.old_start : segment.old_end],
            )
            assert new == old
            for at in range(segment.new_start, segment.new_end):
                assert query.sql[at] == whole[query.offsets.to_source(at)]
    assert kept
    assert bool(query.pins) == (query.sql != query.source)
    assert ("VERSION => $v" in text.replace("/* AT (VERSION => 9) */", "")) == (query.pin_params == {"v"})
    for pin in query.pins:
        place = query.sql.index('"' + pin.alias.replace('"', '""') + '"')
        start, end = query.offsets.span(place, place + len(pin.alias))
        assert (
            whole[start:end].strip('"`').endswith(pin.table.replace('"', '""'))
            or pin.table in whole[start:end]
        )


@settings(deadline=None, max_examples=100)
@given(
    text=st.text(alphabet="abcé\n", min_size=1, max_size=20),
    cuts=st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 20), st.text(alphabet="XYZ", max_size=5)), max_size=4
    ),
    window=st.tuples(st.integers(0, 20), st.integers(0, 20)),
)
def test_edits_compose_as_slices_do(text, cuts, window):
    start, end = sorted(min(at, len(text)) for at in window)
    edits: list[Edit] = []
    reached = start
    for one, other, new in sorted((min(a, b), max(a, b), new) for a, b, new in cuts):
        if reached <= one < other <= end:
            edits.append(Edit(one, other, new))
            reached = other
    new_text, offsets = rewritten(text, start, end, reversed(edits))
    oracle = text[start:end]
    for edit in reversed(edits):
        oracle = oracle[: edit.start - start] + edit.replacement + oracle[edit.end - start :]
    assert new_text == oracle
    assume(new_text)
    for at, char in enumerate(new_text):
        source = offsets.to_source(at)
        if char in "XYZ":
            assert any(edit.start == source for edit in edits)
        else:
            assert text[source] == char
    whole_span = offsets.span(0, len(new_text))
    assert start <= whole_span[0] <= whole_span[1] <= end


def test_a_shifted_map_points_its_prefix_at_the_users_prefix():
    shifted = OffsetMap.verbatim(8, 12).shifted(20, 0)
    assert [shifted.to_source(at) for at in (0, 19, 20, 23, 24)] == [0, 0, 8, 11, 12]
    assert shifted.span(0, 3) == (0, 8)
    assert shifted.span(20, 24) == (8, 12)
    assert shifted.span(24, 24) == (12, 12)

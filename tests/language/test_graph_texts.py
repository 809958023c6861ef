"""Generated patterns: their values are what was generated, the SQL parses, and every place leads back to the user's text."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import KadeQLError, KadeQLSyntaxError
from luma_bench.language import Query, format_text
from luma_bench.language.graph.pattern import Direction, EdgePattern, Match
from luma_bench.language.tokens import tokenize

LABELS = st.lists(
    st.sampled_from(["person", '"my label"', "größe", "match", "path"]), max_size=2, unique=True
)
SPACE = st.sampled_from(["", "", " ", "\n", " /* (x)-[y]->(z) */ "])
PROPERTIES = st.sampled_from(["x", "y", '"a b"', "key", "match"])
LITERALS = st.sampled_from(
    ["1", "-2.5", "'it''s a.x'", "$p", "TRUE", "[1, 2]", "upper('b.y')", "DATE '2026-01-01'"]
)
QUANTIFIERS = st.sampled_from(["", "", "{2}", "{1,3}", "{,2}", "?"])
EDGES = st.sampled_from([("-", "->", "->"), ("<-", "-", "<-"), ("-", "-", "-"), ("<-", "->", "-")])


@dataclass
class Made:
    """What was generated: the text, and what must be read of it."""

    parts: list[str] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)
    edges: list[str] = field(default_factory=list)
    directions: list[str] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    count: int = 0


@st.composite
def elements(draw, made: Made, kind: str, *, grouped: bool = False) -> str:
    made.count += 1
    variable = draw(st.sampled_from(["", f"{kind}{made.count}"]))
    labels = draw(LABELS)
    made.labels.append(len(labels))
    written = variable
    if labels:
        written += draw(st.sampled_from([":", " IS "])) + draw(st.sampled_from(["|", " | "])).join(labels)
    condition = draw(st.sampled_from(["", "map", "where"]))
    if condition == "map":
        key, value = draw(PROPERTIES), draw(LITERALS)
        written += f" {{{key}: {value}}}"
        made.inline.append(f"{key}: {value}")
    elif condition == "where" and variable:
        conditions = draw(st.lists(st.tuples(PROPERTIES, LITERALS), min_size=1, max_size=2))
        terms = [f"{variable}.{name} = {value}" for name, value in conditions]
        written += f" WHERE {' AND '.join(terms)}"
        made.inline += terms
    if variable and not grouped:
        (made.nodes if kind == "n" else made.edges).append(variable)
    return written


@st.composite
def paths(draw, made: Made) -> str:
    text = f"({draw(elements(made, 'n'))})"
    for _ in range(draw(st.integers(0, 3))):
        left, right, direction = draw(EDGES)
        made.directions.append(direction)
        quantifier = draw(QUANTIFIERS)
        space = draw(SPACE)
        if draw(st.booleans()):
            text += f"{space}{left}[{draw(elements(made, 'e', grouped=bool(quantifier)))}]{right}{quantifier}"
        else:
            made.count += 1
            made.labels.append(0)
            short = {"->": "->", "<-": "<-", "-": "-"}[direction]
            text += f"{space}{draw(st.sampled_from([short, {'->': '-->', '<-': '<--', '-': '--'}[short]])) if not space else short}{quantifier}"
        text += f"({draw(elements(made, 'n'))})"
    return text


@st.composite
def queries(draw) -> tuple[str, Made]:
    made = Made()
    patterns = [draw(paths(made)) for _ in range(draw(st.integers(1, 2)))]
    named = [*made.nodes, *made.edges]
    text = "MATCH " + ", ".join(patterns)
    if named and draw(st.booleans()):
        one, other = draw(st.sampled_from(named)), draw(st.sampled_from(named))
        text += f" WHERE {one}.x = 1 AND ({one}.y > {other}.y OR {other}.z IS NULL) AND {one} = {other}"
    items = [f"{variable}.{draw(PROPERTIES)}" for variable in named[:2]] + ["count(*) AS n"] * draw(
        st.booleans()
    )
    items += [f"sum({variable}.x)" for variable in named[:1]] + ["'a.b' AS s"]
    text += " RETURN " + draw(st.sampled_from(["", "DISTINCT "])) + ", ".join(items)
    text += draw(st.sampled_from(["", " ORDER BY 1", " LIMIT 3", " ORDER BY 1 SKIP 1 LIMIT 2"]))
    shape = draw(
        st.sampled_from(
            ["{}", "SELECT * FROM ({}) AS m", "WITH q AS ({}) SELECT * FROM q, $q", "SELECT EXISTS ({})"]
        )
    )
    return shape.replace(", $q", "").format(text) if "{" in shape else text, made


@settings(deadline=None, max_examples=80)
@given(before=st.sampled_from(["", "SELECT 1;\n", " -- ü (a)--(b)\n"]), made=queries())
def test_a_pattern_is_read_as_it_was_made(read, inspector, before, made):
    text, wanted = made
    whole = before + text
    query = read(whole)[-1]
    assert isinstance(query, Query)
    (match,) = query.islands
    assert isinstance(match, Match)
    found = [item for path in match.clauses[0].paths for item in path.elements]
    edges = [item for item in found if isinstance(item, EdgePattern)]
    assert [edge.direction for edge in edges] == [Direction(one) for one in wanted.directions]
    # Elements stand in the order in which they were made.
    assert sorted(len(item.labels) for item in found) == sorted(wanted.labels)
    conditions = [one for item in found for one in item.conditions]
    written = [whole[slice(*one.span)] for one in conditions]
    assert [one for one in wanted.inline if one not in written] == []
    for item in found:
        assert whole[item.span[0]] in ("<-" if isinstance(item, EdgePattern) else "(")
    for use in match.uses:
        assert whole[slice(*use.span)].split(".")[0].casefold() == use.variable
    for condition in conditions:
        inspector.classify(condition.query.sql)
        places(condition.query)
    places(query)


def places(query: Query) -> None:
    """Every verbatim stretch leads back to its own text, in order; the whole stays within the query."""
    for segment in query.offsets.segments:
        if segment.verbatim:
            new = query.sql[segment.new_start : segment.new_end]
            assert new == query.whole[segment.old_start : segment.old_end]
    offsets = [query.offsets.to_source(at) for at in range(len(query.sql) + 1)]
    assert offsets == sorted(offsets)
    assert query.start <= offsets[0]
    assert offsets[-1] <= query.end


@settings(deadline=None, max_examples=50)
@given(made=queries())
def test_a_pattern_is_set_out_the_same_twice_and_means_the_same(read, made):
    text, _ = made
    done = format_text(text)
    assert format_text(done) == done
    one, other = read(text)[0], read(done)[0]
    (before,), (after,) = one.islands, other.islands
    assert shape(before) == shape(after)
    assert [use.column for use in before.uses] == [use.column for use in after.uses]
    assert before.duplicates is after.duplicates


SOUND = [
    "MATCH p = ANY SHORTEST (a {iata: 'BTV'})-[:route]->+(b) WHERE a.x = 1 AND b.y > $p RETURN path_length(p), nodes(p)",
    "MATCH p = ANY CHEAPEST (a)-[r:x|y COST r.km]->{1,3}(b), (c)-->(d) ON GRAPH g WHERE a.x > b.y RETURN path_cost(p)",
    "MATCH (a)-[r]->(b) VALID AT now() TIME RESPECTING (r.dep, r.arr) STRICT WITHIN INTERVAL '1' HOUR OPTIONAL MATCH (b) RETURN count(*)",
    "WITH q AS (MATCH (a) RETURN a.*) SELECT * FROM GRAPH_TABLE (g MATCH (a)-[r]->(b WHERE b.k IN (FROM q)) COLUMNS (a.x AS y, avg(r.k))) t",
    "SELECT * FROM t JOIN pagerank(GRAPH g, damping => 0.85) p USING (id) WHERE EXISTS (MATCH (a)--(b) RETURN 1)",
]
JUNK = st.sampled_from(
    ["(", ")", "[", "]", "{", "}", ",", ".", "-", "->", "<", "MATCH", "RETURN", "WHERE", "a", "a.x", "$", "--", "COST", "AND", "*", "IS",
     "ON GRAPH", "VALID AT", "TIME RESPECTING", "OPTIONAL", "UNION", ":", "|", "'s'", "1", "count(*)", "AS", "FROM", "SELECT", "COLUMNS"]
)  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(
    text=st.sampled_from(SOUND),
    edits=st.lists(st.tuples(st.integers(0, 80), st.sampled_from("drix"), JUNK), min_size=1, max_size=3),
)
def test_what_is_misspelt_is_an_error_with_a_place(read, text, edits):
    tokens = tokenize(text)
    parts = [tokens.slice(index, index + 1) for index in range(len(tokens))]
    for place, what, junk in edits:
        at = place % len(parts)
        if what == "d":
            parts[at] = ""
        elif what == "r":
            parts[at] = junk
        elif what == "i":
            parts.insert(at, junk)
        else:
            other = (at + 3) % len(parts)
            parts[at], parts[other] = parts[other], parts[at]
    mixed = " ".join(parts)
    try:
        read(mixed)
    except KadeQLError as error:
        start, end = error.span or (0, 0)
    else:
        start = end = 0
    assert 0 <= start <= end <= len(mixed)
    try:
        done = format_text(mixed)
    except KadeQLSyntaxError:
        return
    assert format_text(done) == done


def shape(match: Match) -> list[object]:
    """A pattern without its places."""
    return [
        (
            type(item).__name__,
            item.variable,
            [label.name for label in item.labels],
            item.direction if isinstance(item, EdgePattern) else None,
            item.quantifier[:2] if isinstance(item, EdgePattern) and item.quantifier else None,
            [one.simple for one in item.conditions],
        )
        for clause in match.clauses
        for path in clause.paths
        for item in path.elements
    ]

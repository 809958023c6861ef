"""What is wrong in a graph query: the place of the caret, what was expected, and what to write instead."""

from __future__ import annotations

import pytest

from luma_bench.errors import KadeQLError, KadeQLSyntaxError, KadeQLUnsupportedError

# text with the place in «», words of the message, words of the hint
WRONG = [
    ("MATCH«»", "pattern", "MATCH (a)"),
    ("OPTIONAL «(a)» RETURN 1", "OPTIONAL", ""),
    ("MATCH «a» RETURN b", "pattern", "MATCH (a)"),
    ("MATCH (a)«»", "RETURN, found the end", "RETURN"),
    ("MATCH (a)-[r]->(b) «RETRUN» a.x", "RETURN, found RETRUN", "mean RETURN"),
    ("MATCH (a)-[r]->(b) «WEHRE» a.x = 1 RETURN a.x", "WHERE", "mean WHERE"),
    ("MATCH (a) WHERE a.x = 3«»", "RETURN, found the end", "RETURN"),
    ("MATCH (a) RETURN«»", "what to return", "RETURN a.x"),
    ("MATCH (a) RETURN a.x +«»", "a value behind +", ""),
    ("MATCH (a) WHERE a.x > 3 AND «RETURN» a.x", "a value behind AND", ""),
    ("MATCH (a)-[r]->(b) RETURN «c».x", "No variable c in the pattern; there are a, r, b.", "(c)"),
    ("MATCH (air)-[r]->(b) RETURN «airs».x", "No variable airs", "mean air"),
    ("MATCH (a)-[r]->(b) RETURN a.x, «c»", "No variable c", ""),
    ("MATCH (a) WHERE «c».x = 1 RETURN a.x", "No variable c in the pattern; there is a.", ""),
    ("MATCH ()-[]->() WHERE «c».x = 1 RETURN 1", "which names none", ""),
    ("MATCH (a WHERE «b».x = 1) RETURN a.x", "No variable b", ""),
    ("MATCH (a) WHERE «iata» = 'JFK' RETURN a.x", "No variable iata", ""),
    ("MATCH (a) RETURN a.x ORDER BY «y».z", "No variable y", ""),
    ("MATCH (a)-[r]->«+»(b) RETURN a.x", "An unbounded quantifier needs ANY SHORTEST", "TRAIL"),
    ("MATCH (a)-[r]->«{2,}»(b) RETURN a.x", "An unbounded quantifier needs", "{1,5}"),
    ("MATCH (a)-[«a»]->(b) RETURN a.x", "a node already", "variable of its own"),
    ("MATCH (a)-[r]->(b), («r») RETURN a.x", "an edge already", "variable of its own"),
    ("MATCH (a)-[r]->(b)-[«r»]->(c) RETURN a.x", "names an edge already", "r = s"),
    ("MATCH p = (a), «p» = (b) RETURN 1", "names a path already", "once"),
    ("MATCH («\"a.b\"») RETURN 1", "no name for a variable", "dots"),
    ("MATCH («select») RETURN 1", "a variable", "quote it"),
    ("MATCH (a)-[r]->(b) RETURN nodes(«a»)", "nodes takes a path, and a is a node", "MATCH p ="),
    ("MATCH p = (a) RETURN label(«p»)", "label takes a node or an edge", ""),
    ("MATCH p = (a) RETURN «nodes(1)»", "nodes takes a path", "nodes(v)"),
    ("MATCH p = (a) RETURN «p»", "p is a path, which is no value", "nodes(p)"),
    ("MATCH p = (a) RETURN «p.x»", "no properties", "path_length(p)"),
    ("MATCH p = (a)-[r]->(b) RETURN path_cost(«p»)", "has no cost", "ANY CHEAPEST"),
    ("MATCH p = (a)-[r]->(b) RETURN path_arrival(«p»)", "has no times", "TIME RESPECTING"),
    ("MATCH p = «ANY CHEAPEST» (a)-[r]->(b) RETURN 1", "needs the cost", "COST r.km"),
    ("MATCH (a)-[r «COST r.km»]->(b) RETURN a.x", "COST is for ANY CHEAPEST", "leave COST out"),
    ("MATCH (a «COST» 1) RETURN a.x", "a label, WHERE", "COST stands in an edge"),
    ("MATCH ANY CHEAPEST (a)-[r COST «r.km + a.x»]->(b) RETURN 1", "COST is an expression", "r.km"),
    ("MATCH p = ANY «SHORTST» (a)-[r]->+(b) RETURN a.x", "a node", "mean SHORTEST"),
    ("MATCH p = ALL «(a)»", "SHORTEST after ALL", ""),
    ("MATCH SHORTEST «(a)»-[r]->(b) RETURN 1", "how many paths", "SHORTEST 3"),
    ("MATCH «SIMPEL» (a)-[r]->(b) RETURN 1", "", ""),
    ("MATCH (a)-[r WHERE «r.x > a.y»]->{1,2}(b) RETURN a.x", "each edge by itself", "list_max(r.x)"),
    ("MATCH (a)-[r WHERE «label(r) = 'x'»]->{1,2}(b) RETURN a.x", "each edge by itself", "WHERE"),
    ("MATCH (a)-[r {k: «a.y»}]->{1,2}(b) RETURN a.x", "each edge by itself", "WHERE"),
    ("MATCH (b) OPTIONAL MATCH (b)-[s]->(c) WHERE «b.x > c.x» RETURN 1", "OPTIONAL MATCH is about one", "LEFT JOIN"),
    ("MATCH (b) OPTIONAL MATCH (b)-[s]->(c WHERE «b.x > c.x») RETURN 1", "OPTIONAL MATCH is about one", "LEFT JOIN"),
    ("MATCH (a)-[:r«*»1..3]->(b) RETURN a.x", "found *", "-[e:label]->{1,3}"),
    ("MATCH (a)-[r]->«{3,1}»(b) RETURN a.x", "at least 3 and at most 1", "smaller"),
    ("MATCH (a)-[r]->{«x»}(b) RETURN a.x", "a number, found x", "{1,3}"),
    ("MATCH (a)-[r]->{1«;»}(b) RETURN a.x", "", ""),
    ("MATCH (a)-[r]->{«1.5»}(b) RETURN a.x", "a whole number", "{1,3}"),
    ("MATCH (a)-[r]«(»b) RETURN a.x", "behind the edge's bracket", "-[e:label]->"),
    ("MATCH (a)-[r]->«[»b] RETURN a.x", "a node behind the edge", "(v)"),
    ("MATCH (a)«~»[r]~(b) RETURN a.x", "an edge", "-[e]-"),
    ("MATCH (a:x«&»y) RETURN a.x", "found &", ":one|other"),
    ("MATCH (a:«!»y) RETURN a.x", "a label", ":one|other"),
    ("MATCH (a {k «1»}) RETURN a.x", ": behind", "{name: value"),
    ("MATCH (a {k:«}») RETURN a.x", "the property's value", "{name: value"),
    ("MATCH (a) RETURN upper(«a.*»)", "result of their own", "RETURN a.*"),
    ("MATCH ()-[]->() RETURN «*»", "names no node", "(a)"),
    ("MATCH (a)-[e]->{1,2}(b) RETURN «sum(e.x)»", "e repeats in the pattern", "list_sum(e.x)"),
    ("MATCH (a) ON GRAPH g MATCH (b) ON GRAPH «h» RETURN 1", "one graph, g", "one graph"),
    ("MATCH (a) VALID AT «a.x» RETURN 1", "VALID AT takes a moment", "constant"),
    ("MATCH (a)-[r]->(b) TIME RESPECTING («a.x, r.y») RETURN 1", "two expressions over one edge", "(f.dep, f.arr)"),
    ("MATCH (a)-[r]->(b) TIME «(»r.x, r.y) RETURN 1", "TIME RESPECTING", "TIME RESPECTING"),
    ("MATCH (a)-[r]->(b) TIME RESPECTING (r.x«)» RETURN 1", "a comma and the expression of the arrival", ""),
    ("MATCH (a)-[r]->(b) TIME RESPECTING (r.x, r.y) WITHIN «RETURN» 1", "an interval after WITHIN", ""),
    ("SELECT * FROM GRAPH_TABLE (air MATCH (a)-[r]->(b)«)»", "COLUMNS, found )", "COLUMNS"),
    ("SELECT * FROM GRAPH_TABLE (air MATCH (a) COLUMNS «a».x)", "( after COLUMNS", "COLUMNS"),
    ("SELECT * FROM GRAPH_TABLE (air MATCH (a) COLUMNS (a.x) «WHERE» 1)", ") behind the columns", "COLUMNS"),
    ("SELECT * FROM GRAPH_TABLE («(»a) COLUMNS (a.x))", "table's name", ""),
    ("SELECT * FROM PAGERANK(GRAPH air, «0.85»)", "an argument's name", ""),
    ("SELECT * FROM PAGERANK(GRAPH air, damping «0.85»)", "=> behind", "name => value"),
    ("SELECT * FROM PAGERANK(GRAPH air, k => 1, «K» => 2)", "stands twice", "once"),
    ("SELECT * FROM PAGERANK(GRAPH air «damping» => 1)", "a comma or )", "name => value"),
    ("MATCH (a)«--»[r]-(b)\nRETURN count(*)", "begins a comment", "(a)--(b)"),
    ("MATCH (a) «--» [r] -(b)\nRETURN count(*)", "begins a comment", "-[e:label]-"),
    ("MATCH (a) -->«b»\nRETURN count(*)", "a node behind the edge", "(v)"),
    ("MATCH (a) -- («the» start)\n-[r]->(b) RETURN 1", "", ""),
    ("SELECT * FROM GRAPH_TABLE (h MATCH (x)-[e]->(y) «RETURN» x.name AS a)", "COLUMNS (…), found RETURN", "gives its columns with COLUMNS (…)"),
    ("MATCH (a)-[r]->(b) RETURN «labels(a)»", "no function 'labels'", "label(a)"),
    ("MATCH (a)-[r]->(b) RETURN «type(r)»", "no function 'type'", "label(r)"),
    ("MATCH (a) WHERE «id(a)» = 1 RETURN a", "no function 'id'", "RETURN a"),
    ("MATCH (a) RETURN «elementId(a)»", "no function 'elementid'", "RETURN a"),
    ("MATCH (a) RETURN «collect(a.x)»", "no function 'collect'", "list(a.x)"),
    ("MATCH p = (a)-[r]->(b) RETURN «length(p)»", "no function 'length'", "path_length(p)"),
    ("MATCH p = «shortestPath»((a)-[r]->(b)) RETURN 1", "a node in round brackets", "ANY SHORTEST"),
    ("MATCH «shortestPath»((a)-[r]->(b)) RETURN 1", "a node in round brackets", "ANY SHORTEST"),
    ("MATCH (n) WHERE n.x = 1 AND «n:person» RETURN n", "no condition", "label(n) = 'person'"),
    ("MATCH (n {iata: «\"BTV\"»}) RETURN n", "No variable", "single quotes: 'BTV'"),
    ("MATCH (n) WHERE n.iata = «\"BTV\"» RETURN n", "No variable", "single quotes: 'BTV'"),
    ("MATCH (n) «WITH» n RETURN n", "found WITH", "WITH m AS (MATCH"),
    ("MATCH (n) WHERE n.x > 1 «WITH» n RETURN n", "found WITH", "WITH m AS (MATCH"),
    ("MATCH (n) WHERE n.x > n.y «SET» n.x = 3", "found SET", "UPDATE"),
    ("MATCH (n) «CREATE» (n)-[:r]->(m)", "found CREATE", "INSERT INTO"),
    ("MATCH (n) WHERE n.x = 'a' «DETACH» DELETE n", "found DETACH", "DELETE FROM"),
    ("MATCH (n) «DELETE» n", "found DELETE", "DELETE FROM"),
    ("MATCH (n) «UNWIND» n.xs AS x RETURN x", "found UNWIND", "unnest"),
    ("SELECT (MATCH (a) WHERE a.x = «o».y RETURN count(*)) FROM o", "No variable o", ""),
    ("WITH RECURSIVE r AS (SELECT 1 AS k UNION ALL SELECT m.k FROM r, (MATCH (a WHERE «a.k IN (SELECT k FROM r)») RETURN a.k) m) FROM r", "query that holds the pattern", "JOIN"),
]  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "SELECT 1;\r\n\t-- ü\n"], ids=["alone", "second"])
@pytest.mark.parametrize(("marked", "told", "hint"), WRONG)
def test_an_error_points_at_its_place(read, prefix, marked, told, hint):
    start, end = marked.index("«"), marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises((KadeQLSyntaxError, KadeQLUnsupportedError)) as caught:
        read(prefix + text)
    error: KadeQLError = caught.value
    assert told in error.plain
    assert error.hint
    assert hint in error.hint
    if told:
        assert error.span is not None
        assert error.span[0] == len(prefix) + start
        if start < end:
            assert error.span[1] <= len(prefix) + max(end, start + 1)

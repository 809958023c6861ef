"""The runner of openCypher's tests, over scenarios of our own: what it carries over, what it judges, and the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tck_cypher import Unmapped
from tck_feature import Edge, Node, Trip, cell, scenarios
from tck_page import page
from tck_run import Outcome, Runner
from tck_translate import translate
from tck_world import world_of

import luma_bench as lb

FEATURE = '''
Feature: Own - scenarios of our own

  Background:
    Given an empty graph
    And having executed:
      """
      CREATE (a:Actor:Person {name: 'Ann'}), (b:Person {name: 'Bo'}), (f:Film {title: 'F', year: 1999})
      CREATE (a)-[:PLAYS {as: 'x'}]->(f), (b)-[:SEES]->(f), (b)-[:KNOWS]->(a)
      """

  Scenario: [1] Both labels
    When executing query:
      """
      MATCH (n:Person:Actor)-[r]->(f) RETURN n, r, f.title AS title
      """
    Then the result should be, in any order:
      | n                             | r                  | title |
      | (:Actor:Person {name: 'Ann'}) | [:PLAYS {as: 'x'}] | 'F'   |

  Scenario: [2] No edge twice
    When executing query:
      """
      MATCH (a)--(b)--(c) WHERE a:Film RETURN a.title, c.name
      """
    Then the result should be, in any order:
      | a.title | c.name |
      | 'F'     | 'Ann'  |
      | 'F'     | 'Bo'   |

  Scenario: [3] A path
    When executing query:
      """
      MATCH p = (:Film)<-[*2]-(b) WITH p, b RETURN p, length(p) AS l ORDER BY l
      """
    Then the result should be, in order:
      | p | l |
      | <(:Film {title: 'F', year: 1999})<-[:PLAYS {as: 'x'}]-(:Actor:Person {name: 'Ann'})<-[:KNOWS]-(:Person {name: 'Bo'})> | 2 |

  Scenario: [4] A wrong expectation
    When executing query:
      """
      MATCH (n:Film) RETURN n.year
      """
    Then the result should be, in any order:
      | n.year |
      | 2000   |

  Scenario: [5] Beyond the runner
    When executing query:
      """
      UNWIND [1] AS x RETURN x
      """
    Then the result should be, in any order:
      | x |
      | 1 |

  Scenario Outline: [6] Errors
    When executing query:
      """
      MATCH <pattern> RETURN r
      """
    Then a SyntaxError should be raised at compile time: VariableTypeConflict

    Examples:
      | pattern         |
      | (r)-[r]-()      |
      | ()-[r]-()       |
'''


@pytest.fixture
def feature(tmp_path: Path) -> Path:
    path = tmp_path / "Own.feature"
    path.write_text(FEATURE, "utf-8")
    return path


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    with lb.open(tmp_path / "tck.luma", threads=1) as bench:
        yield Runner(bench, tmp_path)


def test_scenarios_end_as_they_should(feature: Path, runner: Runner) -> None:
    outcomes = [runner.run(item) for item in scenarios(feature)]
    assert [(item.scenario[:3], item.verdict) for item in outcomes] == [
        ("[1]", "passed"), ("[2]", "passed"), ("[3]", "passed"), ("[4]", "WRONG"), ("[5]", "skipped"),
        ("[6]", "passed"), ("[6]", "WRONG"),
    ]  # fmt: skip
    assert outcomes[4].reason == "UNWIND in a query"
    assert outcomes[6].reason.endswith("VariableTypeConflict, and there was none")


def test_cells_are_values() -> None:
    assert cell("[1, -2.5, 'a\\'b', null, true]") == (1, -2.5, "a'b", None, True)
    ann, bo = Node(frozenset({"A", "B"}), (("name", "x"),)), Node(frozenset(), ())
    assert cell("<(:B:A {name: 'x'})<-[:T]-()>") == Trip((ann, bo), ((Edge("T", ()), False),))
    with pytest.raises(ValueError, match="foo"):
        cell("foo(1)")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("MATCH (a:A)-[:T|U*..3 {x: 1}]->(b) RETURN b", "MATCH TRAIL (a:l_A__B)-[e1__:T WHERE e1__.x = 1]->{1,3}(b) ON GRAPH w RETURN b AS c0_0"),
        ("MATCH (a), (b:None) RETURN count(*) AS n", "MATCH (a), (b:empty__) ON GRAPH w RETURN count(*) AS c0_0"),
        (
            "MATCH (a)-->(b), (c)-->(d) WHERE a.x = 'it\\'s' RETURN type(a) ",
            None,
        ),
        (
            "MATCH (a)-->(b), (c)-[r]->(d) WHERE a.x = 'it\\'s' RETURN type(r) AS t",
            ("MATCH p1__ = TRAIL (a)-[]->(b), p2__ = TRAIL (c)-[r]->(d) ON GRAPH w WHERE (a.x = 'it''s')"
            " AND NOT list_has_any(edges(p1__), edges(p2__)) RETURN label(r) AS c0_0"),
        ),
        ("MATCH (a) WITH a LIMIT 1 MATCH (a)-->(b) RETURN b", None),
        ("MATCH (a) WHERE (a)-->() RETURN a", None),
    ],
)  # fmt: skip
def test_queries_are_carried_over(query: str, text: str | None) -> None:
    world = world_of(["CREATE (:A:B)-[:T]->(:C)"])
    if text is None:
        with pytest.raises(Unmapped):
            translate(query, world, "w")
    else:
        assert translate(query, world, "w").text == text


def test_the_page_counts_and_names_reasons() -> None:
    outcomes = [
        Outcome("Match1", "[1] a", "passed"),
        Outcome("Match1", "[2] b", "skipped", "UNWIND in a query"),
        Outcome("Match2", "[1] c", "WRONG", "[] for [1]"),
    ]
    shown = page(outcomes, "v1")
    assert "| Match1 | 2 | 1 | 0 | 1 | 0 |" in shown
    assert "| **all** | 3 | 1 | 0 | 1 | 1 |" in shown
    assert "| UNWIND in a query | 1 |" in shown
    assert "- Match2, [1] c" in shown

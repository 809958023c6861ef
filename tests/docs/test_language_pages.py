"""The language reference is whole: no kind of statement, operator, error or refusal is without its entry."""

from __future__ import annotations

from pathlib import Path

import pytest
from doc_blocks import blocks_of

from luma_bench import errors
from luma_bench.config import Settings
from luma_bench.engines.duck_advice import FAMILIES
from luma_bench.engines.duck_connect import connect
from luma_bench.engines.duck_inspect import DuckInspector
from luma_bench.language import Kind, parse
from luma_bench.language.shapes import OPERATORS, SHAPES
from scripts import docs_language


@pytest.fixture(scope="module")
def inspector():
    return DuckInspector(Settings(threads=1))


def test_every_kind_of_statement_has_its_shape():
    assert set(SHAPES) == set(Kind)


@pytest.mark.parametrize("kind", list(SHAPES), ids=[kind.value for kind in SHAPES])
def test_the_examples_of_a_shape_are_of_its_kind(inspector, kind):
    shape = SHAPES[kind]
    assert shape.examples
    assert shape.meaning.endswith((".", "`."))
    for example in shape.examples:
        (statement,) = parse(example, inspector)
        assert statement.kind is kind
    assert shape.syntax.lstrip("[").split()[0].strip("]…") in {kind.value.split()[0], "WITH"}


def test_every_kind_of_statement_runs_in_the_pages_by_example(inspector, repository: Path):
    shown = {
        statement.kind
        for page in ("kadeql-relational.md", "plans.md", "files.md", "policies.md", "graphs/making.md")
        for block in blocks_of((repository / "docs" / page).read_text("utf-8"))
        if block.language == "kadeql" and block.flag == ""
        for statement in parse(block.text, inspector)
    }
    assert [kind.value for kind in Kind if kind not in shown] == []


def test_every_operator_of_the_engine_is_described():
    con = connect(Settings(threads=1))
    found = con.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE NOT regexp_full_match(function_name, '\\w+')"
    ).fetchall()
    con.close()
    assert {name for (name,) in found} - set(OPERATORS) == set()


def test_every_statement_stands_in_the_reference(repository: Path):
    text = (repository / "docs" / "reference" / "kadeql.md").read_text("utf-8")
    assert [kind.value for kind in Kind if f"### {kind.value}\n" not in text] == []


def test_every_error_family_and_refusal_stands_in_the_errors(repository: Path):
    text = (repository / "docs" / "errors.md").read_text("utf-8")
    assert [family.title for family in FAMILIES if f"### {family.title}\n" not in text] == []
    refusals = docs_language.every_refusal()
    assert len(refusals) > 60
    assert [item.what for item in refusals if item.instead.replace("|", "\\|") not in text] == []
    assert all(item.instead.strip() for item in refusals)


def test_every_error_class_says_what_it_is():
    kinds = [
        item
        for item in vars(errors).values()
        if isinstance(item, type) and issubclass(item, errors.LumaError)
    ]
    assert [kind.__name__ for kind in kinds if not (kind.__doc__ or "").strip()] == []


def test_titles_and_examples_of_families_are_their_own():
    assert len({family.title for family in FAMILIES}) == len(FAMILIES)
    assert len({family.example for family in FAMILIES}) == len(FAMILIES)

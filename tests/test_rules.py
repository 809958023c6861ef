"""The repository keeps its own rules, and each rule notices what it is for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts import rules

GOOD = {"README.md": "Run `make demo`, then `make test`.\n"}
HOST = "py" + "pi.org"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    write(tmp_path, GOOD)
    return tmp_path


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def test_this_repository_keeps_the_rules(repository: Path) -> None:
    assert [str(problem) for problem in rules.check(repository)] == []


def test_a_clean_repository_has_no_problems(repo: Path) -> None:
    write(repo, {
        "pkg/segment.py": "x = 1\n",
        "tests/test_x.py": "def test_x():\n    assert 1 + 1 == 2\n",
        "changes/first-query.feature.md": "A first query runs.\n",
        "changes/README.md": "# How\n\nWords.\n",
        "nb.ipynb": '{"cells": [{"cell_type": "code", "outputs": [], "execution_count": null}], "metadata": {}}',
        "Makefile": "lock:\n\tuv pip compile --no-emit-index-" + "url x\n",
        "url.md": "See https://example.org/work/page and ~/work/mine and ./tmp/a.\n",
    })  # fmt: skip
    assert rules.check(repo) == []
    assert rules.main(repo) == 0


@pytest.mark.parametrize(
    ("name", "text", "line", "says"),
    [
        ("a.py", "x = 1\n" * 401, 401, "401 lines"),
        ("a.md", "x" * 2_000_001, 1, "2.0 MB"),
        ("pkg/utils.py", "", 1, "'utils.py' says nothing"),
        ("pkg/text_helpers.py", "", 1, "'text_helpers.py' says nothing"),
        ("common/a.py", "", 1, "'common' says nothing"),
        ("a.py", "\nclass TableManager:\n    pass\n", 2, "TableManager"),
        ("a.lock", "--index" + "-url somewhere\n", 1, "a registry's address"),
        ("a.md", f"line\nfrom https://{HOST}/simple\n", 2, "a registry's address"),
        ("package-lock.json", '{\n"resolved": "' + 'https://example.org/a.tgz"}', 2, "a registry's address"),
        ("a.md", "one\n\nsee " + "/wo" + "rk/main\n", 3, "a path of one machine"),
        ("a.py", 'p = "' + "/t" + 'mp/x"\n', 1, "a path of one machine"),
        ("a.py", 'p = "' + "/ho" + 'me/ann/x"\n', 1, "a path of one machine"),
        ("a.py", "# TO" + "DO later\n", 1, "do it"),
        ("a.py", "<<<<" + "<<< HEAD\n", 1, "merge conflict"),
        ("tests/test_a.py", "", 1, "no test here can fail"),
        (
            "tests/test_a.py",
            "def test_a():\n    pass\n\ndef test_b():\n    assert f()\n",
            1,
            "test_a cannot fail",
        ),
        ("tests/test_a.py", "def test_a():\n    assert True\n", 1, "test_a cannot fail"),
        (
            "nb.ipynb",
            '{"cells": [{"outputs": [{"text": "x"}]}], "metadata": {}}',
            1,
            "cell 1 holds its output",
        ),
        ("nb.ipynb", '{"cells": [], "metadata": {"widgets": {}}}', 1, "widget state"),
        ("changes/Thing.md", "A thing is there.\n", 1, "call it"),
        ("changes/thing.feature.md", "A thing is there\n", 1, "full stop"),
        ("changes/thing.feature.md", "# Thing\n\nA thing is there.\n", 1, "one paragraph"),
        ("README.md", "Run `make demo`.\n", 1, "`make test`"),
    ],
)
def test_each_rule_notices(repo: Path, name: str, text: str, line: int, says: str) -> None:
    write(repo, {name: text})

    problems = rules.check(repo)

    assert problems, f"{name} passed"
    assert (problems[0].path.split("/")[-1], problems[0].line) == (name.split("/")[-1], line)
    assert says in problems[0].text
    assert rules.main(repo) == 1


def test_files_that_git_ignores_are_not_looked_at(repo: Path) -> None:
    write(repo, {".gitignore": "out/\n", "out/utils.py": "x\n" * 500})
    assert rules.check(repo) == []


def test_a_new_file_is_looked_at_before_it_is_added(repo: Path) -> None:
    write(repo, {"helpers.py": ""})
    assert len(rules.check(repo)) == 1

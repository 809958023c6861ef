"""Repository rules that no linter knows: `make lint` runs them. Ends 1 and prints `path:line: what, and what to do`."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MAX_LINES = 400
MAX_BYTES = 2_000_000
FRAGMENT_KINDS = ("feature", "change", "fix", "performance", "docs", "removal")
VAGUE = frozenset({"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "stuff"})

REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs\.|registry\.yarnpkg\.|anaconda\.org|crates\.io|"
    r"(?<!emit-)(?:extra-)?index[-]url|^\s*registry\s*=\s*[\"']?http|\"resolved\":\s*\"http|\[\[tool\.uv\.index\]\]",
    re.MULTILINE | re.IGNORECASE,
)
MACHINE_PATH = re.compile(
    r"(?<![\w.~$}>/-])/(?:root|work|tmp|(?:home|Users)/\w+)(?=[/\s\"'`)\],:;]|$)", re.MULTILINE
)
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME)\b")
CONFLICT = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
VAGUE_CLASS = re.compile(r"^class (\w*(?:Manager|Helper|Utils?))\b", re.MULTILINE)
FRAGMENT = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\.(?:" + "|".join(FRAGMENT_KINDS) + r")\.md")


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule at one place."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


Rule = Callable[[str, str], Iterator[Problem]]


def main(root: Path | None = None) -> int:
    """Check the repository that holds this file; 1 when a rule is broken."""
    problems = check(root or Path(__file__).resolve().parents[1])
    for problem in problems:
        print(problem)
    if problems:
        print(f"{len(problems)} broken rule{'s' if len(problems) > 1 else ''} (scripts/rules.py)")
    return 1 if problems else 0


def check(root: Path) -> list[Problem]:
    """Every problem in the files that git tracks, or would track, under `root`."""
    problems: list[Problem] = []
    for path in repository_files(root):
        file = root / path
        size = file.stat().st_size
        if size > MAX_BYTES:
            problems.append(
                Problem(
                    path,
                    1,
                    f"{size / 1e6:.1f} MB: files stay under {MAX_BYTES / 1e6:.0f} MB; generate it, or keep a cut of it",
                )
            )
            continue
        problems += name_is_clear(path)
        try:
            text = file.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # binary files have only a name and a size
        for rule in RULES:
            problems += rule(path, text)
    problems += readme_names_targets(root)
    return problems


def repository_files(root: Path) -> list[str]:
    """Paths, relative to `root`, of tracked files and of new ones that are not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode("utf-8")  # noqa: S603 - a constant command
    return sorted({path for path in listed.split("\0") if path and (root / path).is_file()})


def name_is_clear(path: str) -> Iterator[Problem]:
    """No file or folder is called utils, helpers, common, misc or manager."""
    for part in PurePosixPath(path).parts:
        words = part.split(".", 1)[0].casefold().split("_")
        if VAGUE & {words[-1], words[0]} and path.endswith((".py", ".ts", ".tsx", ".js")):
            yield Problem(path, 1, f"{part!r} says nothing: name it after what it does")


def short_enough(path: str, text: str) -> Iterator[Problem]:
    """A Python file has at most 400 lines."""
    lines = text.count("\n")
    if path.endswith(".py") and lines > MAX_LINES:
        yield Problem(
            path,
            MAX_LINES + 1,
            f"{lines} lines: Python files stay within {MAX_LINES}; split it by what it does",
        )


def class_name_is_clear(path: str, text: str) -> Iterator[Problem]:
    """No class is a Manager, Helper or Utils."""
    if path.endswith(".py"):
        yield from _found(VAGUE_CLASS, path, text, "name the class after what it is")


def no_registry(path: str, text: str) -> Iterator[Problem]:
    """No tracked file names a package registry or an index address: every user has their own."""
    yield from _found(REGISTRY, path, text, "a registry's address: installers know theirs, leave it out")


def no_machine_path(path: str, text: str) -> Iterator[Problem]:
    """No tracked file names a folder of somebody's machine."""
    yield from _found(
        MACHINE_PATH,
        path,
        text,
        "a path of one machine: use a path relative to the repository, or a temporary folder",
    )


def finished(path: str, text: str) -> Iterator[Problem]:
    """No merge left half done, and nothing promised in a comment."""
    yield from _found(CONFLICT, path, text, "a merge conflict's marker")
    if path.endswith((".py", ".md", ".ts", ".toml", ".sh", ".ipynb")):
        yield from _found(UNFINISHED, path, text, "do it, or say in the documentation what is not there")


def tests_can_fail(path: str, text: str) -> Iterator[Problem]:
    """Every test does something, and every test file asserts something that is not a constant."""
    name = PurePosixPath(path).name
    if not (path.startswith("tests/") and name.startswith("test_") and name.endswith(".py")):
        return
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        yield Problem(path, error.lineno or 1, f"does not parse: {error.msg}")
        return
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name.startswith("test_")
            and all(map(_is_idle, node.body))
        ):
            yield Problem(path, node.lineno, f"{node.name} cannot fail: assert something, or remove it")
    if not any(_asserts(node) for node in ast.walk(tree)):
        yield Problem(path, 1, "no test here can fail: assert something, or remove the file")


def _is_idle(node: ast.stmt) -> bool:
    """Whether a statement can never fail: pass, a constant, or an assertion of a constant."""
    if isinstance(node, ast.Assert):
        return isinstance(node.test, ast.Constant) and bool(node.test.value)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _asserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return not isinstance(node.test, ast.Constant)
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return called in {"raises", "fail", "warns"} or called.startswith("assert")
    # A suite that ships with the package is inherited, and a state machine's TestCase is taken over.
    return isinstance(node, ast.Attribute) and node.attr == "TestCase"


def notebook_is_bare(path: str, text: str) -> Iterator[Problem]:
    """A notebook is kept without outputs, counts and widget state."""
    if not path.endswith(".ipynb"):
        return
    try:
        notebook = json.loads(text)
    except ValueError as error:
        yield Problem(path, 1, f"not a notebook: {error}")
        return
    for number, cell in enumerate(notebook.get("cells", []), 1):
        if cell.get("outputs") or cell.get("execution_count") is not None:
            yield Problem(path, 1, f"cell {number} holds its output: clear all outputs before committing")
    if "widgets" in notebook.get("metadata", {}):
        yield Problem(path, 1, "holds widget state: clear all outputs before committing")


def fragment_is_well_formed(path: str, text: str) -> Iterator[Problem]:
    """A news fragment is `changes/<slug>.<kind>.md`: one paragraph of whole sentences."""
    if not path.startswith("changes/") or path == "changes/README.md":
        return
    if not FRAGMENT.fullmatch(PurePosixPath(path).name):
        yield Problem(
            path, 1, f"call it <words-with-hyphens>.<kind>.md; the kinds are {', '.join(FRAGMENT_KINDS)}"
        )
    body = text.strip()
    if not body or "\n\n" in body or body.startswith("#"):
        yield Problem(path, 1, "a fragment is one paragraph without a heading, from the user's point of view")
    elif not body.endswith("."):
        yield Problem(path, 1, "a fragment is whole sentences: end it with a full stop")


def readme_names_targets(root: Path) -> Iterator[Problem]:
    """The README says how to see it and how to test it."""
    readme = root / "README.md"
    text = readme.read_text("utf-8") if readme.exists() else ""
    for command in ("make demo", "make test"):
        if command not in text:
            yield Problem("README.md", 1, f"does not name `{command}`")


RULES: tuple[Rule, ...] = (
    short_enough,
    class_name_is_clear,
    no_registry,
    no_machine_path,
    finished,
    tests_can_fail,
    notebook_is_bare,
    fragment_is_well_formed,
)


def _found(pattern: re.Pattern[str], path: str, text: str, advice: str) -> Iterator[Problem]:
    for match in pattern.finditer(text):
        start = match.start() + len(match.group()) - len(match.group().lstrip())
        yield Problem(path, text.count("\n", 0, start) + 1, f"{match.group().strip()!r}: {advice}")


if __name__ == "__main__":
    sys.exit(main())

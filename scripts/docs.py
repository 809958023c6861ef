"""Write the generated parts of docs/: `python scripts/docs.py`, or `--check` to see whether they are up to date.

A page keeps its own words; what stands between `<!-- begin: NAME … -->` and `<!-- end: NAME -->` is made here from
the code, so that a reference cannot drift from what it describes.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from scripts import docs_engines, docs_graphs, docs_growth, docs_language, docs_series, pandas_methods  # noqa: E402

BLOCK = re.compile(r"(<!-- begin: (?P<name>[a-z-]+)[^>]*-->\n).*?(<!-- end: (?P=name) -->)", re.DOTALL)


def main(arguments: list[str] | None = None) -> int:
    """Write every stale page; with `--check`, name them and end 1."""
    parser = argparse.ArgumentParser(prog="scripts/docs.py", description="The generated parts of docs/.")
    parser.add_argument("--check", action="store_true", help="change nothing; end 1 when a page is stale")
    options = parser.parse_args(arguments)
    stale = list(stale_pages(ROOT))
    for path, text in stale:
        print(f"{path.relative_to(ROOT)}: {'stale, run `make docs`' if options.check else 'written'}")
        if not options.check:
            path.write_text(text, "utf-8")
    return 1 if options.check and stale else 0


def stale_pages(root: Path) -> Iterator[tuple[Path, str]]:
    """Pages whose generated parts differ from the code, with the text they should have."""
    for path in sorted((root / "docs").rglob("*.md")):
        now = path.read_text("utf-8")
        new = filled(now, root)
        if new != now:
            yield path, new


def filled(text: str, root: Path) -> str:
    """A page with its generated parts made anew.

    Raises
    ------
    ValueError
        The page asks for a part that nothing makes.
    """

    def fill(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in PARTS:
            raise ValueError(f"docs: no generated part {name!r}; there are {', '.join(PARTS)}")
        return f"{match[1]}\n{PARTS[name](root).strip()}\n\n{match[3]}"

    return BLOCK.sub(fill, text)


def settings_table(_: Path) -> str:
    """Every field of `config.Settings`: environment variable, type, default, meaning."""
    from luma_bench.config import Settings

    fields = {field.name: field for field in dataclasses.fields(Settings)}
    lines = ["| setting | environment | type | default | meaning |", "|---|---|---|---|---|"]
    described: set[str] = set()
    for names, meaning in _attributes(Settings):
        rows = [fields[name] for name in names]
        described |= set(names)
        cells = (
            [f"`{field.name}`" for field in rows],
            [f"`LUMA_{field.name.upper()}`" for field in rows],
            [_plain_type(field.type) for field in rows],
            [_plain_default(field.default) for field in rows],
            [meaning],
        )
        lines.append("| " + " | ".join("<br>".join(cell) for cell in cells) + " |")
    if described != set(fields):
        raise ValueError(
            f"docs: settings without a meaning in the docstring: {sorted(set(fields) - described)}"
        )
    return "\n".join(lines)


def error_tree(_: Path) -> str:
    """The class tree of `luma_bench.errors`, then each class with its named constructors."""
    from luma_bench import errors

    classes = [
        item for item in vars(errors).values() if inspect.isclass(item) and issubclass(item, errors.LumaError)
    ]
    tree = ["```text", *_tree(errors.LumaError, 0), "```", ""]
    for kind in classes:
        tree += [f"### {kind.__name__}", "", _summary(kind), ""]
        made = [(name, item) for name, item in vars(kind).items() if isinstance(item, classmethod)]
        tree += [
            f"- `{name}{_signature(item.__func__)}`: {_lowered(_summary(item.__func__))}"
            for name, item in made
        ]
        tree += [""] if made else []
    return "\n".join(tree)


def public_names(_: Path) -> str:
    """The public names of `luma_bench`: signature and purpose, and of each class its methods and properties."""
    import luma_bench as lb

    lines: list[str] = []
    for name in lb.__all__:
        item = getattr(lb, name)
        if inspect.isclass(item):
            lines += [f"## lb.{name}", "", _summary(item), "", *_members(item), ""]
        elif inspect.isfunction(item):
            lines += [f"## lb.{name}", "", f"`lb.{name}{_signature(item)}`", "", _summary(item), ""]
        elif inspect.ismodule(item):
            lines += [f"## lb.{name}", "", f"{_summary(item)} See [errors](../errors.md).", ""]
    return "\n".join(lines)


def benchmark_tables(root: Path) -> str:
    """The committed runs as tables, one after the other."""
    from benchmarks import report

    runs = sorted((root / "docs" / "benchmarks").glob("*.json"))
    if not runs:
        return "No run is committed yet: `make bench` writes `out/benchmarks/benchmarks.json`; copy it to `docs/benchmarks/`."
    return "\n\n".join(report.markdown(json.loads(run.read_text("utf-8"))).strip() for run in runs)


def page_list(root: Path) -> str:
    """Every page with its title and first sentence, grouped by folder."""
    groups: dict[str, list[str]] = {}
    for path in sorted((root / "docs").rglob("*.md")):
        place = path.relative_to(root / "docs")
        if place.as_posix() == "index.md":
            continue
        title, sentence = _opening(path.read_text("utf-8"))
        group = _group(root / "docs", place.parts[0]) if len(place.parts) > 1 else "Pages"
        groups.setdefault(group, []).append(f"- [{title}]({place.as_posix()}): {sentence}")
    order = sorted(groups, key=lambda group: (group != "Pages", group))
    return "\n\n".join(f"## {group}\n\n" + "\n".join(groups[group]) for group in order)


def _group(pages: Path, folder: str) -> str:
    """The title of the page that a folder is named after, else the folder's name."""
    page = pages / f"{folder}.md"
    return _opening(page.read_text("utf-8"))[0] if page.exists() else folder.replace("-", " ").capitalize()


def later_statements(_: Path) -> str:
    """Statements that are KadeQL's and not in this version, with what to write instead."""
    from luma_bench.language.refusals import NOT_YET

    rows = [f"| {words} | {refusal.instead} |" for words, refusal in _refused() if refusal.why == NOT_YET]
    return "\n".join(["| Statement | Write instead |", "|---|---|", *rows])


def refused_statements(_: Path) -> str:
    """Statements that are refused, why, and what to write instead."""
    from luma_bench.language.refusals import NOT_YET

    rows = [
        f"| {words} | {refusal.why} | {refusal.instead} |"
        for words, refusal in _refused()
        if refusal.why != NOT_YET
    ]
    return "\n".join(["| Statement | Why | Write instead |", "|---|---|---|", *rows])


def _refused() -> Iterator[tuple[str, Any]]:
    """Every refusal of a statement, after the leading words that share it."""
    from luma_bench.language.refusals import STATEMENTS

    shared: dict[Any, list[str]] = {}
    for words, refusal in STATEMENTS.items():
        shared.setdefault(refusal, []).append(f"`{' '.join(words)}`")
    for refusal, names in shared.items():
        yield ", ".join(names), refusal


PARTS: dict[str, Callable[[Path], str]] = {
    "settings": settings_table,
    "errors": error_tree,
    "api": public_names,
    "benchmarks": benchmark_tables,
    "pages": page_list,
    "later-statements": later_statements,
    "refused-statements": refused_statements,
    "statements": docs_language.statements,
    "statement-list": docs_language.statement_list,
    "functions": docs_language.functions,
    "operators": docs_language.operators,
    "types": docs_language.types,
    "keywords": docs_language.keywords,
    "refusals": docs_language.refusals,
    "islands": docs_language.islands,
    "refused-functions": docs_language.refused_functions,
    "messages": docs_language.message_families,
    **docs_engines.PARTS,
    **docs_graphs.PARTS,
    **docs_growth.PARTS,
    **docs_series.PARTS,
    **pandas_methods.PARTS,
}


def _members(kind: type) -> Iterator[str]:
    """Bullets for the public methods and properties of a class, its own and inherited from this package."""
    if dataclasses.is_dataclass(kind):
        yield "- fields: " + ", ".join(f"`.{field.name}`" for field in dataclasses.fields(kind))
    shown: set[str] = set()
    for owner in kind.__mro__:
        if not owner.__module__.startswith("luma_bench"):
            continue
        for name, item in vars(owner).items():
            if name.startswith("_") or name in shown:
                continue
            line = _member(name, item)
            if line:
                shown.add(name)
                yield line


def _member(name: str, item: Any) -> str | None:
    if isinstance(item, property):
        return f"- `.{name}`: {_lowered(_summary(item.fget))}"
    function = item.__func__ if isinstance(item, classmethod | staticmethod) else item
    if isinstance(function, FunctionType):
        return f"- `.{name}{_signature(function)}`: {_lowered(_summary(function))}"
    return None


def _signature(function: Callable[..., Any]) -> str:
    """Names and defaults of the parameters, without `self` and annotations."""
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in {"self", "cls"}
    ]
    return str(inspect.Signature(parameters))


def _summary(item: Any) -> str:
    """The first paragraph of a docstring on one line.

    Raises
    ------
    ValueError
        There is no docstring: nothing public goes undescribed.
    """
    text = inspect.getdoc(item)
    if not text:
        raise ValueError(f"docs: {item!r} has no docstring")
    return " ".join(text.split("\n\n", 1)[0].split())


def _lowered(sentence: str) -> str:
    """A sentence as it goes on after a colon: the first letter small unless the word is a name."""
    first = sentence.split(" ", 1)[0]
    return sentence if not first.istitle() else sentence[0].lower() + sentence[1:]


def _attributes(kind: type) -> Iterator[tuple[list[str], str]]:
    """The `Attributes` section of a NumPy docstring: names that share a meaning, and the meaning."""
    section = (inspect.getdoc(kind) or "").split("Attributes\n----------\n", 1)[1]
    for entry in re.split(r"\n(?=\S)", section):
        names, _, body = entry.partition("\n")
        yield [name.strip() for name in names.split(",")], " ".join(textwrap.dedent(body).split())


def _plain_default(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"`{value!r}`"


def _plain_type(annotation: Any) -> str:
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    for word, plain in (
        ("float", "float"),
        ("_Bytes", "bytes"),
        ("_Count", "int"),
        ("int", "int"),
        ("str", "text"),
        ("bool", "bool"),
    ):
        if word in text:
            return plain
    return text


def _tree(kind: type, depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}{kind.__name__}"
    for child in kind.__subclasses__():
        if child.__module__ == "luma_bench.errors":
            yield from _tree(child, depth + 1)


def _opening(text: str) -> tuple[str, str]:
    """A page's title and the first sentence below it."""
    title = next((line[2:].strip() for line in text.splitlines() if line.startswith("# ")), "Untitled")
    body = text.split("\n", 1)[1] if "\n" in text else ""
    plain = (block.strip() for block in body.split("\n\n"))
    paragraph = next(
        (block for block in plain if block and block[0] not in "#<|!-" and not block.startswith("```")), ""
    )
    said = " ".join(paragraph.replace("**", "").split()).removeprefix("One rule. ")
    sentence = re.split(r"(?<=[.:])\s", said, maxsplit=1)[0]
    return title, sentence.rstrip(":") + ("." if sentence.endswith(":") else "")


if __name__ == "__main__":
    sys.exit(main())

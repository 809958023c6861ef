"""The generated parts of the pages about graphs: algorithms, functions of the networkx backend, and networkx's suite through it."""

from __future__ import annotations

import ast
from pathlib import Path

from luma_bench.connect.networkx_offer import OFFERED

_NETWORKX = Path("tests", "graph", "test_graph_networkx.py")
_KINDS = {
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
    "vertex": "key",
    "edge column": "column of edges",
    "vertex column": "column of vertices",
    "time": "moment",
}
_TYPES = {"double": "float64"}
"""Types as results show them."""


def algorithms(_: Path) -> str:
    """Every algorithm: what it computes, its arguments, its columns."""
    from luma_bench.models.graph.algorithms import ALGORITHMS

    lines: list[str] = []
    for spec in ALGORITHMS.values():
        written = ["GRAPH g", *(f"{item.name} => …" for item in spec.arguments if item.required)]
        lines += [f"### {spec.name}", "", f"`{spec.name}({', '.join(written)})`", "", spec.help, ""]
        if spec.arguments:
            lines += ["| argument | is a | meaning |", "|---|---|---|"]
            lines += [
                f"| `{item.name}`{', needed' if item.required else ''} | {_KINDS[item.kind]} | {item.help} |"
                for item in spec.arguments
            ]
            lines.append("")
        lines += ["| column | type | meaning |", "|---|---|---|"]
        lines.append("| `id` | as the key | the vertex |")
        for column in spec.results:
            kind = f"as `{column.like}`" if column.like else _TYPES.get(str(column.type), str(column.type))
            only = f"; only with `{column.needs}`" if column.needs else ""
            lines.append(f"| `{column.name}` | {kind} | {column.help}{only} |")
        lines.append("")
    return "\n".join(lines)


def networkx_functions(_: Path) -> str:
    """The functions of networkx that the backend answers, and what of their arguments is left to networkx."""
    alike: dict[str, list[str]] = {}
    for name, said in OFFERED.items():
        alike.setdefault(said, []).append(f"`{name}`")
    rows = [f"| {', '.join(names)} | {said or 'whatever it is given'} |" for said, names in alike.items()]
    return "\n".join(["| function of networkx | answered |", "|---|---|", *rows])


def networkx_suite(root: Path) -> str:
    """The tests of networkx itself through the backend, as the test that runs them holds them to it."""
    rows: list[str] = []
    for module, (passing, differing) in suite(root).items():
        names = ", ".join(f"`{name}`" for name in differing)
        rows.append(f"| `{module}` | {passing} | {len(differing)}{': ' + names if names else ''} |")
    return "\n".join(["| module of `networkx.algorithms` | pass | differ |", "|---|--:|---|", *rows])


def suite(root: Path) -> dict[str, tuple[int, tuple[str, ...]]]:
    """By module of networkx's suite how many tests pass, and the names of those that do not.

    Raises
    ------
    ValueError
        The test does not say it any more.
    """
    for node in ast.parse((root / _NETWORKX).read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "MODULES":
            return ast.literal_eval(node.value)
    raise ValueError(f"docs: {_NETWORKX} names no MODULES")


PARTS = {
    "graph-algorithms": algorithms,
    "networkx-functions": networkx_functions,
    "networkx-suite": networkx_suite,
}

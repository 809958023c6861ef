"""Parameters for KadeQL notebooks that papermill runs: `papermill in.ipynb out.ipynb -p minutes 60`.

papermill loads this module through the entry point `papermill.engine`, which makes the translator known to it; no option is
needed. A parameter is a Python variable, and so a `$name` of every statement.
"""

from __future__ import annotations

from typing import Any

from papermill.engines import NBClientEngine
from papermill.translators import PythonTranslator, papermill_translators

_OPENING = "%%python\n"


class KadeQLTranslator(PythonTranslator):
    """Writes a cell of parameters, and reads the one that a notebook tags `parameters`."""

    @classmethod
    def codify(cls, parameters: Any, comment: str = "Parameters") -> str:
        """The source of the cell that sets the parameters."""
        return _OPENING + super().codify(parameters, comment)

    @classmethod
    def inspect(cls, parameters_cell: Any) -> list[Any]:
        """The parameters that a cell sets, with their defaults, for `papermill --help-notebook`."""
        source = parameters_cell["source"]
        inner = {**parameters_cell, "source": source.removeprefix(_OPENING)}
        return super().inspect(inner)


class KadeQLEngine(NBClientEngine):
    """papermill's own engine, under this name too; that it is looked for is what makes KadeQL known to papermill."""


papermill_translators.register("kadeql", KadeQLTranslator)

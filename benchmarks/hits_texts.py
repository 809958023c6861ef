"""The questions about `hits`: ClickBench's 43 texts from a checkout of it, else 43 of our own with the same shapes.

ClickBench's texts have a licence of their own, so they are read, unmodified, from where you have them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

OWN = Path(__file__).parent / "hits_questions.sql"
COUNT = 43
_IN_CHECKOUT = Path("duckdb") / "queries.sql"


def texts(place: Path | None = None) -> Mapping[str, str]:
    """The texts by name, `q01` to `q43`.

    Parameters
    ----------
    place
        A checkout of ClickBench, or its `duckdb/queries.sql`; None for our own.

    Raises
    ------
    ValueError
        The file does not hold 43 texts, one a line.
    """
    path = OWN if place is None else place / _IN_CHECKOUT if place.is_dir() else place
    lines = [line.strip().removesuffix(";") for line in path.read_text("utf-8").splitlines() if line.strip()]
    if len(lines) != COUNT:
        raise ValueError(f"{path} holds {len(lines)} lines instead of {COUNT} texts.")
    return {f"q{number:02}": line for number, line in enumerate(lines, 1)}

"""Verify a notebook for the notebook that asks, `%luma verify`: the report as one line of JSON."""

from __future__ import annotations

import json
import sys

from luma_bench.errors import LumaError
from luma_bench.notebook.pinned.verify import verify


def main(path: str) -> None:
    """Print the report on one notebook, or the error that there is none."""
    try:
        told = verify(path).to_json()
    except LumaError as error:
        told = {"error": error.message, "hint": error.hint}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])

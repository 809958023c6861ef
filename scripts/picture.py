"""Writes docs/images/late.svg, the README's picture, from the tour's real data.

Usage: python scripts/picture.py [BENCH]; without one, the tour's tables are built into a temporary bench.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import luma_bench as lb
from luma_bench.demo import picture
from luma_bench.demo.build import build

TARGET = Path(__file__).parents[1] / "docs" / "images" / "late.svg"


def main(arguments: list[str]) -> None:
    """Draw the picture from the bench that the arguments name, or from a new one."""
    with (
        tempfile.TemporaryDirectory() as folder,
        lb.open(arguments[0] if arguments else Path(folder) / "tour.luma") as bench,
    ):
        build(bench, print)
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_text(picture.draw(bench.kadeql(picture.QUERY)).svg + "\n", "utf-8")
    print(f"wrote {TARGET.relative_to(Path.cwd()) if TARGET.is_relative_to(Path.cwd()) else TARGET}")


if __name__ == "__main__":
    main(sys.argv[1:])

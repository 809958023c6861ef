"""A small bench under policies, and who asks it."""

from __future__ import annotations

from typing import Any

import luma_bench as lb

ADA = lb.Identity("ada", roles=("staff",))
LEAD = lb.Identity("zed", roles=("lead",))
NOBODY = lb.Identity("nobody")

PAY = {
    "id": [1, 2, 3, 4],
    "who": ["ada", "ben", "ada", "cy"],
    "region": ["no", "no", "se", "se"],
    "salary": [10, 20, 30, 40],
}


SEEN = [(1, "a*", "no", None), (3, "a*", "se", None)]
"""What ADA sees of the table."""


def fill(bench: lb.Bench) -> None:
    """The table `pay` and what its policies read, tagged before there were any; then the policies."""
    bench.write("pay", PAY, primary_key="id")
    bench.write("grants", {"usr": ["zed"], "region": ["se"]})
    bench.tag("before")
    bench.kadeql("CREATE ROW POLICY own ON pay USING who = $user TO staff")
    bench.kadeql(
        "CREATE ROW POLICY area ON pay USING region IN (SELECT region FROM grants WHERE usr = $user) TO lead"
    )
    bench.kadeql(
        "CREATE MASKING POLICY hide ON pay UPDATE salary = NULL, who = left(who, 1) || '*' TO ALL EXCEPT lead"
    )


def rows(bench: lb.Bench, text: str, **given: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in bench.kadeql(text, **given).to_arrow().to_pylist()]

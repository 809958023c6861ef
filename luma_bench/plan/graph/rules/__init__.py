"""The planner's seven rules, one file each; what they chose is named in EXPLAIN."""

from typing import Final

START: Final = "1 selective start"
FACTORISE: Final = "2 factorise"
JOINS: Final = "3 joins in SQL"
CYCLES: Final = "4 intersection"
REACH: Final = "5 reachability"
TEMPORAL: Final = "6 time in the search"
COMPACT: Final = "7 compact first"

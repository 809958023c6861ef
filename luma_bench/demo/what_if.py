"""The tour's chapter about supposing: what the delays would be without fog, and after mergers, in a transaction that is dropped."""

from __future__ import annotations

FOG = """\
DELETE FROM flights AS f USING weather AS w
WHERE w.origin = f.origin AND w.time_hour = f.time_hour AND w.visib < 3
RETURNING f.sched, f.origin, f.dest, f.carrier, f.dep_delay"""
"""Flights that were due to leave within an hour of less than three miles of visibility; the rest stays."""

MERGERS = """\
MERGE INTO airlines USING (VALUES
  ('US', 'American Airlines Inc.'),
  ('FL', 'Southwest Airlines Co.'),
  ('VX', 'Alaska Airlines Inc.'),
  ('NK', 'Spirit Airlines')) AS later(carrier, name) USING (carrier)
WHEN MATCHED THEN UPDATE SET name = later.name
WHEN NOT MATCHED THEN INSERT *
RETURNING merge_action, carrier, name"""
"""Three airlines that became part of others since 2013, and one that is new."""

LOOK = """\
WITH happened AS (
  SELECT coalesce(name, 'all of them') AS airline, count(*) AS flights,
         round(100 * avg((dep_delay > 15)::INTEGER), 1) AS percent_late
  FROM flights AT (TAG => 'tour-v1') JOIN airlines AT (TAG => 'tour-v1') USING (carrier)
  GROUP BY ROLLUP (name)
), supposed AS (
  SELECT coalesce(name, 'all of them') AS airline, count(*) AS flights,
         round(100 * avg((dep_delay > 15)::INTEGER), 1) AS percent_late
  FROM flights JOIN airlines USING (carrier)
  GROUP BY ROLLUP (name)
)
SELECT airline, h.flights, s.flights AS what_if, h.percent_late, s.percent_late AS late_what_if
FROM happened h FULL JOIN supposed s USING (airline)
ORDER BY greatest(h.flights, s.flights) DESC, airline"""
"""Flights and the share of them that left late, by airline and in all: at the tag, and as the session sees it now."""

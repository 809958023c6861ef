"""Which snapshot a reader names: `12`, `2013-02-08 06:00`, or a tag."""

from __future__ import annotations

import datetime as dt
import re

_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T].*)?")


def parse_moment(text: str) -> int | str | dt.datetime:
    """A snapshot as typed: digits are an id, an ISO 8601 date or time is that time, anything else is a tag.

    A time without an offset is in the machine's zone; a date is its midnight.
    """
    if re.fullmatch(r"\d+", text):
        return int(text)
    if _DATE.fullmatch(text):
        try:
            return dt.datetime.fromisoformat(text).astimezone()
        except ValueError:
            return text
    return text

"""`hits`, the table of ClickBench's schema: a million rows of web visits over 105 columns, drawn from a seed.

Names and types are ClickBench's. The values are not its own: they are made here, skewed as such data is (a few counters
and pages have most of the visits, most text columns are mostly empty), and they hold the constants that its texts ask for.
Rows lie in the order of counter, day, user and time, as ClickBench's do.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.hits_words import pages, phrases, referers, titles

ROWS = 1_000_000
ROW_GROUP = 122_880
"""Rows of a Parquet row group: DuckDB's own default."""

_JULY = 1_372_636_800
_DAYS = 31
COUNTER, USER = 62, 435_090_932_899_640_449
PAGE_HASH, REFERER_HASH = 2_868_770_270_353_813_622, 3_594_120_000_172_545_465

FLAGS = {
    "JavaEnable": 0.9, "GoodEvent": 1.0, "IsRefresh": 0.13, "CookieEnable": 0.97, "JavascriptEnable": 0.98, "IsMobile": 0.06,
    "IsArtifical": 0.01, "IsLink": 0.08, "IsDownload": 0.01, "IsNotBounce": 0.3, "IsOldCounter": 0.05, "IsEvent": 0.02,
    "IsParameter": 0.03, "DontCountHits": 0.05, "WithHash": 0.1, "HasGCLID": 0.01,
}  # fmt: skip
"""Columns of 0 and 1, with the share of ones."""

COUNTS = {
    "CounterClass": 3, "OS": 90, "UserAgent": 80, "RefererCategoryID": 60, "URLCategoryID": 60, "ResolutionDepth": 33,
    "FlashMajor": 12, "FlashMinor": 9, "NetMajor": 5, "NetMinor": 5, "UserAgentMajor": 30, "MobilePhone": 90, "ClientTimeZone": 600,
    "SilverlightVersion1": 6, "SilverlightVersion2": 2, "SilverlightVersion4": 3, "Age": 56, "Sex": 3, "Income": 5,
    "Interests": 30_000, "Robotness": 4, "HistoryLength": 60, "HTTPError": 2, "SocialSourceNetworkID": 12, "ParamCurrencyID": 4,
}  # fmt: skip
"""Small integers, with how many different ones there are; low ones are the most frequent."""

WIDE = {
    "RegionID": 6_000, "RefererRegionID": 6_000, "URLRegionID": 6_000, "IPNetworkID": 4_000_000, "SilverlightVersion3": 60_000,
    "CodeVersion": 2_000, "HID": 1_000_000_000, "RemoteIP": 2_000_000_000, "WindowName": 30_000, "OpenerName": 30_000,
    "SendTiming": 30_000, "DNSTiming": 2_000, "ConnectTiming": 3_000, "ResponseStartTiming": 8_000, "ResponseEndTiming": 9_000,
    "FetchTiming": 12_000, "CLID": 9_000,
}  # fmt: skip
"""Integers of 32 bits, likewise."""

SPARSE = {
    "FlashMinor2": ("700", "202", "224", "0"), "UserAgentMinor": ("0", "4", "12", "D7", "U"),
    "MobilePhoneModel": ("iPad", "iPhone", "A500", "N8-00", "GT-I9500", "HTC Desire", "Nexus 4"),
    "Params": (), "PageCharset": ("utf", "windows", "utf-8"), "BrowserLanguage": ("ru", "en", "uk", "tr", "S0"),
    "BrowserCountry": ("RU", "UA", "US", "DE", "KZ", "\x0c"), "SocialNetwork": (), "SocialAction": (), "SocialSourcePage": (),
    "ParamOrderID": (), "ParamCurrency": ("NH", "RU"), "OpenstatServiceName": ("direct.example", "market.example"),
    "OpenstatCampaignID": ("7013", "4478"), "OpenstatAdID": ("42", "1013"), "OpenstatSourceID": ("premium", "guarantee"),
    "UTMSource": ("newsletter", "context", "vk"), "UTMMedium": ("cpc", "email", "banner"), "UTMCampaign": ("summer", "sale-2013"),
    "UTMContent": ("top", "left"), "UTMTerm": ("shoes", "flights"), "FromTag": ("wizard", "button"),
}  # fmt: skip
"""Texts of few values; the first is none at all."""

FULL = {"FlashMinor2": 0.6, "UserAgentMinor": 0.9, "MobilePhoneModel": 0.06, "PageCharset": 0.95, "BrowserLanguage": 0.98,
        "BrowserCountry": 0.98}  # fmt: skip
"""The share of texts that are not empty, where it is not 2 %."""

ORDER = (
    "WatchID", "JavaEnable", "Title", "GoodEvent", "EventTime", "EventDate", "CounterID", "ClientIP", "RegionID",
    "UserID", "CounterClass", "OS", "UserAgent", "URL", "Referer", "IsRefresh", "RefererCategoryID",
    "RefererRegionID", "URLCategoryID", "URLRegionID", "ResolutionWidth", "ResolutionHeight", "ResolutionDepth",
    "FlashMajor", "FlashMinor", "FlashMinor2", "NetMajor", "NetMinor", "UserAgentMajor", "UserAgentMinor",
    "CookieEnable", "JavascriptEnable", "IsMobile", "MobilePhone", "MobilePhoneModel", "Params", "IPNetworkID",
    "TraficSourceID", "SearchEngineID", "SearchPhrase", "AdvEngineID", "IsArtifical", "WindowClientWidth",
    "WindowClientHeight", "ClientTimeZone", "ClientEventTime", "SilverlightVersion1", "SilverlightVersion2",
    "SilverlightVersion3", "SilverlightVersion4", "PageCharset", "CodeVersion", "IsLink", "IsDownload", "IsNotBounce",
    "FUniqID", "OriginalURL", "HID", "IsOldCounter", "IsEvent", "IsParameter", "DontCountHits", "WithHash",
    "HitColor", "LocalEventTime", "Age", "Sex", "Income", "Interests", "Robotness", "RemoteIP", "WindowName",
    "OpenerName", "HistoryLength", "BrowserLanguage", "BrowserCountry", "SocialNetwork", "SocialAction", "HTTPError",
    "SendTiming", "DNSTiming", "ConnectTiming", "ResponseStartTiming", "ResponseEndTiming", "FetchTiming",
    "SocialSourceNetworkID", "SocialSourcePage", "ParamPrice", "ParamOrderID", "ParamCurrency", "ParamCurrencyID",
    "OpenstatServiceName", "OpenstatCampaignID", "OpenstatAdID", "OpenstatSourceID", "UTMSource", "UTMMedium",
    "UTMCampaign", "UTMContent", "UTMTerm", "FromTag", "HasGCLID", "RefererHash", "URLHash", "CLID",
)  # fmt: skip
"""The columns, in the table's order."""


def generate(folder: Path, rows: int = ROWS, seed: int = 43) -> Path:
    """The table as a Parquet file, zstd; made once, whole or not at all."""
    path = folder / f"hits-{rows}-{seed}.parquet"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
        pq.write_table(table(rows, seed), unfinished, row_group_size=ROW_GROUP, compression="zstd")
        unfinished.rename(path)
    return path


def table(rows: int = ROWS, seed: int = 43) -> pa.Table:
    """The table in memory, ordered by counter, day, user, time and visit."""
    rng = np.random.default_rng(seed)
    keys = _keys(rng, rows)
    columns: dict[str, pa.Array] = {name: pa.array(values) for name, values in keys.items()}
    ours = keys["CounterID"] == COUNTER
    _dates(rng, columns, keys["EventTime"], rows)
    _texts(rng, columns, ours, rows)
    _sizes(rng, columns, rows)
    for name, share in FLAGS.items():
        columns[name] = pa.array((rng.random(rows) < share).astype(np.int16))
    for name, distinct in COUNTS.items():
        columns[name] = pa.array(_skewed(rng, rows, distinct).astype(np.int16))
    for name, distinct in WIDE.items():
        columns[name] = pa.array(_skewed(rng, rows, distinct).astype(np.int32))
    for name, values in SPARSE.items():
        columns[name] = _sparse(rng, rows, values, FULL.get(name, 0.02))
    columns["SearchEngineID"] = _where(columns["SearchPhrase"], _skewed(rng, rows, 40) + 1)
    columns["AdvEngineID"] = pa.array(
        np.where(rng.random(rows) < 0.006, _skewed(rng, rows, 18) + 2, 0).astype(np.int16)
    )
    columns["TraficSourceID"] = pa.array(
        rng.choice(np.array([-1, 0, 1, 2, 3, 6, 9], np.int16), rows, p=[0.4, 0.2, 0.1, 0.1, 0.05, 0.1, 0.05])
    )
    columns["HitColor"] = _picked(rng.integers(0, 3, rows), ("5", "T", "D"))
    columns["FUniqID"] = pa.array(rng.integers(0, 1 << 62, rows))
    columns["ParamPrice"] = pa.array(np.where(rng.random(rows) < 0.01, rng.integers(1, 90_000, rows), 0))
    return pa.table({name: columns[name] for name in ORDER})


def _keys(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """What orders the table: counter, user, time; counter 62 has every eighth visit."""
    counter = np.where(rng.random(rows) < 0.125, COUNTER, _skewed(rng, rows, 6_000, 4.0) * 7 + 3)
    users = rng.integers(1, 1 << 62, max(1, rows // 5))
    users[0] = USER
    user = users[_skewed(rng, rows, len(users), 2.0)]
    time = _JULY + rng.integers(0, _DAYS * 86_400, rows)
    watch = rng.permutation(np.int64(4_611_686_018_427_387_904) + np.arange(rows) * 4_099)
    order = np.lexsort((watch, time, user, time // 86_400, counter))
    address = (user % 1_500_000_000 + 7 * (user % 3)).astype(np.int32)
    return {
        "CounterID": counter[order].astype(np.int32),
        "UserID": user[order],
        "EventTime": time[order],
        "WatchID": watch[order],
        "ClientIP": address[order],
    }


def _dates(rng: np.random.Generator, columns: dict[str, pa.Array], time: np.ndarray, rows: int) -> None:
    moment = pa.timestamp("us")
    columns["EventTime"] = pa.array(time * 1_000_000).cast(moment)
    columns["EventDate"] = pa.array((time // 86_400).astype(np.int32)).cast(pa.date32())
    for name, spread in (("ClientEventTime", 600), ("LocalEventTime", 14_400)):
        columns[name] = pa.array((time + rng.integers(-spread, spread, rows)) * 1_000_000).cast(moment)


def _texts(rng: np.random.Generator, columns: dict[str, pa.Array], ours: np.ndarray, rows: int) -> None:
    """Pages, referers, titles and phrases; a hash beside each page and referer, the asked ones where they count."""
    known = {"URL": pages(rng, rows), "Referer": referers(rng, rows), "Title": titles(rng, rows)}
    for name, share in (("URL", 1.0), ("Referer", 0.81), ("Title", 0.86)):
        texts = known[name]
        chosen = _skewed(rng, rows, len(texts) - 1, 2.5) + 1
        if name == "URL":
            chosen[ours & (rng.random(rows) < 0.15)] = 1
        chosen[rng.random(rows) > share] = 0
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(chosen.astype(np.int32)), texts).cast(
            pa.string()
        )
        if name != "Title":
            hashes = rng.integers(-(1 << 62), 1 << 62, len(texts))
            hashes[1] = PAGE_HASH if name == "URL" else REFERER_HASH
            columns[f"{name}Hash"] = pa.array(hashes[chosen])
    columns["OriginalURL"] = pc.if_else(pa.array(rng.random(rows) < 0.4), columns["URL"], "")
    words = phrases(rng, rows)
    chosen = np.where(rng.random(rows) < 0.13, _skewed(rng, rows, len(words) - 1, 2.5) + 1, 0)
    columns["SearchPhrase"] = pa.DictionaryArray.from_arrays(pa.array(chosen.astype(np.int32)), words).cast(
        pa.string()
    )


def _sizes(rng: np.random.Generator, columns: dict[str, pa.Array], rows: int) -> None:
    screens = np.array(
        [(1366, 768), (1920, 1080), (1280, 1024), (1024, 768), (1600, 900), (320, 480)], np.int16
    )
    chosen = screens[_skewed(rng, rows, len(screens), 1.5)]
    columns["ResolutionWidth"], columns["ResolutionHeight"] = pa.array(chosen[:, 0]), pa.array(chosen[:, 1])
    columns["WindowClientWidth"] = pa.array(rng.integers(200, 1_920, rows).astype(np.int16))
    columns["WindowClientHeight"] = pa.array(rng.integers(150, 1_080, rows).astype(np.int16))


def _skewed(rng: np.random.Generator, rows: int, distinct: int, power: float = 3.0) -> np.ndarray:
    """Integers below `distinct`; the greater the power, the more of them are low."""
    return np.minimum((distinct * rng.random(rows) ** power).astype(np.int64), distinct - 1)


def _sparse(rng: np.random.Generator, rows: int, values: tuple[str, ...], share: float) -> pa.Array:
    chosen = np.where(rng.random(rows) < share, _skewed(rng, rows, max(1, len(values)), 2.0) + 1, 0)
    return _picked(chosen if values else np.zeros(rows, np.int64), ("", *values))


def _picked(chosen: np.ndarray, values: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(chosen.astype(np.int32)), pa.array(values)).cast(
        pa.string()
    )


def _where(texts: pa.Array, values: np.ndarray) -> pa.Array:
    """The values where a text is not empty, else 0."""
    there = np.asarray(pc.not_equal(texts, ""))
    return pa.array(np.where(there, values, 0).astype(np.int16))

"""Pages, referers, titles and search phrases for `hits`: made of syllables, Latin and Cyrillic, from a seed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

_LATIN = ("ka", "mi", "ro", "ta", "le", "su", "ne", "po", "vi", "da",
          "go", "ri", "be", "lo", "sha", "me", "tu", "no", "fi", "ra")  # fmt: skip
_CYRILLIC = ("ка", "ми", "ро", "та", "ле", "су", "не", "по", "ви", "да",  # noqa: RUF001
             "го", "ри", "бе", "ло", "ша", "ме", "ту", "но", "фи", "ра")  # fmt: skip # noqa: RUF001
_ZONES = ("com", "ru", "org", "net", "ua", "info")
_SECTIONS = ("news", "search", "catalog", "forum", "video", "user", "auto", "real-estate", "photo", "index")
_ENGINES = (
    "http://www.google.com/search?q=",
    "http://images.google.ru/imgres?q=",
    "http://go.mail.example/search?q=",
)


def pages(rng: np.random.Generator, rows: int) -> pa.Array:
    """The empty text, then about a page for every six rows; some name Google."""
    count = max(64, rows // 6)
    hosts = _hosts(rng, max(8, count // 60))
    host = _low(rng, count, len(hosts))
    section = rng.integers(0, len(_SECTIONS), count)
    number, other = rng.integers(0, 1 << 31, count), rng.integers(0, 1 << 20, count)
    depth, google = rng.integers(0, 4, count), rng.random(count) < 0.004
    made = [""]
    for i in range(count):
        text = f"http://{hosts[host[i]]}/{_SECTIONS[section[i]]}/{number[i]}"
        if depth[i]:
            text += (
                f"/{_LATIN[depth[i]]}{other[i] % 977}-{_LATIN[other[i] % 20]}{_LATIN[number[i] % 20]}.html"
            )
        if depth[i] > 1:
            text += f"?page={other[i]}&sort={_LATIN[other[i] % 7]}"
        if google[i]:
            text += f"&from={'www.google.com' if other[i] % 2 else 'google'}"
        made.append(text)
    return pa.array(made)


def referers(rng: np.random.Generator, rows: int) -> pa.Array:
    """The empty text, then about a referer for every eight rows: pages of other hosts and search engines."""
    count = max(64, rows // 8)
    hosts = _hosts(rng, max(8, count // 40))
    host, kind = _low(rng, count, len(hosts)), rng.random(count)
    number = rng.integers(0, 1 << 40, count)
    words = phrases(rng, rows).to_pylist()
    made = [""]
    for i in range(count):
        if kind[i] < 0.25:
            made.append(
                f"{_ENGINES[max(0, number[i] % 8 - 5)]}{words[1 + number[i] % (len(words) - 1)]}&lr={number[i] % 300}"
            )
        else:
            made.append(
                f"{'https' if kind[i] > 0.9 else 'http'}://www.{hosts[host[i]]}/{_SECTIONS[number[i] % 10]}/{number[i]}"
            )
    return pa.array(made)


def titles(rng: np.random.Generator, rows: int) -> pa.Array:
    """The empty text, then about a title for every fifteen rows, mostly Cyrillic; some name Google."""
    count = max(64, rows // 15)
    length, google = rng.integers(4, 11, count), rng.random(count) < 0.01
    syllables = rng.integers(0, 20, (count, 33))
    made = [""]
    for i in range(count):
        letters = _CYRILLIC if i % 4 else _LATIN
        words = ["".join(letters[k] for k in syllables[i, 3 * w : 3 * w + 3]) for w in range(length[i])]
        made.append(f"{'Google ' if google[i] else ''}{' '.join(words).capitalize()} - {words[0]} {i % 1013}")
    return pa.array(made)


def phrases(rng: np.random.Generator, rows: int) -> pa.Array:
    """The empty text, then about a phrase for every twenty-five rows, of one to five words."""
    count = max(64, rows // 25)
    length = rng.integers(1, 6, count)
    syllables = rng.integers(0, 20, (count, 10))
    made = [""]
    for i in range(count):
        letters = _LATIN if i % 5 == 0 else _CYRILLIC
        words = ["".join(letters[k] for k in syllables[i, 2 * w : 2 * w + 2]) for w in range(length[i])]
        made.append(f"{' '.join(words)} {i % 211}")
    return pa.array(made)


def _hosts(rng: np.random.Generator, count: int) -> list[str]:
    parts = rng.integers(0, 20, (count, 3))
    return [
        f"{''.join(_LATIN[k] for k in row)}{i}.{_ZONES[i % len(_ZONES)]}"
        for i, row in enumerate(parts.tolist())
    ]


def _low(rng: np.random.Generator, count: int, distinct: int) -> np.ndarray:
    return (distinct * rng.random(count) ** 2).astype(np.int64)

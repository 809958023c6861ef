"""Which benches the server may open: those whose real path lies under its root, or on the allow-list."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from luma_bench.errors import CatalogError, ForbiddenError
from luma_bench.serve.jupyter.links import Links

SETTING = "LumaBenchExtension.allowed_benches"


@dataclass(frozen=True, slots=True)
class Places:
    """The folders below which benches may be opened, and the addresses of published ones.

    Attributes
    ----------
    root
        The server's root folder, as it is written in paths.
    folders
        The real paths of the root and of every folder on the allow-list.
    urls
        Published benches on the allow-list.
    links
        The links in benches' folders.
    """

    root: Path
    folders: tuple[Path, ...]
    urls: frozenset[str] = frozenset()
    links: Links = field(default_factory=Links, repr=False, compare=False)

    @classmethod
    def of(cls, root: str, allowed: Sequence[str]) -> Places:
        """The places that the server's settings mean; relative folders count from the root."""
        base = Path(os.path.abspath(os.path.expanduser(root)))  # noqa: PTH100, PTH111 - links stay as they are written
        listed = [base / Path(item).expanduser() for item in allowed if "://" not in item]
        real = dict.fromkeys(Path(os.path.realpath(item)) for item in (base, *listed))
        return cls(base, tuple(real), frozenset(item.rstrip("/") for item in allowed if "://" in item))

    def located(self, asked: str) -> str:
        """The real path, or the URL, of a bench that a request names.

        Nothing outside of the places is told apart: whether a file is there is no business of a refused request.

        Raises
        ------
        ForbiddenError
            It lies elsewhere, or something in its folder leads elsewhere.
        CatalogError
            The path is none.
        """
        if "://" in asked:
            if asked.rstrip("/") not in self.urls:
                raise _refused(asked)
            return asked.rstrip("/")
        if not asked or "\0" in asked:
            raise CatalogError("The path of a bench is missing.", hint="Give the path of a bench's folder.")
        real = self.real(self.root / asked)
        if real is None:
            raise _refused(asked)
        self._require_inside(real, asked)
        return str(real)

    def shown(self, asked: str) -> str:
        """The absolute path, or the URL, of a bench as it was asked for."""
        return asked if "://" in asked else str(self.root / asked)

    def real(self, path: Path) -> Path | None:
        """Where a path really leads, when that is inside of the places."""
        try:
            found = Path(os.path.realpath(path))
        except (OSError, ValueError):
            return None
        return found if any(found.is_relative_to(folder) for folder in self.folders) else None

    def _require_inside(self, bench: Path, asked: str) -> None:
        """No link in the bench's folder, however deep, may lead to files outside of the places."""
        try:
            outside = any(self.real(link) is None for link in self.links.below(bench))
        except OSError:
            # No folder, or none that may be read: opening it says so in its own words.
            return
        if outside:
            raise _refused(asked)


def _refused(asked: str) -> ForbiddenError:
    return ForbiddenError(
        f"The server may not open the bench {asked!r}.",
        hint=f"It opens benches under its root folder; {SETTING} in jupyter_server_config.py lists others.",
    )

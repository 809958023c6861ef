"""The folder in which workers hand each other files, where one is seen by all of them."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luma_bench.config import Settings


@dataclass(frozen=True, slots=True)
class ExchangeFolder:
    """Where files are exchanged.

    Attributes
    ----------
    path
        A folder of this handle's own; None where no folder is shared, so that rows travel between workers' memories.
    problem
        Why there is none.
    """

    path: Path | None
    problem: str = ""

    @classmethod
    def shared_with(cls, client: Any, settings: Settings, *, local: bool) -> ExchangeFolder:
        """A new folder in `spill_dir`, or in the system's folder of temporary files, if every worker sees what is in it."""
        try:
            path = Path(tempfile.mkdtemp(prefix="luma-exchange-", dir=settings.spill_dir or None))
        except OSError as error:
            return cls(
                None, f"{settings.spill_dir or tempfile.gettempdir()!r} cannot be written: {error.strerror}"
            )
        if local:
            return cls(path)
        token = uuid.uuid4().hex
        (path / "token").write_text(token, "utf-8")
        answers: dict[str, object] = client.run(sees, str(path / "token"), token, on_error="return")
        blind = sorted(worker for worker, answer in answers.items() if answer is not True)
        if not blind:
            return cls(path)
        shutil.rmtree(path, ignore_errors=True)
        return cls(
            None, f"{path.parent} is not shared with the worker {blind[0]}; spill_dir names a folder that is"
        )

    def of_query(self, query: str) -> Path | None:
        """A query's own folder, which the first file in it makes."""
        return None if self.path is None else self.path / query

    def remove(self) -> None:
        """Remove it with all that is in it."""
        if self.path is not None:
            shutil.rmtree(self.path, ignore_errors=True)


def sees(path: str, token: str) -> bool:
    """Whether this process reads `token` in the file and may write beside it."""
    file = Path(path)
    try:
        if file.read_text("utf-8") != token:
            return False
        beside = file.with_name(uuid.uuid4().hex)
        beside.write_text(token, "utf-8")
        beside.unlink()
    except OSError:
        return False
    return True


def removed(path: str) -> bool:
    """Whether a folder is not there any more, in this process's sight, after removing what is seen of it."""
    shutil.rmtree(path, ignore_errors=True)
    return not Path(path).exists()

"""A disk with a cache, in memory: what a run wrote is played back, and at any point the power may fail.

Bytes are safe once their file was synced, names once their folder was. Of the rest any part may be on the disk: of bytes
by sectors, in any order and torn; of names by operations. What a file grew by without the bytes holds zeros, or anything.
"""

from __future__ import annotations

import random
from pathlib import Path, PurePosixPath

from faulty_disk import Event

SECTOR = 512


class File:
    """Bytes, and the changes of them that no sync covers yet."""

    def __init__(self) -> None:
        self.live = bytearray()
        self.safe = bytearray()
        self.waiting: list[tuple[int, bytes | None]] = []

    def write(self, offset: int, data: bytes) -> None:
        _put(self.live, offset, data)
        self.waiting.append((offset, data))

    def truncate(self, size: int) -> None:
        _cut(self.live, size)
        self.waiting.append((size, None))

    def sync(self) -> None:
        self.safe = bytearray(self.live)
        self.waiting.clear()

    def left(self, chance: random.Random) -> bytes:
        """What the disk may hold after the power failed."""
        found = bytearray(self.safe)
        if not self.waiting:
            return bytes(found)
        kept = chance.choice((0.0, 1.0, None, 0.5, 0.9, chance.random()))
        if kept is None:  # a part of them in order, the last one torn
            count = chance.randrange(len(self.waiting) + 1)
            for offset, data in self.waiting[:count]:
                _apply(found, offset, data)
            if count < len(self.waiting) and (data := self.waiting[count][1]) is not None:
                _put(found, self.waiting[count][0], data[: chance.randrange(len(data) + 1)])
            return bytes(found)
        garbage = chance.random() < 0.25
        for offset, data in self.waiting:
            if data is None:
                if chance.random() < kept:
                    _cut(found, offset)
                continue
            for start, piece in _sectors(offset, data):
                if chance.random() < kept:
                    _put(found, start, piece)
                elif chance.random() < 0.3:  # the size came through without the bytes
                    longer = start + len(piece) - len(found)
                    if longer > 0:
                        found += chance.randbytes(longer) if garbage else bytes(longer)
        return bytes(found)


class Folder:
    """Names, and the changes of them that no sync covers yet; a change sets names to nodes, or to nothing."""

    def __init__(self) -> None:
        self.live: dict[str, Node] = {}
        self.safe: dict[str, Node] = {}
        self.waiting: list[dict[str, Node | None]] = []

    def change(self, names: dict[str, Node | None]) -> None:
        _name(self.live, names)
        self.waiting.append(names)

    def sync(self) -> None:
        self.safe = dict(self.live)
        self.waiting.clear()

    def left(self, chance: random.Random) -> dict[str, Node]:
        """The names that the disk may hold after the power failed."""
        found = dict(self.safe)
        kept = chance.choice((0.0, 1.0, None, 0.5))
        if kept is None:
            for names in self.waiting[: chance.randrange(len(self.waiting) + 1)]:
                _name(found, names)
        else:
            for names in self.waiting:
                if chance.random() < kept:
                    _name(found, names)
        return found


Node = File | Folder


class Disk:
    """The folder `root` as a process changed it, event by event."""

    def __init__(self, root: Path) -> None:
        self.root = Folder()
        self._path = root
        self._open: dict[int, tuple[Node, str]] = {}

    def play(self, event: Event) -> None:
        """Let one change happen."""
        match event.op:
            case "O":
                self._opened(event)
            case "C":
                self._open.pop(event.descriptor, None)
            case "W":
                self._file(event.descriptor).write(event.number, event.data)
            case "T":
                self._file(event.descriptor).truncate(event.number)
            case "S":
                self._open[event.descriptor][0].sync()
            case "M":
                folder, name = self._place(event.path)
                folder.change({name: Folder()})
            case "U":
                folder, name = self._place(event.path)
                folder.change({name: None})
            case "L":
                (source, old), (folder, name) = self._place(event.path), self._place(event.data.decode())
                folder.change({name: source.live[old]})
            case "R":
                (source, old), (folder, name) = self._place(event.path), self._place(event.data.decode())
                assert source is folder, "a rename between folders is not modelled"
                folder.change({old: None, name: source.live[old]})
            case _:
                raise AssertionError(event)

    def name_of(self, event: Event) -> str:
        """The path, from the root, of the file that an event is about."""
        path = event.path or self._open[event.descriptor][1]
        return PurePosixPath(path).relative_to(self._path).as_posix()

    def fail(self, chance: random.Random, target: Path) -> None:
        """Write what the disk may hold if the power fails now, into a new folder."""
        _store(self.root.left(chance), target, chance)

    def whole(self) -> dict[str, bytes]:
        """Every file as the process sees it."""
        return dict(_files(self.root, ""))

    def _opened(self, event: Event) -> None:
        if PurePosixPath(event.path) == PurePosixPath(self._path):
            self._open[event.descriptor] = self.root, event.path
            return
        folder, name = self._place(event.path)
        if event.number & 1:
            folder.change({name: File()})
        node = folder.live[name]
        self._open[event.descriptor] = node, event.path
        if event.number & 2:
            assert isinstance(node, File)
            node.truncate(0)

    def _file(self, descriptor: int) -> File:
        node = self._open[descriptor][0]
        assert isinstance(node, File)
        return node

    def _place(self, path: str) -> tuple[Folder, str]:
        *parents, name = PurePosixPath(path).relative_to(self._path).parts
        node: Node = self.root
        for parent in parents:
            assert isinstance(node, Folder)
            node = node.live[parent]
        assert isinstance(node, Folder)
        return node, name


def _files(folder: Folder, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for name, node in folder.live.items():
        if isinstance(node, Folder):
            found += _files(node, f"{prefix}{name}/")
        else:
            found.append((prefix + name, bytes(node.live)))
    return found


def _store(names: dict[str, Node], target: Path, chance: random.Random) -> None:
    target.mkdir()
    for name, node in sorted(names.items()):
        if isinstance(node, Folder):
            _store(node.left(chance), target / name, chance)
        elif not name.endswith("-shm"):  # SQLite makes it anew from the log after a crash
            (target / name).write_bytes(node.left(chance))


def _name(names: dict[str, Node], change: dict[str, Node | None]) -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        _cut(content, offset)
    else:
        _put(content, offset, data)


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if offset > len(content):
        content += bytes(offset - len(content))
    content[offset : offset + len(data)] = data


def _cut(content: bytearray, size: int) -> None:
    del content[size:]
    content += bytes(size - len(content))


def _sectors(offset: int, data: bytes) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        size = SECTOR - (offset + at) % SECTOR
        found.append((offset + at, data[at : at + size]))
        at += size
    return found

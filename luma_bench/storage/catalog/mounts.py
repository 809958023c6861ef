"""Whether a path lies on a network file system, where SQLite's write-ahead log is not safe."""

from __future__ import annotations

from pathlib import Path

_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse"}
)
_MOUNTS = Path("/proc/self/mountinfo")


def network_file_system(folder: Path, mounts: Path = _MOUNTS) -> str | None:
    """The type of the network file system that holds `folder`; None for a local one, or where the system does not say."""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except FileNotFoundError:
        return None
    place = folder.resolve()
    best, kind = -1, None
    for line in lines:
        # "36 35 98:0 / /mount/point options… - type source options"; blanks in the path are octal escapes.
        left, _, right = line.partition(" - ")
        point = Path(left.split()[4].replace("\\040", " ").replace("\\011", "\t"))
        if len(point.parts) >= best and place.is_relative_to(point):
            best, kind = len(point.parts), right.split()[0]
    return kind if kind in _NETWORK else None

"""Whether a path lies on a network file system, where SQLite's write-ahead log is not safe.

The log's index is memory that all writers map: processes of two machines would each map their own, and overwrite each
other's commits. Locks that do not reach the other machine, or a server's cache, do the same.
"""

from __future__ import annotations

from pathlib import Path

_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "9p", "davfs"}  # of one server
    | {
        "ceph",
        "lustre",
        "gpfs",
        "beegfs",
        "pvfs2",
        "orangefs",
        "panfs",
        "wekafs",
        "glusterfs",
        "moosefs",
    }  # of many
    | {"ocfs2", "gfs", "gfs2"}  # one disk of several machines
    | {"vboxsf", "prl_fs", "vmhgfs"}  # a folder of the machine that runs this one
)
_NETWORK_FUSE = frozenset(
    {
        "sshfs",
        "s3fs",
        "gcsfuse",
        "goofys",
        "rclone",
        "blobfuse",
        "blobfuse2",
        "mount-s3",
        "mountpoint-s3",
        "davfs",
    }
    | {
        "glusterfs",
        "ceph",
        "ceph-fuse",
        "juicefs",
        "mfs",
        "moosefs",
        "lizardfs",
        "seaweedfs",
        "alluxio",
        "cvmfs2",
    }
    | {"vmhgfs-fuse", "smbnetfs", "curlftpfs", "s3ql", "grpcfuse"}
)
_MOUNTS = Path("/proc/self/mountinfo")


def network_file_system(folder: Path, mounts: Path = _MOUNTS) -> str | None:
    """The type of the network file system that holds `folder`; None for a local one, or where the system does not say."""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except FileNotFoundError:
        return None
    place = folder.resolve()
    best, kind, root = -1, "", False
    for line in lines:
        # "36 35 98:0 / /mount/point options… - type source options"; blanks in the path are octal escapes.
        left, _, right = line.partition(" - ")
        point = Path(left.split()[4].replace("\\040", " ").replace("\\011", "\t"))
        if len(point.parts) >= best and place.is_relative_to(point):
            best, kind, root = len(point.parts), right.split()[0], point == Path("/")
    if kind == "9p" and root:
        return None  # a sandbox's own root, which no other machine sees
    remote = kind in _NETWORK or (kind.startswith("fuse.") and kind.removeprefix("fuse.") in _NETWORK_FUSE)
    return kind if remote else None

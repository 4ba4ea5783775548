"""Which file system a directory is on, and whether a lock there keeps everyone out (Linux, proc_pid_mountinfo(5)).

A lock on a directory cannot be tried out: where a file system does not implement it for directories (NFS, SMB, 9p
and everything in FUSE do not), the kernel grants it among the processes of this machine alone, and says nothing.
So the type decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_OTHERS = "other machines write there without seeing this one's locks"
_HOST = "the host, or another guest, writes there without seeing this one's locks"
_OBJECTS = "it imitates files on an object store: give the bucket itself"
_UNKNOWN = "nobody can say whether other machines write there"

#   file-system type → why it is refused. ceph, gfs2 and ocfs2 are not: a lock on a directory holds on every machine.
_UNSAFE = {
    **dict.fromkeys(("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "lustre", "beegfs"), _OTHERS),
    **dict.fromkeys(("glusterfs", "gpfs", "orangefs", "pvfs2", "panfs", "wekafs", "acfs", "mfs", "sshfs"), _OTHERS),
    **dict.fromkeys(("9p", "virtiofs", "vboxsf", "vmhgfs", "prl_fs", "drvfs"), _HOST),
    **dict.fromkeys(("s3fs", "gcsfuse", "goofys", "blobfuse", "blobfuse2", "mountpoint-s3", "rclone"), _OBJECTS),
}

#   FUSE file systems that keep their files on this machine. Any other one is refused: its files may be anywhere.
_LOCAL_FUSE = frozenset(
    ("bindfs", "cryfs", "encfs", "exfat", "ext2", "fuse-overlayfs", "fuse2fs", "gocryptfs", "mergerfs", "ntfs-3g")
)


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo: its number, where it is, the file system's type and what it is made of."""

    number: int
    point: str
    kind: str
    source: str

    @property
    def problem(self) -> str:
        """Why a lock on a directory here does not keep everyone out; empty if it does, as far as the type tells."""
        if self.kind == "fuse" or self.kind.startswith("fuse."):
            name = self.kind.removeprefix("fuse").removeprefix(".")
            return "" if name in _LOCAL_FUSE else _UNSAFE.get(name, _UNKNOWN)
        return _UNSAFE.get(self.kind, "")


def parse_mountinfo(text: str) -> list[Mount]:
    """Return the mounts in the order of the lines; a line that is not understood is left out."""
    #   36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
    mounts = []
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        fields, about = left.split(" "), right.split(" ")
        if len(fields) >= 6 and len(about) >= 2 and fields[0].isdecimal():
            mounts.append(Mount(int(fields[0]), _unescape(fields[4]), about[0], _unescape(about[1])))
    return mounts


def mount_of(mounts: list[Mount], path: str, number: int | None = None) -> Mount | None:
    """Return the mount with this number; without one, the mount that covers the absolute, resolved path.

    number   as the kernel tells it for an open file: right even where one mount hides another
    """
    if number is not None:
        return next((mount for mount in mounts if mount.number == number), None)
    covering = [mount for mount in mounts if mount.point == "/" or f"{path}/".startswith(f"{mount.point}/")]
    # of two at the same point the later one hides the earlier one
    return max(reversed(covering), key=lambda mount: len(mount.point), default=None)


def _unescape(field: str) -> str:
    # "\040" for a space, likewise tab, newline, backslash and "#"
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)

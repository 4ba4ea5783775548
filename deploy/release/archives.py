"""Archives whose bytes follow from the names and contents of their files: names sorted, times and modes fixed."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

MOMENT = 1_580_601_600  # 2 February 2020, which hatchling takes for wheels: no archive says when it was built
_ZIP_MOMENT = (2020, 2, 2, 0, 0, 0)
_MODE = 0o644


def files_below(folder: Path, *, without: Sequence[str] = ()) -> dict[str, bytes]:
    """Return the files below a folder by name, without what tools leave behind, and what is below some names."""
    found = {}
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        if path.is_file() and not hidden and parts[0] not in without:
            found["/".join(parts)] = path.read_bytes()
    return found


def stored_zip(files: Mapping[str, bytes], before: bytes = b"") -> bytes:
    """Return a zip file that compresses nothing: zlibs differ in what they make of the same bytes.

    before   what stands before it, such as the line that says what runs it
    """
    return _zip(files, zipfile.ZIP_STORED, before)


def packed_zip(files: Mapping[str, bytes]) -> bytes:
    """Return a zip file."""
    return _zip(files, zipfile.ZIP_DEFLATED)


def _zip(files: Mapping[str, bytes], compression: int, before: bytes = b"") -> bytes:
    target = io.BytesIO()
    target.write(before)
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _ZIP_MOMENT)
            info.create_system = 3  # Unix, on whatever system this runs
            info.external_attr = (0o100000 | _MODE) << 16
            info.compress_type = compression
            archive.writestr(info, files[name])
    return target.getvalue()


def packed_tar(files: Mapping[str, bytes]) -> bytes:
    """Return a .tar.gz file."""
    target = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=target, mode="wb", filename="", mtime=0, compresslevel=9) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(files):
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(files[name]), _MODE, MOMENT
            archive.addfile(info, io.BytesIO(files[name]))
    return target.getvalue()

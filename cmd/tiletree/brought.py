"""What somebody brought to verify something by: what to do where it is not what it is taken for.

A file that was refused came by mail, through an editor, from a server that sent something else, or stands in the place
of another one. Only what was refused already is looked at: nothing is believed because it looks right.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tiles.errors import AccessError, Malformed
from tiles.notes.tlog_proof import FILE_SUFFIX, is_tlog_proof
from tiles.read.trouble import judged
from tiletree.files import read_limited
from tiletree.subjects import LocalMaterial, Material, Subject

_ONCE_MORE = "get it once more, as a file: mail, an editor or a broken download changes it"
_SAVED = "it was saved in the place of what was to be fetched: get that once more, and look at the address"


@contextmanager
def brought(data: bytes, source: Material, *, instead: str = "", file: Subject | None = None) -> Iterator[None]:
    """Let an error raised inside say where the data was read, and what to do.

    instead   what to do for a file that is a proof, where none is expected; "": a proof is expected
    file      what is verified by it
    """
    try:
        with judged(data, source.shown):
            yield
    except Malformed as error:
        error.hint = error.hint or _what_next(data, instead, file)
        raise
    except AccessError as error:
        if isinstance(source, LocalMaterial):
            error.hint = _SAVED
        raise


def _what_next(data: bytes, instead: str, file: Subject | None) -> str:
    if is_tlog_proof(data):
        return instead or _ONCE_MORE
    if file is not None and _is_proof(file):
        return f"{file.shown} is the proof: name the file first, and its proof with --proof"
    if data.startswith(b"tiletree/search-proof/"):
        return "it is a search proof: --search-proof verifies it"
    if not instead and data.lstrip().startswith(b"{") and b"mediaType" in data:
        return "it looks like a bundle of Sigstore: --bundle names one"
    return _ONCE_MORE if instead else f"a {FILE_SUFFIX} file begins with the line c2sp.org/tlog-proof@v1: {_ONCE_MORE}"


def _is_proof(file: Subject) -> bool:
    if file.web is not None or file.name is None:
        return False
    with suppress(OSError):
        return is_tlog_proof(read_limited(Path(file.word), 64))
    return False

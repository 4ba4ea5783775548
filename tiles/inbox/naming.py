"""How a batch names an object of the inbox, whatever that is called. Pure.

A batch names an object by its name below `inbox/`, if that is short and printable. Otherwise it says
`<submitter>/.odd/<SHA-256 of the name>`, or `.odd/<SHA-256 of the name>` if the object is in no submitter's folder.
An object that is itself called like that is named by its digest too, so no two objects have one name.
"""

from __future__ import annotations

import re
from hashlib import sha256

from tiles.errors import Malformed
from tiles.inbox.submission import SUBMITTER, is_submitter, parse_name
from tiles.records.paths import INBOX, ODD, REJECTED, odd_rejection_path

_PLAIN = re.compile(r"[!-~]{1,512}", re.ASCII)
_ODD = re.compile(rf"(?:({SUBMITTER})/)?{re.escape(ODD)}([0-9a-f]{{64}})", re.ASCII)


def name_in_batch(name: str) -> str:
    """Return how a batch names the object `name` below `inbox/`: at most 512 printable characters without a space."""
    if _PLAIN.fullmatch(name) and not _ODD.fullmatch(name):
        return name
    submitter, slash, _ = name.partition("/")
    return f"{submitter + slash if slash and is_submitter(submitter) else ''}{ODD}{listed_digest(name)}"


def is_by_digest(named: str) -> bool:
    """Whether the object's own name has to be looked for, because the batch names it by a digest."""
    return _ODD.fullmatch(named) is not None


def name_digest(named: str) -> str:
    """Return the SHA-256, in hex, of the name below `inbox/` of an object that a batch calls `named`."""
    match = _ODD.fullmatch(named)
    return match[2] if match else listed_digest(named)


def listed_digest(name: str) -> str:
    """Return what `name_digest` returns for the object `name` below `inbox/`."""
    return sha256(name.encode()).hexdigest()


def folder(named: str) -> str:
    """Return the prefix of the private part below which an object that a batch names by a digest is."""
    match = _ODD.fullmatch(named)
    return f"{INBOX}{match[1]}/" if match and match[1] else INBOX


def rejection_path(named: str) -> str:
    """Return the path of the record that says why a submission was refused.

    A malformed name may also be a folder of other names, so its digest names the record.
    """
    try:
        return REJECTED + parse_name(named).text
    except Malformed:
        return odd_rejection_path(name_digest(named))


def is_rejection_path(path: str) -> bool:
    """Whether a path is one that `rejection_path` returns."""
    if path.startswith(REJECTED + ODD):
        return _ODD.fullmatch(path[len(REJECTED) :]) is not None
    try:
        return path.startswith(REJECTED) and bool(parse_name(path[len(REJECTED) :]))
    except Malformed:
        return False

"""What the objects of a log are called: each name is built and parsed here, and nowhere else. Pure.

The checkpoint, tiles and entry bundles are called as https://c2sp.org/tlog-tiles says: `tiles.tree.layout`.
"""

from __future__ import annotations

import re
from datetime import date
from hashlib import sha256

from tiles.errors import Malformed, UsageError
from tiles.notes.encoding import decode_decimal
from tiles.notes.index_head import check_kind, is_run
from tiles.tree.layout import ENTRIES, TILES, Tile, index_path, parse_tile_path

# ---- the public part, beside the checkpoint and `tile/`

POLICY = "policy.txt"  # a copy of the policy that the log publishes by
SITE = "site.txt"  # whose log it is, in words for the page, which alone reads it; operators write it, or do not
PENDING = "pending"  # the signed checkpoint of a committed tree that has no quorum yet
CHECKPOINTS = "checkpoints/"  # the first published checkpoint of each size
DAYS = "checkpoints/days/"  # the first published checkpoint of each day
PAYLOAD = "payload/"
PAYLOADS = "payload/sha256/"  # files that were published with their digest entries
INDEX = "index/"  # by which entries are found
WITHHELD = "withheld/"  # which entries of a bundle the log withholds, and why
KEYS = "keys/"  # how the keys of the log have changed
ENDORSED = "endorsed/"  # proofs that another log holds checkpoints of this one

# Where something stands below these, or a checkpoint or `pending`, there is or was a log. A policy is no such trace:
# whoever begins a log may have written one before.
TRACES = (TILES, CHECKPOINTS, PAYLOADS, INDEX)

# ---- the private part

HEAD = "head"  # what is committed: the one object on which writers compete
STAGING = "staging/"  # batches that a head can name
POLICIES = "policies/"  # the policies that a head names
INBOX = "inbox/"  # what was submitted and is not decided
DECIDED = "decided/"  # what is decided and may still be in the inbox
REJECTED = "rejected/"  # what was refused, and why
ODD = ".odd/"  # before the digest of a name that cannot be used as it is
SETTINGS = "settings"  # how the objects of a log in a bucket are stored
STOPPED_INDEXES = "stopped-indexes"  # kinds of keys whose index no run keeps any more
SET_ASIDE = "set-aside/"  # wrong or foreign objects that `repair` took out of the public part
WITNESSED = "set-aside/witnessed/"  # checkpoints by which witnesses showed that storage was put back
MOVED = "moved"  # where the log was moved to
MOVING = "moving"  # of which closed head this is a copy, until it is complete

# ---- in logs of other formats: what a mirror has of them beside `tile/` and the checkpoint

LATEST = "latest"  # the checkpoint of a checksum database of Go
ISSUERS = "issuer/"  # certificates of issuers, by their SHA-256, of a log of certificates

# ---- the store in which the signer keeps its anchor

ANCHOR = "anchor"

_KIND = r"([^/]+/[^/]+)"
_NUMBER = r"((?:x[0-9]{3}/){0,6}[0-9]{3})"
_INDEX_HEAD = re.compile(rf"{INDEX}{_KIND}/head", re.ASCII)
_RUN_OBJECT = re.compile(rf"{INDEX}{_KIND}/(0|[1-9][0-9]?)/{_NUMBER}/(?:{_NUMBER}|({TILES}.*))", re.ASCII)
_STAGED = re.compile(rf"{STAGING}([0-9]+)-[0-9a-f]{{64}}", re.ASCII)
_KEY_CHANGE = re.compile(rf"{KEYS}(0|[1-9][0-9]{{0,2}})", re.ASCII)
_DECIDED = re.compile(rf"{DECIDED}([0-9a-f]{{64}})", re.ASCII)
_ENDORSED = re.compile(rf"{ENDORSED}([0-9a-f]{{64}})/(?:{_NUMBER}|(newest))", re.ASCII)
_DAY = re.compile(rf"{DAYS}([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})", re.ASCII)


def issuer_path(fingerprint: bytes) -> str:
    """Return where a log of certificates has the certificate of an issuer (static-ct-api, "Issuers")."""
    return f"{ISSUERS}{fingerprint.hex()}"


def checkpoint_path(size: int) -> str:
    """Return where the first published checkpoint of a size is kept: 1234067 → "checkpoints/x001/x234/067"."""
    return f"{CHECKPOINTS}{index_path(size)}"


def kept_size(path: str) -> int | None:
    """Return the size that the path of a kept checkpoint names; None for those of days, and for any other path."""
    if not path.startswith(CHECKPOINTS):
        return None
    try:
        # "the size as a tile path": the index of a tile is written the same way
        tile = parse_tile_path(f"tile/0/{path.removeprefix(CHECKPOINTS)}")
    except Malformed:
        return None
    return tile.index if tile.is_full else None


def day_path(day: date) -> str:
    """Return where the first checkpoint that was published on a day (UTC) is kept."""
    return f"{DAYS}{day.isoformat()}"


def kept_day(path: str) -> date | None:
    """Return the day that `day_path` has this path for; None for any other path."""
    match = _DAY.fullmatch(path)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def is_day_path(path: str) -> bool:
    """Whether a path is one that `day_path` returns."""
    return kept_day(path) is not None


def payload_path(sha256: str) -> str:
    """Return where the file of that SHA-256 (64 lower-case hexadecimal digits) is published."""
    return f"{PAYLOADS}{sha256}"


def withheld_path(bundle: int) -> str:
    """Return where it says which entries of a bundle are withheld: of bundle 1234 "withheld/x001/234"."""
    return f"{WITHHELD}{index_path(bundle)}"


def withheld_bundle(path: str) -> int | None:
    """Return the bundle that `withheld_path` has this path for; None for any other path."""
    if not path.startswith(WITHHELD):
        return None
    try:
        tile = parse_tile_path(f"tile/0/{path.removeprefix(WITHHELD)}")
    except Malformed:
        return None
    return tile.index if tile.is_full else None


def key_change_path(number: int) -> str:
    """Return where the statement of that number is, which says how the keys of the log have changed."""
    return f"{KEYS}{number}"


def key_change_number(path: str) -> int | None:
    """Return the number that `key_change_path` has this path for; None for any other path."""
    match = _KEY_CHANGE.fullmatch(path)
    return int(match[1]) if match else None


def endorsed_path(origin: str, size: int) -> str:
    """Return where the proof is that the log of this origin holds the checkpoint of a size."""
    return f"{_endorsed_below(origin)}{index_path(size)}"


def newest_endorsed_path(origin: str) -> str:
    """Return where a copy is of such a proof: of the largest size that the log of this origin holds."""
    return f"{_endorsed_below(origin)}newest"


def is_endorsed_path(path: str) -> bool:
    """Whether a path is one that `endorsed_path` returns."""
    match = _ENDORSED.fullmatch(path)
    if match is None or match[3]:
        return False
    return index_path(_index_in(match[2])) == match[2]


def is_newest_endorsed_path(path: str) -> bool:
    """Whether a path is one that `newest_endorsed_path` returns."""
    match = _ENDORSED.fullmatch(path)
    return match is not None and bool(match[3])


def index_head_path(kind: str) -> str:
    """Return where the head of the index of a kind of keys is, such as "index/leaf/1/head"."""
    return f"{INDEX}{kind}/head"


def run_prefix(kind: str, level: int, number: int) -> str:
    """Return below which path all objects of a run are."""
    return f"{INDEX}{kind}/{level}/{index_path(number)}/"


def run_file_path(kind: str, level: int, number: int, file: int) -> str:
    """Return where a file of records of a run is."""
    return f"{run_prefix(kind, level, number)}{index_path(file)}"


def run_tile_path(kind: str, level: int, number: int, tile: Tile) -> str:
    """Return where a tile of the tree of a run's pages is."""
    return f"{run_prefix(kind, level, number)}{tile.path}"


def head_kind(path: str) -> str | None:
    """Return the kind of keys whose index head has this path; None for any other path."""
    match = _INDEX_HEAD.fullmatch(path)
    return match[1] if match and _is_kind(match[1]) else None


def run_of(path: str) -> tuple[str, int, int] | None:
    """Return the kind, the level and the number of the run that an object is of; None for any other path."""
    match = _RUN_OBJECT.fullmatch(path)
    if match is None or not _is_kind(match[1]):
        return None
    place = match[1], int(match[2]), _index_in(match[3])
    if not is_run(*place[1:]):
        return None
    if match[4]:
        return place if run_file_path(*place, _index_in(match[4])) == path else None
    try:
        tile = parse_tile_path(match[5])
    except Malformed:
        return None
    return place if tile.level != ENTRIES and run_tile_path(*place, tile) == path else None


def staged_path(size: int, batch: str) -> str:
    """Return where the batch of that digest, which leads to a tree of `size`, is staged."""
    return f"{STAGING}{size}-{batch}"


def staged_size(path: str) -> int | None:
    """Return the size of the tree that a staged batch leads to; None for a path that no staged batch has."""
    match = _STAGED.fullmatch(path)
    try:
        return decode_decimal(match[1], "size of a staged batch") if match else None
    except Malformed:
        return None


def witnessed_path(digest: str) -> str:
    """Return where a checkpoint is kept that a witness showed, as evidence. digest: its SHA-256 in hex"""
    return f"{WITNESSED}{digest}"


def policy_path(digest: str) -> str:
    """Return where the policy of that digest is kept in the private part."""
    return f"{POLICIES}{digest}"


def decided_path(digest: str) -> str:
    """Return where it is recorded that a submission is decided. digest: SHA-256 of its name below `inbox/`, in hex."""
    return f"{DECIDED}{digest}"


def decided_digest(path: str) -> str | None:
    """Return the digest that the path of such a record names; None for a path that none has."""
    match = _DECIDED.fullmatch(path)
    return match[1] if match else None


def odd_rejection_path(digest: str) -> str:
    """Return the path of the record that says why an object was refused, if the object's name cannot name the record.

    digest   SHA-256 of its name below `inbox/`, in hex
    """
    return f"{REJECTED}{ODD}{digest}"


def _endorsed_below(origin: str) -> str:
    # an origin may hold anything but a newline: a hash of it is a part of a path
    return f"{ENDORSED}{sha256(origin.encode('utf-8')).hexdigest()}/"


def _is_kind(text: str) -> bool:
    try:
        check_kind(text)
    except UsageError:
        return False
    return True


def _index_in(path: str) -> int:
    """Return the index that `index_path` would write like this, perhaps in another way."""
    return int(path.replace("x", "").replace("/", ""))

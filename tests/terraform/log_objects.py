"""Every kind of object of a log, with a name that it can have, and what the sequencer has to be able to do with it.

Policies of clouds are held against this table, and the table against `tiles.records.paths`: a new kind of object, or
another name for one, makes a test fail until somebody has decided who may write it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from tiles.entries.kind import LEAF
from tiles.inbox.submission import Name
from tiles.records import paths
from tiles.store.probe import PROBES
from tiles.tree.layout import CHECKPOINT, ENTRIES, Tile

CREATE = frozenset({"create"})  # and neither overwrite nor delete it
REPLACE = frozenset({"create", "overwrite", "delete"})
DELETE = frozenset({"delete"})
NOTHING = frozenset[str]()

_DIGEST = sha256(b"").hexdigest()
_SUBMITTED = Name("ci", "0" * 32, _DIGEST).text


@dataclass(frozen=True)
class Row:
    """An object. part: "public", "private" or "anchor"; may: what the sequencer does with it, and has to be able to."""

    part: str
    path: str
    may: frozenset[str]


ROWS = [
    Row(part, path, may)
    for part, may, names in (
        ("public", REPLACE, (CHECKPOINT, paths.PENDING, paths.POLICY, paths.index_head_path(LEAF), f"{PROBES}0")),
        ("public", REPLACE, (paths.index_head_path("example.com/7"), paths.withheld_path(1_234))),
        ("public", REPLACE, (paths.newest_endorsed_path("log.example.com"),)),
        ("public", CREATE, (paths.endorsed_path("log.example.com", 1_234_067),)),
        ("public", CREATE, (Tile(0, 0).path, Tile(3, 1_234_067, 5).path, Tile(ENTRIES, 0).path)),
        ("public", CREATE, (Tile(ENTRIES, 1_234_067, 5).path, paths.payload_path(_DIGEST))),
        ("public", CREATE, (paths.checkpoint_path(0), paths.checkpoint_path(1_234_067), paths.key_change_path(0))),
        ("public", CREATE, (paths.day_path(date(2026, 11, 29)), paths.run_file_path(LEAF, 0, 0, 1_000))),
        ("public", CREATE, (paths.run_tile_path(LEAF, 3, 1_000, Tile(0, 0, 7)),)),
        ("public", NOTHING, (paths.SITE,)),
        ("public", NOTHING, ("index.html", "verify.html", "page/entry.js", "other", "checkpoint2", "index2/head")),
        ("private", REPLACE, (paths.HEAD, paths.SETTINGS, paths.STOPPED_INDEXES, paths.staged_path(7, _DIGEST))),
        ("private", REPLACE, (f"{PROBES}0",)),
        ("private", CREATE, (paths.policy_path(_DIGEST), paths.decided_path(_DIGEST))),
        ("private", CREATE, (f"{paths.REJECTED}{_SUBMITTED}", paths.odd_rejection_path(_DIGEST))),
        ("private", CREATE, (paths.witnessed_path(_DIGEST),)),
        ("private", DELETE, (f"{paths.INBOX}{_SUBMITTED}", f"{paths.INBOX}ci/a name that no batch can hold")),
        ("private", NOTHING, (f"{paths.SET_ASIDE}{CHECKPOINT}", CHECKPOINT, paths.ANCHOR)),
        ("private", NOTHING, (paths.MOVED, paths.MOVING)),  # by `move`, which an operator runs
        ("anchor", REPLACE, (paths.ANCHOR, f"{PROBES}0")),
        ("anchor", NOTHING, (CHECKPOINT, paths.HEAD, "other")),
    )
    for path in names
]


OF_OTHER_FORMATS = {paths.LATEST, paths.ISSUERS}  # in mirrors of other people's logs: no log of ours has them


def names_without_a_row() -> list[str]:
    """Return the constants of `tiles.records.paths` that name objects, or what they are below, and have no row."""
    named = {name: value for name, value in vars(paths).items() if name.isupper() and isinstance(value, str)}
    public = {name: value for name, value in named.items() if name[0] != "_" and value not in OF_OTHER_FORMATS}
    return sorted(name for name, value in public.items() if not any(_is_of(value, row.path) for row in ROWS))


def _is_of(name: str, path: str) -> bool:
    return name == path or (name.endswith("/") and name in path)

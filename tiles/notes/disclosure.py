"""Disclosures: entries of a private log, and all that an outsider needs to verify them; docs/endorsement.md. Pure.

    log.vkey                 the private log's verifier keys, a line each
    endorsement              the proof that the public log holds its checkpoint, which is the proof's extra data
    <index>.entry            the bytes of an entry
    <index>.tlog-proof       the proof that it is in the endorsed tree
    README                   for people; nothing of it is verified

No key of the public log is in it: whoever verifies knows that log already. The key of the private log is claimed by
whoever made the disclosure, unless the reader knows it: what verifies then is that the holder of this key signed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tiles.errors import LogError, Malformed, UsageError, placed
from tiles.notes.encoding import decode_decimal, decode_text
from tiles.notes.endorsement import Endorsed, check_same_tree, parse_endorsement, verify_endorsement
from tiles.notes.keys import VerifierKey, parse_vkey
from tiles.notes.policy import Accepted, Log, Policy
from tiles.notes.tlog_proof import MAX_PROOF_SIZE, TlogProof, parse_tlog_proof, verify_tlog_proof
from tiles.tree.bundle import MAX_ENTRY_SIZE
from tiles.tree.merkle import leaf_hash

VKEYS = "log.vkey"
ENDORSEMENT = "endorsement"
README = "README"
MAX_FILES = 2 * 1000 + 3  # 1000 entries
MAX_FILE_SIZE = max(MAX_PROOF_SIZE, MAX_ENTRY_SIZE)  # bytes
MAX_DISCLOSURE_SIZE = 128 << 20  # bytes, of all files
MAX_KEYS = 8

_WHAT = "disclosure"
_NAME = re.compile(r"(0|[1-9][0-9]{0,18})\.(entry|tlog-proof)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A disclosure as parsed; nothing about it is verified.

    keys         of the private log, as claimed
    endorsement  the proof of the public log
    entries      by index: the entry, and its proof
    """

    keys: tuple[VerifierKey, ...]
    endorsement: TlogProof
    entries: Mapping[int, tuple[bytes, TlogProof]] = field(repr=False)

    @property
    def origin(self) -> str:
        """The private log's origin, as claimed."""
        return parse_endorsement(self.endorsement.extra).origin

    @property
    def claimed(self) -> Policy:
        """The policy that the claimed keys make: any one of them has to have signed."""
        logs = tuple(map(Log, self.keys))
        data = "".join(f"log {key.vkey}\n" for key in self.keys) + "quorum none\n"
        return Policy(logs, (), (), None, data.encode())


@dataclass(frozen=True, slots=True)
class Shown:
    """What a disclosure has shown.

    endorsed   the private log's tree, and where the public log holds it
    entries    by index: the entry, and the checkpoint that its proof leads to
    """

    endorsed: Endorsed
    entries: Mapping[int, tuple[bytes, Accepted]] = field(repr=False)


def disclosure_files(
    keys: tuple[VerifierKey, ...], endorsement: TlogProof, entries: Mapping[int, tuple[bytes, TlogProof]]
) -> dict[str, bytes]:
    """Return the files of a disclosure by their names, without the README. Raises UsageError for too many entries."""
    files = {VKEYS: "".join(f"{key.vkey}\n" for key in keys).encode(), ENDORSEMENT: endorsement.data}
    for index, (entry, proof) in entries.items():
        files |= {f"{index}.entry": entry, f"{index}.tlog-proof": proof.data}
    if not entries or len(files) >= MAX_FILES or not 1 <= len(keys) <= MAX_KEYS:
        raise UsageError(f"a disclosure has 1 to {(MAX_FILES - 3) // 2} entries and 1 to {MAX_KEYS} keys of the log")
    if sum(map(len, files.values())) > MAX_DISCLOSURE_SIZE:
        raise UsageError(f"a disclosure has at most {MAX_DISCLOSURE_SIZE} bytes: make several")
    return files


def parse_disclosure(files: Mapping[str, bytes]) -> Disclosed:
    """Return what is in the files of a disclosure. Verifies nothing.

    Raises Malformed for a file that is missing, is in another form, or is no part of a disclosure: nobody is to take it
    for something that was verified.
    """
    if len(files) > MAX_FILES:
        raise Malformed(_WHAT, f"more than {MAX_FILES} files", len(files))
    parts: dict[int, dict[str, bytes]] = {}
    for name, data in files.items():
        if name in (VKEYS, ENDORSEMENT, README):
            continue
        match = _NAME.fullmatch(name)
        if match is None:
            raise Malformed(_WHAT, "a file that is no part of it", name)
        parts.setdefault(decode_decimal(match[1], _WHAT), {})[match[2]] = data
    if missing := {VKEYS, ENDORSEMENT} - files.keys():
        raise Malformed(_WHAT, f"there is no {', no '.join(sorted(missing))}")
    if not parts:
        raise Malformed(_WHAT, "there is no entry in it")
    entries: dict[int, tuple[bytes, TlogProof]] = {}
    for index in sorted(parts):
        part = parts[index]
        if part.keys() != {"entry", "tlog-proof"}:
            raise Malformed(_WHAT, f"{index}.entry and {index}.tlog-proof go together")
        with_name = f"{index}.tlog-proof"
        proof = _parsed(with_name, part["tlog-proof"])
        if proof.index != index:
            raise Malformed(_WHAT, f"{with_name} is of entry {proof.index}")
        entries[index] = part["entry"], proof
    endorsement = _parsed(ENDORSEMENT, files[ENDORSEMENT])
    parse_endorsement(endorsement.extra)
    return Disclosed(_parse_keys(files[VKEYS]), endorsement, entries)


def verify_disclosure(disclosed: Disclosed, public: Policy, private: Policy) -> Shown:
    """Return what a disclosure shows.

    public    what the reader knows the public log by; never anything in the disclosure
    private   what the reader knows the private log by, or `Disclosed.claimed`
    Raises what `verify_endorsement` and `verify_tlog_proof` raise.
    """
    endorsed = verify_endorsement(disclosed.endorsement, public, private)
    shown: dict[int, tuple[bytes, Accepted]] = {}
    for index, (entry, proof) in disclosed.entries.items():
        try:
            check_same_tree(endorsed.tree.signed, proof.checkpoint)
            shown[index] = entry, verify_tlog_proof(proof, leaf_hash(entry), private)
        except LogError as error:
            raise placed(error, f"entry {index}") from None
    return Shown(endorsed, shown)


def _parsed(name: str, data: bytes) -> TlogProof:
    try:
        return parse_tlog_proof(data)
    except Malformed as error:
        raise placed(error, name, error.plain) from None


def _parse_keys(data: bytes) -> tuple[VerifierKey, ...]:
    *lines, after = decode_text(data, _WHAT).split("\n")
    if after or not 1 <= len(lines) <= MAX_KEYS:
        raise Malformed(_WHAT, f"{VKEYS} is not 1 to {MAX_KEYS} lines, a verifier key each")
    return tuple(map(parse_vkey, lines))

"""What `tiletree verify` makes of endorsements: of one beside a proof, and of a disclosure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tiles.errors import AccessError, Malformed
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.disclosure import MAX_DISCLOSURE_SIZE, MAX_FILE_SIZE, MAX_FILES, README, Disclosed, parse_disclosure
from tiles.notes.disclosure import verify_disclosure as verify
from tiles.notes.endorsement import check_same_tree, verify_endorsement
from tiles.notes.policy import Policy
from tiles.notes.tlog_proof import MAX_PROOF_SIZE, parse_tlog_proof
from tiles.read.trouble import judged, located
from tiles.tree.merkle import leaf_hash
from tiles.user.pinned import Pinned
from tiles.user.trusted_keys import Trust
from tiletree.endorsing import shown_endorsement
from tiletree.files import read_limited
from tiletree.pins import memory
from tiletree.reading import Pins
from tiletree.trusting import pinned
from tiletree.ui import Output

CLAIMED = "claimed by the disclosure"  # how a key of the private log came to be known


def check_endorsement(
    path: Path, proven: SignedCheckpoint, private: Policy, public: Pins
) -> tuple[dict[str, Any], list[str]]:
    """Verify an endorsement that goes with a proof; return what it shows, as fields and as lines.

    proven   the checkpoint of that proof
    """
    with judged(data := read_limited(path, MAX_PROOF_SIZE), str(path)):
        proof = parse_tlog_proof(data)
        trust = pinned(proof.checkpoint.origin, public)
        endorsed = verify_endorsement(proof, trust.policy, private)
        check_same_tree(endorsed.tree.signed, proven)
    document, lines = shown_endorsement(endorsed, trust.policy, trust.how)
    return {"endorsed": document}, lines


def verify_disclosure(out: Output, directory: Path, pins: Pins, public: Pins) -> None:
    """Verify all of a disclosure, offline."""
    with located(str(directory)):
        disclosed = parse_disclosure(_read(directory))
        trust = pinned(disclosed.endorsement.checkpoint.origin, public)
        own = _known(disclosed, pins)
        shown = verify(disclosed, trust.policy, own.policy)
    signed = shown.endorsed.tree.signed
    document, lines = shown_endorsement(shown.endorsed, trust.policy, trust.how)
    key = shown.endorsed.tree.log.vkey
    out.result(
        {
            "verified": True,
            "origin": signed.origin,
            "size": signed.tree.size,
            "trust": own.how,
            "vkey": key,
            "entries": [
                {"index": index, "leaf_hash": leaf_hash(entry).hex()} for index, (entry, _) in shown.entries.items()
            ],
            "endorsed": document,
        },
        *(
            f"verified: {directory / f'{index}.entry'} is entry {index} of {signed.origin}, size {signed.tree.size}"
            for index in shown.entries
        ),
        f"trust     {own.how}",
        *([f"          the key {key} is not known to be that of {signed.origin}"] if own.how == CLAIMED else []),
        *lines,
    )


def _known(disclosed: Disclosed, pins: Pins) -> Pinned:
    """Return by what the private log is known: as the call says, as remembered, or as the disclosure claims."""
    if (pins.vkey or pins.policy) is not None:
        return pinned(disclosed.origin, pins)
    trust = memory(Trust)
    if trust is not None and trust.lookup_origin(disclosed.origin) is not None:
        return pinned(disclosed.origin, pins)
    return Pinned(disclosed.claimed, CLAIMED)


def _read(directory: Path) -> dict[str, bytes]:
    """Return the files of a disclosure, without the README. Raises AccessError; Malformed for what is none."""
    found: dict[str, bytes] = {}
    size = 0
    try:
        for path in directory.iterdir():
            if path.name == README:
                continue
            if path.is_symlink() or not path.is_file():  # anyone may have packed it
                raise Malformed("disclosure", "what is no file", path.name)
            found[path.name] = read_limited(path, MAX_FILE_SIZE)
            size += len(found[path.name])
            if len(found) > MAX_FILES or size > MAX_DISCLOSURE_SIZE:
                raise Malformed("disclosure", f"more than {MAX_FILES} files, or {MAX_DISCLOSURE_SIZE} bytes")
        return found
    except OSError as error:
        raise AccessError(f"{error.filename or directory} cannot be read: {error.strerror}") from error

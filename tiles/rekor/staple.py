"""Giving bundles that were made without a log their entries.

bundles → an entry of each, checked → appended, what is there already left out → published → proofs → bundles
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from tiles.errors import Refused, UsageError
from tiles.inbox.attachments import Attachments
from tiles.log import Log
from tiles.notes.keys import VerifierKey
from tiles.rekor.log_entry import log_entry, own_proofs
from tiles.sigstore.body import HASHES
from tiles.sigstore.bundle import Bundle, MessageSignature
from tiles.sigstore.dsse import Envelope
from tiles.sigstore.hashedrekord import check_hashedrekord, make_hashedrekord
from tiles.sigstore.public_key import PublicKey, certificate_key
from tiles.tree.merkle import Hash, TreeHead, leaf_hash
from tiles.write.results import Appended


@dataclass(frozen=True, slots=True)
class Stapled:
    """A bundle and its entry, which is published.

    leaf      hash of the entry, which Rekor calls its UUID
    already   whether it was in the log before
    """

    bundle: Bundle
    leaf: Hash
    already: bool

    @property
    def index(self) -> int:
        """Where the entry is in the log."""
        return self.bundle.entries[0].index


@dataclass(frozen=True, slots=True)
class Done:
    """What a call has done: the bundles, in the order in which they were given, and how the log took their entries.

    tree   to which the proofs lead
    """

    stapled: tuple[Stapled, ...]
    appended: Appended = field(repr=False)
    tree: TreeHead


def entry_for(bundle: Bundle, key: PublicKey | None = None) -> bytes:
    """Return the entry of a bundle's signature, which may be logged: it is by that key, and over that digest.

    key   that signed, where the bundle does not hold it: it only has a hint then, which nothing is based on
    Raises UsageError where the key is missing, or does not go with the bundle; Malformed for a key or certificate that
    Rekor does not take; SignatureError for a wrong signature.
    """
    certificate = bundle.certificates[0] if bundle.certificates else b""
    if certificate:
        signer = certificate_key(certificate)
        if key is not None and key != signer:
            raise UsageError("the bundle has a certificate, which is of another key than the one that is named")
    elif key is None:
        raise UsageError("the bundle does not hold the key that signed", hint="name its public half with --key")
    else:
        signer = key
    content = bundle.content
    if isinstance(content, MessageSignature):
        if content.algorithm != signer.algorithm:
            raise UsageError(f"the bundle has a digest of {content.algorithm}, and the key signs {signer.algorithm}")
        digest = content.digest
    else:
        digest = HASHES[signer.algorithm](content.signed).digest()
    entry = make_hashedrekord(digest, content.signature, signer, certificate).data
    check_hashedrekord(entry)
    return entry


def attachments_of(bundle: Bundle) -> Attachments:
    """Return what a bundle has by which an admission policy judges its entry."""
    envelope = bundle.content.data if isinstance(bundle.content, Envelope) else b""
    return Attachments(bundle.timestamps, bundle.certificates[1:], envelope)


def check_unlogged(bundle: Bundle, keys: Iterable[VerifierKey]) -> None:
    """Raise Refused if a bundle has the entry of another log than that of these keys: which it has, or had."""
    ids = {key.log_id for key in keys}
    if any(entry.log_id not in ids for entry in bundle.entries):
        raise Refused(
            "the bundle has the entry of another log; some clients take no bundle with two",
            hint="staple the bundle as it was before it was logged",
        )


def staple(log: Log, bundles: Sequence[Bundle], keys: Sequence[PublicKey | None]) -> Done:
    """Log the signatures of bundles, unless they are in the log already, and return the bundles with their entries.

    keys   of each, as for `entry_for`
    An entry that a bundle has of this log is replaced by one with a newer proof, so the call can be repeated.
    Raises what `entry_for` and `Log.append` raise; Refused for a bundle with an entry of another log. Then nothing was
    logged, but after Unfinished: the same call finishes it.
    """
    keys_of_log = [log.verifier]
    if any(entry.log_id != log.verifier.log_id for bundle in bundles for entry in bundle.entries):
        keys_of_log += [key for said in log.rekeying.said() for key in (said.key, *said.before)]
    for bundle in bundles:
        check_unlogged(bundle, keys_of_log)
    entries = [entry_for(bundle, key) for bundle, key in zip(bundles, keys, strict=True)]
    attached = {position: attachments_of(bundle) for position, bundle in enumerate(bundles)}
    appended = log.append(entries, once=True, attached=attached)
    there = {position for position, _ in appended.already}
    proofs, tree = own_proofs(log, entries, appended)
    return Done(
        tuple(
            Stapled(
                replace(bundle, entries=(log_entry(entry, proof, log.verifier),)), leaf_hash(entry), position in there
            )
            for position, (bundle, entry, proof) in enumerate(zip(bundles, entries, proofs, strict=True))
        ),
        appended,
        tree,
    )

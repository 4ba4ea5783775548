"""The signer: it checks a tree against its anchor, moves the anchor, and signs, always in this order.

It keeps one tree head per log, the *anchor*, in a store of its own, by compare-and-swap. A checkpoint is signed only
if a consistency proof shows that its tree extends the anchor's, and only after the anchor holds that tree:

- dies before the swap: nothing happened;
- dies after it: the next run proves the same tree consistent with itself and signs the same text;
- storage put back to an older copy: the tree no longer extends the anchor, and nothing is signed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain

from tiles.errors import Conflict, ProofError, Refused, UsageError, explained
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint
from tiles.notes.cosignature import sign_by_all
from tiles.notes.index_head import IndexHead, sign_index_head
from tiles.notes.key_change import KeyChange, sign_key_change
from tiles.notes.keys import SIGNS_TEXT, SigningKey, VerifierKey, check_origin
from tiles.notes.note import Note
from tiles.notes.withheld import Withheld, sign_withheld
from tiles.signing.anchor import FROZEN, OPEN, SEALED, Anchor, AnchorMemory
from tiles.signing.log_keys import as_log_keys
from tiles.sigstore.revocation import Revocation, Statement
from tiles.store import Store, Version
from tiles.tree.merkle import Hash, TreeHead
from tiles.tree.proof import verify_consistency


class Signer:
    """Signs checkpoints of one log, by all its keys. The name of each is the log's origin.

    key   of the log, or all its keys (`LogKeys`)
    Raises UsageError for a name that no log of ours can have: nothing was written then.
    """

    def __init__(self, key: SigningKey, store: Store) -> None:
        check_origin(key.verifier.name)
        self.keys = as_log_keys(key)
        self.memory = AnchorMemory(key.verifier.name, store)

    @property
    def verifier(self) -> VerifierKey:
        """The key that verifies the texts that it signs; of checkpoints, each of `keys.current` does."""
        return self.keys.verifier

    def sign(self, tree: TreeHead, since: Anchor, proof: Sequence[Hash]) -> SignedCheckpoint:
        """Return the signed checkpoint of `tree`, which `proof` shows to extend the tree of `since`, the anchor.

        Raises Conflict if the anchor is another by now, Refused if the tree does not extend it, or nothing may be
        signed with it any more.
        """
        return self.sign_and_tell(tree, since, proof, None)[0]

    def sign_and_tell(
        self, tree: TreeHead, since: Anchor, proof: Sequence[Hash], version: Version | None
    ) -> tuple[SignedCheckpoint, Version | None]:
        """Sign as `sign` does, and return the version of the anchor as well.

        version   of `since`, where the caller has read it; None: it is read again
        An anchor that is to move is not read again: the swap compares it with what the caller has read, at the moment
        that counts. One that stays where it is has to be read: nothing else says that it is still there.
        """
        if version is None or since.tree == tree:
            version = self._expect(since)
        if since.state == SEALED or (since.state == FROZEN and tree != since.tree):
            raise _closed(self.memory.store.url, since)
        try:
            verify_consistency(since.tree, tree, proof)
        except (ProofError, UsageError) as error:  # UsageError: a smaller tree
            raise Refused(
                f"the tree of {tree} does not extend the one of {since.tree} that was signed before: {error.message}",
                hint=explained("something-was-put-back", "storage was changed or put back; nothing was signed"),
            ) from error
        if since.tree == tree:
            self.memory.store.barrier()  # the anchor may not last yet: the run that moved it may have died right after
        else:
            version = self.memory.put(replace(since, tree=tree), version)
        return sign_by_all(Checkpoint(self.memory.origin, tree), map(self.keys.signing, self.keys.current)), version

    def sign_index(self, head: IndexHead, since: Anchor, proof: Sequence[Hash]) -> Note:
        """Return the signed head of an index of this log, whose tree `proof` shows the tree of `since` to extend.

        since   the anchor; it does not move
        Raises Conflict if the anchor is another by now, Refused if its tree does not begin with that of the head.
        """
        if head.origin != self.memory.origin:
            raise UsageError(f"the index is of {head.origin}, the key is that of {self.memory.origin}")
        self._expect(since)
        if since.state == SEALED:
            raise _closed(self.memory.store.url, since)
        try:
            verify_consistency(head.tree, since.tree, proof)
        except (ProofError, UsageError) as error:  # UsageError: a smaller tree
            raise Refused(
                f"the tree of {since.tree} that was signed does not extend the one of {head.tree} that the index is "
                f"of: {error.message}",
                hint="the index is of another log, or storage was put back; nothing was signed",
            ) from error
        return self._by_all(lambda key: sign_index_head(head, key))

    def sign_revocation(self, said: Statement) -> Revocation:
        """Return a revocation by this log, signed. No such text is a checkpoint, or the head of an index.

        Raises UsageError for one by somebody else, and for a key that signs checkpoints only; Refused without an
        anchor, or if nothing may be signed with it any more.
        """
        if said.log != self.verifier.vkey:
            raise UsageError(f"the revocation is by {said.log or 'another key'}, and this is {self.verifier}")
        if self.verifier.type not in SIGNS_TEXT:
            raise UsageError(f"{self.verifier} signs checkpoints only, no revocation")
        self._usable()
        return Revocation(said, self.keys.sign(said.text))

    def sign_withheld(self, said: Withheld) -> Note:
        """Return the record of withheld entries, signed. No such text is a checkpoint, or the head of an index.

        Raises UsageError for another log's; Refused without an anchor, or if nothing may be signed with it any more.
        """
        if said.origin != self.memory.origin:
            raise UsageError(f"the record is of {said.origin}, the key is that of {self.memory.origin}")
        self._usable()
        return self._by_all(lambda key: sign_withheld(said, key))

    def sign_key_change(self, said: KeyChange) -> Note:
        """Return the statement, signed by the log's Ed25519 keys, and by the key that is added if it is one.

        No such text is a checkpoint, or the head of an index. Raises UsageError for another log's, or for a key that
        is not held; Refused without an anchor, or if nothing may be signed with it any more.
        """
        signers = [key for key in dict.fromkeys((*self.keys.current, said.key)) if key.type in SIGNS_TEXT]
        if said.origin != self.memory.origin or said.key not in self.keys.held:
            raise UsageError(f"{said.key} is no key of {self.memory.origin} that is held here")
        self._usable()
        return sign_key_change(said, map(self.keys.signing, signers))

    def _by_all(self, sign: Callable[[SigningKey], Note]) -> Note:
        """Return what all keys of the log that sign texts sign, with the signatures of all."""
        notes = [sign(self.keys.signing(key)) for key in self.keys.current if key.type in SIGNS_TEXT]
        if not notes:
            raise UsageError(f"{self.verifier} signs checkpoints only")
        return Note(notes[0].text, tuple(chain.from_iterable(note.signatures for note in notes)))

    def freeze(self, since: Anchor) -> None:
        """Let no other tree be signed with the anchor, which is `since`. Raises Conflict if it is another by now."""
        version = self._expect(since)
        if since.state == OPEN:
            self.memory.put(replace(since, state=FROZEN), version)

    def _usable(self) -> None:
        """Raise Refused without an anchor, or if nothing may be signed with it any more."""
        anchor, _version = self.memory.recall()
        if anchor is None:
            raise Refused(f"there is no anchor at {self.memory.store.url}, and nothing is signed without")
        if anchor.state == SEALED:
            raise _closed(self.memory.store.url, anchor)

    def _expect(self, since: Anchor) -> Version | None:
        remembered, version = self.memory.recall()
        if remembered != since:
            raise Conflict(f"{self.memory.store.url}: the anchor has moved on from {since.tree}")
        return version


def _closed(url: str, anchor: Anchor) -> Refused:
    hint = explained("the-anchor-is-gone", "the log is frozen, or has a new anchor")
    return Refused(f"the anchor at {url} is {anchor.state}", hint=hint)

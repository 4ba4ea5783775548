"""Changing the keys of a log: a commit that adds no entries, on a published tree (docs/data-flow.md, "Keys").

The statement that says so is signed first, and staged as a batch. The head that names the new keys names that batch,
too: whether the keys have changed is decided by the swap of the head, as for every commit.

- dies before the swap: an orphan in `staging/` and a policy that no head names; the keys are what they were;
- dies after it: the next run, whoever's, finds the head, which names keys that it has to hold. It signs the published
  tree by all of them, publishes the policy and the statement, and deletes the staged batch, last of all.

So a statement is public only for a change that is committed, and no checkpoint of a larger tree is without it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from tiles.errors import LogError, NotFound, Refused, UsageError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.key_change import ADD, MAX_KEY_CHANGES, MAX_KEYS, RETIRE, KeyChange, read_key_change
from tiles.notes.keys import SignatureType, VerifierKey, parse_vkey
from tiles.notes.policy_logs import with_log, without_log
from tiles.read.key_changes import key_changes
from tiles.records.paths import KEYS, key_change_number
from tiles.records.staged_batch import Batch, parse_batch
from tiles.signing.log_keys import KINDS, ordered
from tiles.signing.signer import Signer
from tiles.store import StoreFetcher
from tiles.write.ahead import check_open
from tiles.write.amend import Amendments
from tiles.write.parts import Parts
from tiles.write.recover import Steps, refusing
from tiles.write.state import State


@dataclass(frozen=True, slots=True)
class Rekeying:
    """Changes the keys of one log. signer: holds the keys before and after the change"""

    parts: Parts
    signer: Signer
    steps: Steps
    amendments: Amendments

    def change(self, action: str, key: VerifierKey) -> SignedCheckpoint:
        """Add a key to the log, or retire one, and return the published checkpoint, which all keys have signed.

        action   ADD or RETIRE
        Raises UsageError for a key that cannot be added, or that is not the log's; Refused for the last Ed25519 key,
        for one that was retired, and for a frozen log.
        """
        wanted = action == ADD
        if wanted and (key not in self.signer.keys.held or key.type not in KINDS):
            raise UsageError(f"{key} is not in the key file", hint="the run that adds a key has to hold it")
        with refusing():
            return self._until(action, key)

    def _until(self, action: str, key: VerifierKey) -> SignedCheckpoint:
        wanted = action == ADD
        found = self.amendments.until(
            lambda head: (key.vkey in head.vkeys) == wanted,
            lambda state: self._change(state, action, key),
            "the keys are as they were",
        )
        if action == RETIRE and key not in [said.key for said in self.said() if said.action == RETIRE]:
            raise UsageError(f"{key} is no key of the log, and was none")
        return found

    def unfinished(self) -> KeyChange | None:
        """Return the change that an earlier run has committed and not finished, if there is one."""
        path = self.steps.loader.read_head()[0].staged_path
        if path is None:
            return None
        with suppress(NotFound):
            batch = parse_batch(self.parts.private.read(path).data)
            return read_key_change(batch.keys)[0] if batch.keys else None
        return None

    def said(self) -> list[KeyChange]:
        """Return the statements that the log has published. Raises Refused for what is none of them."""
        try:
            return list(key_changes(StoreFetcher(self.parts.public), self.signer.keys.held))
        except LogError as error:
            raise Refused(error.message, hint="find out who wrote it, and delete it") from error

    def _change(self, state: State, action: str, key: VerifierKey) -> None:
        check_open(state)
        before = [parse_vkey(vkey) for vkey in state.head.vkeys]
        number, said = self._next(), self.said()
        if action == ADD:
            if key in [each.key for each in said if each.action == RETIRE]:
                raise Refused(f"{key} was retired, and is not taken up again", hint="make a new key")
            if len(before) >= MAX_KEYS or number >= MAX_KEY_CHANGES - 1:
                raise Refused(f"a log has at most {MAX_KEYS} keys at one time", hint="retire one first")
            after, policy = ordered([*before, key]), with_log(state.policy, key)
        else:
            after, policy = [each for each in before if each != key], without_log(state.policy, key)
            if not any(each.type == SignatureType.ED25519 for each in after):
                raise Refused(
                    f"{key} is the log's only Ed25519 key", hint="add another one first: `tiletree key add LOG`"
                )
        statement = self.signer.sign_key_change(KeyChange(number, action, key, state.head.tree, tuple(before)))
        batch = Batch(state.head.tree.size, 0, b"", keys=statement.data)
        self.steps.committer.rekey(state, [each.vkey for each in after], policy, batch)

    def _next(self) -> int:
        """Return the number of the next statement: behind all that is there, whoever wrote it."""
        numbers = (key_change_number(listed.path) for listed in self.parts.public.list(KEYS))
        return max((number for number in numbers if number is not None), default=-1) + 1

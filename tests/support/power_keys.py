"""The keys of a log on a machine whose power may be cut: what was answered of their changes, and what must hold."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.check_log import read_note, read_or_none
from tests.support.world import ORIGIN, RecordingKey, World
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.key_change import ADD, RETIRE, open_key_change
from tiles.notes.keys import SigningKey, parse_vkey, signing_key
from tiles.notes.note import claimed
from tiles.notes.policy import parse_policy
from tiles.records.head import parse_head
from tiles.records.paths import HEAD, POLICY, key_change_path
from tiles.signing.log_keys import LogKeys
from tiles.tree.layout import CHECKPOINT

_SEED = b"\x02" * 32
NEW = signing_key(ORIGIN, _SEED).verifier  # a key that a log may get


@dataclass
class KnownKeys:
    """What is known.

    holds_new    the key file has the new key; it got it before the log was to have it, and that lasts
    is_added     it was answered that the log has the new key
    is_retired   and that it has the old one no more
    """

    holds_new: bool = False
    is_added: bool = False
    is_retired: bool = False

    def held(self, world: World) -> SigningKey:
        """Return what a run signs by."""
        return LogKeys([world.key, RecordingKey(NEW, _SEED, world.key.texts)]) if self.holds_new else world.key

    def change(self, world: World, action: str) -> None:
        """Add the new key to the log, or retire the old one, and take down that it was answered."""
        self.holds_new = True
        world.sequencer(key=self.held(world)).rekeying.change(action, NEW if action == ADD else world.verifier)
        if action == ADD:
            self.is_added = True
        else:
            self.is_retired = True

    def take_back(self, world: World) -> None:
        """Let a cut have taken the second signature off a tree, if the head that asked for it did not last either.

        It says nothing more of the tree than the first, so nobody who has seen it is wronged.
        """
        data, seen = read_or_none(world.stores["public"], CHECKPOINT), world.history.checkpoints
        if self.holds_new and data is not None and data in seen:
            size = read_note(data, world.verifiers).size
            while seen[-1] != data and read_note(seen[-1], world.verifiers).size == size:
                seen.pop()

    def check(self, world: World, *, complete: bool = False) -> None:
        """What was answered is so; a statement is public of nothing that is not committed.

        complete   a run has come to its end: the checkpoint, its policy and the statements are those of the head
        """
        public, data = world.stores["public"], read_or_none(world.stores["private"], HEAD)
        if not self.holds_new or data is None:
            return
        head = set(map(parse_vkey, parse_head(data).vkeys))
        assert NEW in head or not self.is_added, "the log was said to have the new key"
        assert world.verifier not in head or not self.is_retired, "the old key was said to be retired"
        said = {ADD: False, RETIRE: False}
        for number in (0, 1):
            statement = read_or_none(public, key_change_path(number))
            if statement is not None:
                said[open_key_change(statement, [world.verifier, NEW]).action] = True
        assert NEW in head or not said[ADD], "it is said that a key was added, and it was not"
        assert world.verifier not in head or not said[RETIRE], "it is said that a key was retired, and it was not"
        assert said[ADD] or not self.is_added, "a statement that was answered for is gone"
        assert said[RETIRE] or not self.is_retired, "a statement that was answered for is gone"
        if complete:
            signed = parse_signed_checkpoint(public.read(CHECKPOINT).data)
            assert {key for _, key in claimed(signed.note, head)} == head, "not all keys have signed the checkpoint"
            assert said == {ADD: NEW in head, RETIRE: world.verifier not in head}, "a change of keys is not said"
            assert {log.key for log in parse_policy(public.read(POLICY).data).logs} == head, "the policy is another one"

"""What is known outside of a machine whose power may be cut, and which no cut takes away: what was submitted to the
log on it, what else was answered, what was made wrong for a repair to put right; and what must hold of that at any
moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from tests.support.check_log import read_or_none
from tests.support.endorsing import PUBLIC, PUBLIC_POLICY, proof_of
from tests.support.power_keys import KnownKeys
from tests.support.reference import flipped
from tests.support.world import ROLES, World, some_entries
from tiles.entries.file_digest import digest_entry
from tiles.inbox.admission import Admission
from tiles.inbox.attachments import Attachments
from tiles.inbox.naming import name_digest
from tiles.inbox.submission import Name, format_submission
from tiles.inbox.submit import submit
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.endorsement import make_endorsement
from tiles.notes.key_change import ADD, RETIRE
from tiles.notes.keys import signing_key
from tiles.notes.policy import policy_for
from tiles.records.head import parse_head
from tiles.records.paths import (
    DECIDED,
    HEAD,
    INBOX,
    REJECTED,
    SET_ASIDE,
    endorsed_path,
    newest_endorsed_path,
    payload_path,
    withheld_path,
)
from tiles.records.staged_batch import digest, parse_batch
from tiles.retry import Clock
from tiles.signing.signer import Signer
from tiles.store import Store, StoreFetcher
from tiles.tree.layout import CHECKPOINT
from tiles.upkeep.endorse import KeptEndorsements
from tiles.upkeep.repair import repair
from tiles.upkeep.withhold import withhold
from tiles.write.parts import Parts

ADMISSION = Admission(max_entries=3, max_payload_bytes=9)
ADMITTED, REFUSED = 3, 4  # entries of a submission
FILE = 1  # that of a file, which goes with it
ANOTHER = Admission(max_entries=2)

TITLE = b"submitted"  # the entries of submissions begin with it, no others do


@dataclass
class Outside:
    """What is known.

    offered        name of a submission → its entries, whether `submit` has returned for it or not
    files          entry of a submission → the file that is to be published before it is logged
    acknowledged   the names of those for which it has
    wrong          path → what was put there behind everyone's back, None for nothing
    is_repaired    a repair has reported that all of it is right now
    withheld       records of withheld entries, and endorsements, that were answered for
    is_moved       a move has reported that the log is in the new place
    is_admitting   it was answered that the log admits by another policy
    keys           which changes of the log's keys were answered for
    admission      the admission policy that runs expect; None for any, once the log was asked to have another one
    """

    offered: dict[str, Sequence[bytes]] = field(default_factory=dict)
    files: dict[bytes, bytes] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    wrong: dict[str, bytes | None] = field(default_factory=dict)
    is_repaired: bool = False
    withheld: dict[str, bytes] = field(default_factory=dict)
    is_moved: bool = False
    is_admitting: bool = False
    admission: Admission | None = ADMISSION
    keys: KnownKeys = field(default_factory=KnownKeys)

    def copy(self) -> Outside:
        """Return an equal one that goes on by itself."""
        return replace(
            self,
            offered=dict(self.offered),
            files=dict(self.files),
            acknowledged=set(self.acknowledged),
            wrong=dict(self.wrong),
            withheld=dict(self.withheld),
            keys=replace(self.keys),
        )

    @property
    def is_damaged(self) -> bool:
        """Whether there is a repair to be made."""
        return bool(self.wrong) and not self.is_repaired

    # ---- submissions

    def submit(self, private: Store, count: int) -> None:
        """Submit so many entries, or a file, and take down that it was done."""
        if count == FILE:
            self._submit_file(private)
        else:
            self._submit(private, some_entries(f"{TITLE.decode()} {len(self.offered)}:", count), {})

    def _submit_file(self, private: Store) -> None:
        file = b"file %d" % len(self.offered)
        entry = digest_entry(digest(file), len(file))
        self.files[entry] = file
        self._submit(private, [entry], {0: Attachments(payload=file)})

    def _submit(self, private: Store, entries: Sequence[bytes], attached: Mapping[int, Attachments]) -> None:
        nonce = len(self.offered).to_bytes(16, "big")
        name = Name("ann", nonce.hex(), digest(format_submission(entries, attached=attached)))
        self.offered[name.text] = entries
        assert submit(private, "ann", entries, nonce, log="here", attached=attached).name == name
        self.acknowledged.add(name.text)

    def take_back(self, world: World) -> None:
        """Take files for seen if they are there: before its entry is committed, none lasts for certain.

        A cut may have taken one that was seen, and left one that only a run has seen which died at that.
        """
        committed = world.committed() or ()
        for entry, file in self.files.items():
            path = payload_path(digest(file))
            if entry not in committed:
                world.history.contents.pop(path, None)
                if read_or_none(world.stores["public"], path) == file:
                    world.history.contents[path] = file

    def check_submissions(self, world: World, *, complete: bool = False) -> None:
        """Each submission is in the inbox, or logged once, or refused, as it should be; and is decided only once.

        complete   a run has decided all
        """
        if not self.offered:
            return
        times = Counter(entry for entry in world.committed() or () if entry.startswith(TITLE) or entry in self.files)
        waiting, refused, recorded = (_below(world, prefix) for prefix in (INBOX, REJECTED, DECIDED))
        waiting -= {name for name in waiting if name_digest(name) in recorded}
        for name, entries in self.offered.items():
            is_admitted = len(entries) == ADMITTED or entries[0] in self.files
            logged = {times[entry] for entry in entries}
            assert logged in ([{0}, {1}] if is_admitted else [{0}]), f"{name} is logged {logged} times"
            assert not (is_admitted and name in refused), f"{name} is refused"
            is_decided = logged == {1} or name in refused
            assert name_digest(name) not in recorded or is_decided, f"{name} is recorded as decided, and is not"
            assert is_decided or name in waiting or name not in self.acknowledged, f"{name} is lost"
            if is_decided and name in waiting:
                assert name in _deciding(world), f"{name} is decided, and waits to be decided again"
        assert not (complete and waiting), f"{waiting} wait although a run has come to its end"
        for entry, file in self.files.items():
            found = read_or_none(world.stores["public"], payload_path(digest(file)))
            assert found == file or not (times[entry] or found), f"{file!r} is committed, and there is {found!r}"

    # ---- another policy, and withholding

    def admit(self, world: World) -> None:
        """Let the log admit by another policy."""
        before, self.admission = self.admission or ADMISSION, None
        world.sequencer().admit(ANOTHER, before.sha256)
        self.is_admitting = True

    def add_key(self, world: World) -> None:
        """Let the log have another key beside its own."""
        self.keys.change(world, ADD)

    def retire_key(self, world: World) -> None:
        """Let the log have its first key no more."""
        self.keys.change(world, RETIRE)

    def withhold(self, world: World) -> None:
        """Withhold the first entry, and take down what is said of it once that is answered."""
        public, private, anchor = (world.stores[role] for role in ROLES)
        clock = Clock(lambda: world.now, world.pass_time, Random(world.writers))
        key = signing_key(world.key.name, world.key.seed)  # what the world's one has signed are texts of checkpoints
        withhold(Parts(public, private), Signer(key, anchor), [0], "on purpose", clock)
        self.withheld[withheld_path(0)] = public.read(withheld_path(0)).data

    def endorse(self, world: World) -> None:
        """Keep an endorsement of the log by another one, and take down what is there once that is answered."""
        public = world.stores["public"]
        clock = Clock(lambda: world.now, world.pass_time, Random(world.writers))
        policy = policy_for(world.key.verifier)
        signed = parse_signed_checkpoint(public.read(CHECKPOINT).data)
        kept = KeptEndorsements(public, PUBLIC_POLICY, policy, PUBLIC.name, clock)
        kept.keep(proof_of(make_endorsement(signed, policy)))
        for path in (endorsed_path(PUBLIC.name, signed.tree.size), newest_endorsed_path(PUBLIC.name)):
            self.withheld[path] = public.read(path).data

    def check_changes(self, world: World) -> None:
        """What was answered as withheld is, and the log admits by the other policy once that was answered."""
        if self.is_admitting:
            assert parse_head(world.stores["private"].read(HEAD).data).admission == ANOTHER.sha256
        self.keys.check(world)
        for path, data in self.withheld.items():
            assert read_or_none(world.stores["public"], path) == data, f"{path} was answered for, and is gone"

    # ---- repairing

    def damage(self, world: World) -> None:
        """Change a tile, remove one, and add one that is of no tree. The log has 256 entries or more, and 300 or less.

        The two can be computed from what is below them.
        """
        public = world.stores["public"]
        changed, removed, foreign = "tile/0/000", "tile/1/000.p/1", "tile/0/009"
        self.wrong = {changed: flipped(public.read(changed).data, 9), removed: None, foreign: b"foreign"}
        public.delete([changed, removed])
        public.create({path: data for path, data in self.wrong.items() if data is not None})

    def repair(self, world: World) -> None:
        """Let the log be repaired, and take down that it was done."""
        public, private = world.stores["public"], world.stores["private"]
        signed = parse_signed_checkpoint(public.read("checkpoint").data)
        world.now += 1  # each sets aside under a time of its own
        policy = policy_for(world.verifier)
        done = repair(StoreFetcher(public), public, private, signed, policy, now=world.now, fenced=True)
        assert not done.findings, f"not repaired: {done.findings}"
        self.is_repaired = True

    def check_repair(self, world: World) -> None:
        """What was wrong is as it was, or as it should be, and what was set aside is kept."""
        for path, data in self.wrong.items():
            found, right = read_or_none(world.stores["public"], path), world.history.contents.get(path)
            assert found == right or (found in (None, data) and not self.is_repaired), f"{path} holds {found!r}"
            if data is not None and found != data:
                kept = {name.partition("/")[2]: name for name in sorted(_below(world, SET_ASIDE))}
                assert path in kept, f"{path} is changed, and was not set aside"
                assert world.stores["private"].read(SET_ASIDE + kept[path]).data == data, f"{kept[path]} is damaged"


def _below(world: World, prefix: str) -> set[str]:
    return {listed.path.removeprefix(prefix) for listed in world.stores["private"].list(prefix)}


def _deciding(world: World) -> set[str]:
    """Return the submissions that the staged batch of the head decides."""
    private = world.stores["private"]
    head = parse_head(private.read(HEAD).data)
    data = read_or_none(private, head.staged_path) if head.staged_path else None
    if data is None:
        return set()
    batch = parse_batch(data)
    return {*batch.took, *(name for name, _ in batch.refused)}

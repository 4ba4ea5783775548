"""Withholding entries: what the log says of them, and what audit and readers make of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from tests.support.faults import Died, Fault, Faults, GatedStore
from tests.support.world import ORIGIN, World, Wrap, not_wrapped, recording_key, some_entries
from tiles.entries.payload import payload_of
from tiles.errors import LogError, NotFound, Refused, UsageError
from tiles.notes.key_change import ADD, RETIRE
from tiles.notes.keys import SignatureType, VerifierKey, signing_key
from tiles.notes.policy import policy_for, policy_of
from tiles.notes.withheld import Entry, Withheld, open_withheld, sign_withheld
from tiles.read.client import LogClient
from tiles.read.withheld import WithheldEntries
from tiles.records.paths import ANCHOR, withheld_bundle, withheld_path
from tiles.signing.log_keys import LogKeys
from tiles.signing.signer import Signer
from tiles.store import StoreFetcher
from tiles.tree.blame import Finding
from tiles.tree.merkle import Hash, leaf_hash
from tiles.upkeep.audit import Report, audit
from tiles.upkeep.withhold import Withholding, withhold
from tiles.write.parts import Parts

WHY = "personal data"
NEW = signing_key(ORIGIN, b"\x02" * 32)


def say(world: World, *indexes: int, reason: str = WHY, wrap: Wrap = not_wrapped) -> Withholding:
    """Withhold entries of the log of a world."""
    parts = Parts(wrap(world.stores["public"], "public"), wrap(world.stores["private"], "private"))
    return withhold(parts, Signer(world.key, wrap(world.stores["anchor"], "anchor")), indexes, reason)


def client(world: World) -> LogClient:
    """Return a reader of the log."""
    return LogClient(StoreFetcher(world.stores["public"]), policy_for(world.verifier))


def audited(world: World, *, lists: bool = False) -> Report:
    """Audit the log. lists: as one who can list it"""
    reader = client(world)
    store = world.stores["public"] if lists else None
    return audit(reader.fetcher, reader.tree, store=store, withheld=WithheldEntries.of(reader))


def denied(world: World, path: str = "tile/entries/000") -> World:
    """Return the log as readers have it who are denied a bundle, and all that is cut from it."""
    public = world.stores["public"]
    public.delete([each.path for each in public.list("") if each.path == path or each.path.startswith(f"{path}.p/")])
    return world


@pytest.fixture(scope="module")
def log() -> World:
    """Return a log of 259 entries, not to be changed."""
    return World().grown(3, 256)


def test_denied(log: World) -> None:
    """It is reported as withheld, and as no finding; proofs are as good as ever; who reads it is told why."""
    world = log.copy()
    done = say(world, 1, 5)
    assert done.deny == ("tile/entries/000", "tile/entries/000.p/*")
    whole = audited(world, lists=True)
    assert whole.findings == ()
    assert whole.withheld == done.entries == tuple(Entry(at, _leaf(log, at), WHY) for at in (1, 5))
    assert audited(denied(world)).findings == ()
    assert audited(world, lists=True) == audited(world) == whole
    assert client(world).prove(1).index == 1
    assert client(world).entry(256) == log.committed()[256]  # type: ignore[index]
    with pytest.raises(NotFound) as caught:
        client(world).entry(1)
    told = WithheldEntries.of(client(world)).explained(caught.value)
    assert "those of 0 to 255 cannot be read: entry 1: personal data; entry 5: personal data" in told.message


def _leaf(world: World, index: int) -> Hash:
    return leaf_hash((world.committed() or ())[index])


def test_the_log_goes_on(log: World) -> None:
    """Its own store keeps every byte: it grows, also from a bundle with withheld entries, and what was said stays."""
    world = log.copy()
    say(world, 257)
    world.append(some_entries("more", 300))
    say(world, 257, reason="another reason")
    say(world, 300, 3)
    report = audited(world, lists=True)
    assert report.findings == ()
    reasons = {entry.index: entry.reason for entry in report.withheld}
    assert reasons == {3: WHY, 257: "another reason", 300: WHY}


FORGED = {
    "another key": lambda said: sign_withheld(said, recording_key(seed=b"\x02" * 32)),
    "another log": lambda said: sign_withheld(replace(said, origin="other.example.com"), recording_key()),
    "another leaf": lambda said: sign_withheld(
        replace(said, entries=(replace(said.entries[0], leaf=Hash(bytes(32))),)), recording_key()
    ),
    "another bundle": lambda said: sign_withheld(
        Withheld(said.origin, 1, (Entry(256, leaf_hash(b"entry of 3 253"), WHY),)), recording_key()
    ),
}


@pytest.mark.parametrize("what", [*FORGED, "nothing"])
def test_only_where_the_log_said_so(log: World, what: str) -> None:
    """Without a record that counts, what is missing is damage, and a record that does not count is a finding."""
    world = denied(log.copy())
    missing = Finding("tile/entries/000", "is not there")
    if what == "nothing":
        assert audited(world).findings == (missing,)
        return
    said = Withheld(world.key.name, 0, (Entry(1, _leaf(log, 1), WHY),))
    world.put("public", withheld_path(0), FORGED[what](said).data)
    report = audited(world)
    assert report.findings[0] == missing
    assert [finding.path for finding in report.findings[1:]] == [withheld_path(0)]
    assert report.withheld == ()
    with suppress(LogError):
        assert not WithheldEntries.of(client(world)).of_bundle(0)
    assert leaf_hash(b"entry of 3 253") == _leaf(log, 256)
    error = NotFound("x/tile/entries/000: not found")
    assert WithheldEntries.of(client(world)).explained(error) is error


def rotated(*, withheld: int, late: int | None = None) -> World:
    """Return a log that was signed by another key when an entry was withheld. late: and one that it added since"""
    world = World(others=(NEW.verifier,)).grown(3)
    say(world, withheld)
    both = LogKeys([world.key, NEW])
    world.sequencer(key=both).rekeying.change(ADD, NEW.verifier)
    world.sequencer(key=both).rekeying.change(RETIRE, world.verifier)
    world.sequencer(key=both).append(some_entries("after", 3))
    if late is not None:  # by a thief of the key that was retired
        leaf = leaf_hash(some_entries("after", 3)[late - 3])
        forged = sign_withheld(Withheld(world.key.name, 0, (Entry(late, leaf, WHY),)), world.key)
        world.put("public", withheld_path(0), forged.data)
    return denied(world, "tile/entries/000.p/6")


def by(world: World, *keys: VerifierKey) -> Report:
    """Return what one who pins these keys finds in a log."""
    reader = LogClient(StoreFetcher(world.stores["public"]), policy_of(keys))
    return audit(reader.fetcher, reader.tree, withheld=WithheldEntries.of(reader))


def test_by_a_key_that_was_retired_since() -> None:
    """What it said of the entries that there were then counts, to whoever knows the new key; nothing of later ones."""
    world = rotated(withheld=1)
    report = by(world, NEW.verifier)
    assert report.findings == ()
    assert [entry.index for entry in report.withheld] == [1]
    report = by(rotated(withheld=1, late=4), NEW.verifier)
    assert [finding.path for finding in report.findings] == ["tile/entries/000.p/6", withheld_path(0)]
    assert "entry 4 is said to be withheld by" in report.findings[1].problem
    assert "which was retired at size 3" in report.findings[1].problem


def test_by_a_retired_key_without_its_history() -> None:
    """Where the log's statements are gone, nothing says whose the key was, and the record is as good as none."""
    world = rotated(withheld=1)
    world.put("public", "keys/0", None)
    report = by(world, NEW.verifier)
    assert withheld_path(0) in [finding.path for finding in report.findings]
    assert "no signature by" in report.findings[-1].problem


def test_to_one_who_knows_the_pair_or_only_the_other_half() -> None:
    """An ML-DSA-44 key signs no texts: beside the Ed25519 key it does not matter, and alone it says why."""
    pair = signing_key(ORIGIN, b"\x03" * 32, SignatureType.MLDSA44)
    world = World(others=(pair.verifier,)).grown(3)
    world.sequencer(key=LogKeys([world.key, pair])).rekeying.change(ADD, pair.verifier)
    world.sequencer(key=LogKeys([world.key, pair])).append(some_entries("after", 1))
    with suppress(Refused):
        say(world, 1)  # a run that has one key only
    signer = Signer(LogKeys([world.key, pair]), world.stores["anchor"])
    withhold(Parts(world.stores["public"], world.stores["private"]), signer, [1], WHY)
    denied(world, "tile/entries/000.p/4")
    assert by(world, world.verifier, pair.verifier).findings == ()
    assert "only ML-DSA-44 is pinned" in by(world, pair.verifier).findings[-1].problem


def test_said_again_after_the_key_was_retired() -> None:
    """The record gets the signature of the log's key by now, also from a machine that holds no other."""
    world = rotated(withheld=1)
    parts = Parts(world.stores["public"], world.stores["private"])
    withhold(parts, Signer(LogKeys([NEW]), world.stores["anchor"]), [1], WHY)
    data = world.stores["public"].read(withheld_path(0)).data
    assert open_withheld(data, [NEW.verifier]).entries[0].index == 1
    before = world.contents()
    withhold(parts, Signer(LogKeys([NEW]), world.stores["anchor"]), [1], WHY)
    assert world.contents() == before


def test_other_damage_stays_a_finding(log: World) -> None:
    """What is withheld excuses the bundle that is not there, and nothing else: not another one, and no wrong bytes."""
    world = denied(log.copy(), "tile/entries/001")
    say(world, 1)
    assert [finding.path for finding in audited(world).findings] == ["tile/entries/001.p/3"]
    world = log.copy()
    say(world, 1)
    world.put("public", "tile/entries/000", b"\x00\x00" * 256)
    assert [finding.path for finding in audited(world).findings] == ["tile/entries/000"]


@pytest.mark.parametrize("what", ["index", "reason", "key", "anchor", "record"])
def test_refused(log: World, what: str) -> None:
    """Nothing is written."""
    world = log.copy()
    if what == "key":
        world.key = recording_key(seed=b"\x02" * 32)
    elif what == "anchor":
        world.put("anchor", ANCHOR, None)
    elif what == "record":
        world.put("public", withheld_path(0), b"by somebody else")
    before = world.contents()
    with pytest.raises(UsageError if what in ("index", "reason") else (Refused, LogError)):
        say(world, 259 if what == "index" else 0, reason="a\nb" if what == "reason" else WHY)
    assert world.contents() == before


@pytest.mark.slow
def test_dies_anywhere(log: World) -> None:
    """The same call finishes it; two calls that meet say all of it."""
    counting = Faults()
    say(log.copy(), 1, 256, wrap=counting.wrap)
    assert len(counting.done) > 5
    for at in range(len(counting.done)):
        world = log.copy()
        with pytest.raises(Died):
            say(world, 1, 256, wrap=Faults(at, Fault.DIES).wrap)
        say(world, 256, 1)
        assert len(audited(world, lists=True).withheld) == 2
    for at in range(len(counting.done)):
        world = log.copy()
        steps: list[str] = []

        def gate(what: str, world: World = world, steps: list[str] = steps, at: int = at) -> None:
            steps.append(what)
            if len(steps) == at + 1:
                say(world, 2)

        say(world, 1, wrap=lambda store, role, gate=gate: GatedStore(store, role, gate))  # type: ignore[misc]
        record = open_withheld(world.stores["public"].read(withheld_path(0)).data, [world.verifier])
        assert {1} <= {entry.index for entry in record.entries} <= {1, 2}
        if len(steps) > at:
            assert len(record.entries) == 2


def test_paths() -> None:
    """Records are found by the number of the bundle; entries that are no digests have no payload."""
    assert withheld_bundle(withheld_path(1234)) == 1234
    assert withheld_path(1234) == "withheld/x001/234"
    for path in ("withheld/1", "withheld/000.p/3", "tile/0/000"):
        assert withheld_bundle(path) is None
    assert payload_of(b"raw") is None

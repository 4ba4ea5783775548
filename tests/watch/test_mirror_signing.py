"""The mirror's cosignature (c2sp.org/tlog-mirror): only of what is stored, and extends what it published before."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.support.faults import Died, Fault, Faults
from tests.support.mirrors import contents, holding, mirror, tree_of, withholding
from tests.support.readers import OTHER_KEY, POLICY, Objects, make_log
from tests.support.signed_text import LOG, W1, W2, key
from tiles.errors import AccessError, ForkError, Refused, SignatureError, UsageError
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.keys import SigningKey
from tiles.notes.policy import parse_policy
from tiles.read.client import LogClient
from tiles.store import Store
from tiles.store.memory import MemoryStore
from tiles.tree.layout import CHECKPOINT
from tiles.watch.mirror import Mirror, Mirrored, mirror_folder
from tiles.watch.mirror_signing import MirrorSigner

NOW = 2_000_000_000


def run(
    log: Mapping[str, bytes], store: Store, *, by: SigningKey = W1, now: float = NOW, begin: bool = False
) -> Mirrored:
    """Mirror a log, and cosign."""
    client = LogClient(Objects(log), POLICY)
    client.visit()
    return Mirror(client, store, signer=MirrorSigner(by, lambda: now), begin=begin).run()


def quorum(store: Store, by: SigningKey = W1) -> tuple[int, int]:
    """Return the size that a mirror publishes, and the time, by a policy that asks for its cosignature."""
    policy = parse_policy(f"log {LOG.verifier.vkey}\nwitness m {by.verifier.vkey}\nquorum m\n".encode())
    accepted = policy.accept(parse_signed_checkpoint(store.read(CHECKPOINT).data))
    return accepted.signed.tree.size, accepted.cosignatures[0].timestamp


@pytest.mark.parametrize("by", [W1, W2], ids=["Ed25519", "ML-DSA-44"])
def test_cosigned(by: SigningKey) -> None:
    """What a mirror publishes has the log's lines and its own, over the log's text; the tree is all there."""
    store, log = MemoryStore(), make_log(600)
    done = run(log, store, by=by, begin=True)
    assert (done.tree.size, done.cosigned) == (600, NOW)
    assert quorum(store, by) == (600, NOW)
    published = contents(store)
    assert published.pop(CHECKPOINT).startswith(log[CHECKPOINT])
    assert published == {path: data for path, data in tree_of(log).items() if path != CHECKPOINT}
    run(make_log(600, 900), store, by=by, now=NOW + 9)
    assert quorum(store, by) == (900, NOW + 9)


def test_cosigned_again() -> None:
    """Each run says anew that this is the largest tree; times never go back, and there is one line of the mirror."""
    store, log = MemoryStore(), make_log(300)
    run(log, store, begin=True)
    run(log, store, now=NOW + 60)
    assert quorum(store) == (300, NOW + 60)
    run(log, store, now=NOW - 999)
    assert quorum(store) == (300, NOW + 60)
    assert len(parse_signed_checkpoint(store.read(CHECKPOINT).data).note.signatures) == 2


def test_a_log_that_is_behind() -> None:
    """Nothing is signed of a tree that is smaller than the published one."""
    store = MemoryStore()
    run(make_log(300, 600), store, begin=True)
    before = contents(store)
    assert run(make_log(300), store).cosigned == NOW
    assert contents(store) == before


def test_what_does_not_extend() -> None:
    """A history that contradicts what the mirror published is never signed."""
    store = MemoryStore()
    run(make_log(300), store, begin=True)
    before = contents(store)
    for size in (299, 300, 301, 900):
        with pytest.raises(ForkError):
            run(make_log(size, tag="other", same_up_to=200), store, begin=True)
    assert contents(store) == before


def test_what_was_removed_or_put_back() -> None:
    """A mirror that finds nothing of its own does not sign, unless it is said to be new."""
    store, log = MemoryStore(), make_log(300)
    with pytest.raises(Refused, match="has cosigned nothing, or what it cosigned was removed"):
        run(log, store)
    assert contents(store) == {}
    run(log, store, begin=True)
    bare = holding(tree_of(log))
    with pytest.raises(Refused, match="has no cosignature by"):
        run(make_log(300, 600), bare)
    assert contents(bare) == tree_of(log)
    run(make_log(300, 600), bare, begin=True)
    assert quorum(bare)[0] == 600


def test_a_mirror_that_did_not_cosign() -> None:
    """Of a checkpoint without the mirror's own cosignature nobody knows that its tree is there: all of it is read."""
    store = holding({CHECKPOINT: make_log(600)[CHECKPOINT]})
    run(make_log(600), store, begin=True)
    assert contents(store).keys() == tree_of(make_log(600)).keys()


def test_a_forged_cosignature() -> None:
    """A line that claims to be the mirror's and is not stops it."""
    store = MemoryStore()
    run(make_log(300), store, by=key(W1.name, 2, W1.verifier.type), begin=True)
    other = MemoryStore()
    run(make_log(400), other, begin=True)
    line = other.read(CHECKPOINT).data.splitlines()[-1]
    note = make_log(300)[CHECKPOINT] + line + b"\n"
    with pytest.raises(SignatureError, match="wrong signature"):
        run(make_log(300), holding({CHECKPOINT: note}), begin=True)


def test_keys() -> None:
    """A key that signs notes is no cosigner's; a log signed by another key is not mirrored."""
    with pytest.raises(UsageError, match="signs notes"):
        MirrorSigner(LOG, lambda: 0)
    client = LogClient(Objects(make_log(300, key=OTHER_KEY)), POLICY)
    with pytest.raises(SignatureError):
        client.visit()


def test_the_signer_checks_by_itself() -> None:
    """The signer takes nobody's word: without a proof that the tree extends the published one it does not sign."""
    signer = MirrorSigner(W1, lambda: NOW)
    small, large = (parse_signed_checkpoint(make_log(*sizes)[CHECKPOINT]) for sizes in ((300,), (300, 600)))
    with pytest.raises(Refused, match="does not extend"):
        signer.sign(large, small, ())
    with pytest.raises(Refused, match="does not extend"):
        signer.sign(small, large, ())


def test_faults() -> None:
    """Whatever fails, and where: what is published has the cosignature and all of its tree; the next run ends."""
    log = make_log(300, 600)
    base = MemoryStore()
    run(make_log(300), base, begin=True)
    old = contents(base)
    faults = Faults()
    run(log, faults.wrap(holding(old), "mirror"))
    every = [(at, fault) for at, (_, kinds) in enumerate(faults.done) for fault in kinds]
    assert {fault for _, fault in every} == set(Fault)
    for at, fault in every:
        store = holding(old)
        broken = Faults(at, fault)
        try:
            run(log, broken.wrap(store, "mirror"))
        except (Died, AccessError):
            size, _ = quorum(store)
            assert size == 300 or contents(store).keys() >= tree_of(log).keys(), str(broken)
        run(log, store)
        assert quorum(store)[0] == 600
        assert contents(store).keys() == old.keys() | tree_of(log).keys()


def test_layout() -> None:
    """Section "Introduction": "<monitoring prefix>/<origin hash>", SHA-256 of the origin in lower-case hex."""
    assert mirror_folder("log.example.com") == "ad09f5b958e8a8c8d52406674379854832d78963651b6b3e591fda689fb95c30"


def test_withheld_entries() -> None:
    """A mirror cannot say that it has what the log withholds, so it says nothing; without a signature it goes on."""
    log = withholding(make_log(600), 1)
    store = MemoryStore()
    with pytest.raises(Refused, match="withholds entries of bundle 1"):
        run(log, store, begin=True)
    assert CHECKPOINT not in contents(store)
    done = mirror(log, store)
    assert done.withheld == (1,)
    assert contents(store) == {
        path: data for path, data in tree_of(make_log(600)).items() if path != "tile/entries/001"
    }

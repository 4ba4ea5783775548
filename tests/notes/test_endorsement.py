"""What an endorsement is, and what its proof shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.endorsement_texts import ENDORSEMENTS
from tests.support.endorsing import (
    OTHER,
    POLICY,
    PRIVATE,
    PUBLIC_POLICY,
    WITNESSED,
    checkpoint_of,
    cosigned,
    entry_of,
    private_log,
    proof_of,
    stated,
)
from tests.support.signed_text import TIME, W1, W2, sign
from tiles.errors import LogError, Malformed, PolicyError, ProofError, SignatureError, UsageError
from tiles.notes.checkpoint import Checkpoint, with_signatures
from tiles.notes.endorsement import check_same_tree, make_endorsement, parse_endorsement, verify_endorsement
from tiles.notes.freshness import quorum_time
from tiles.notes.policy import policy_for
from tiles.tree.merkle import TreeHead, leaf_hash

OBJECTS = private_log(5)
SIGNED = checkpoint_of(OBJECTS)
ENTRY = entry_of(OBJECTS)


def test_body_and_own_lines() -> None:
    """Cosignatures are left out, and lines by others; what is left is parsed as it was."""
    lines = [sign(SIGNED.checkpoint, W1), *SIGNED.note.signatures, sign(SIGNED.checkpoint, W2)]
    made = make_endorsement(with_signatures(SIGNED.checkpoint, lines), POLICY)
    assert made == ENTRY == SIGNED.data
    assert parse_endorsement(made) == SIGNED


def test_made_of_what_is_signed_only() -> None:
    """A checkpoint by another key of the name, or with a wrong signature, is not logged."""
    with pytest.raises(SignatureError):
        make_endorsement(SIGNED, policy_for(OTHER.verifier))
    wrong = with_signatures(Checkpoint(PRIVATE.name, TreeHead(6, SIGNED.tree.root)), SIGNED.note.signatures)
    with pytest.raises(SignatureError):
        make_endorsement(wrong, POLICY)


@pytest.mark.parametrize(("extension", "fits"), [(65_300, True), (65_536, False)])
def test_checked_before_it_is_logged(extension: int, fits: bool) -> None:
    """What no entry can hold is refused."""
    checkpoint = Checkpoint(PRIVATE.name, SIGNED.tree, ("x" * extension,))
    signed = with_signatures(checkpoint, [sign(checkpoint, PRIVATE)])
    if fits:
        assert len(make_endorsement(signed, POLICY)) <= 65_535
    else:
        with pytest.raises(UsageError, match="65535 at most"):
            make_endorsement(signed, POLICY)


@pytest.mark.parametrize("entry", ENDORSEMENTS, ids=lambda entry: repr(entry[:40]))
def test_one_form_only(entry: bytes) -> None:
    """A text is an endorsement to the byte, or is none."""
    if ENDORSEMENTS[entry] is None:
        with pytest.raises(Malformed):
            parse_endorsement(entry)
    else:
        parsed = parse_endorsement(entry)
        assert (parsed.data, parsed.origin) == (entry, ENDORSEMENTS[entry])


def test_what_a_proof_shows() -> None:
    """The private key signed this tree, the public log holds that, and its quorum's time is until when."""
    endorsed = verify_endorsement(cosigned(proof_of(ENTRY, b"a", b"b")), WITNESSED, POLICY)
    assert (endorsed.tree.signed, endorsed.index) == (SIGNED, 2)
    assert quorum_time(WITNESSED, endorsed.public.cosignatures) == TIME


PROOF = proof_of(ENTRY, b"a")
OF_ITSELF = policy_for(PRIVATE.verifier)


@pytest.mark.parametrize(
    ("proof", "public", "private", "error"),
    [
        (PROOF, POLICY, POLICY, PolicyError),  # the public log is another one than is known
        (PROOF, PUBLIC_POLICY, policy_for(OTHER.verifier), SignatureError),
        (PROOF, PUBLIC_POLICY, PUBLIC_POLICY, PolicyError),
        (PROOF, WITNESSED, POLICY, PolicyError),  # without the quorum that its reader asks for
        (replace(PROOF, extra=b""), PUBLIC_POLICY, POLICY, Malformed),
        (replace(PROOF, extra=b"a"), PUBLIC_POLICY, POLICY, Malformed),
        (replace(PROOF, extra=entry_of(private_log(4))), PUBLIC_POLICY, POLICY, ProofError),  # not what was logged
        (replace(PROOF, index=0), PUBLIC_POLICY, POLICY, ProofError),
        (proof_of(stated(SIGNED.tree, OTHER)), PUBLIC_POLICY, POLICY, SignatureError),  # anyone can log that
        (proof_of(SIGNED.data[:-1]), PUBLIC_POLICY, POLICY, Malformed),
    ],
)
def test_what_shows_nothing(proof: object, public: object, private: object, error: type[LogError]) -> None:
    """Each part is held to what its reader knows."""
    with pytest.raises(error):
        verify_endorsement(proof, public, private)  # type: ignore[arg-type]


def test_a_log_does_not_endorse_itself() -> None:
    """What a log says of itself is no second witness."""
    from tests.support.readers import Objects
    from tiles.read.client import LogClient
    from tiles.signing.signer import Signer
    from tiles.store.memory import MemoryStore
    from tiles.write.sequencer import Sequencer

    store = MemoryStore()
    log = Sequencer(store, MemoryStore(), Signer(PRIVATE, MemoryStore()))
    log.create()
    log.append([ENTRY])
    client = LogClient(Objects({listed.path: store.read(listed.path).data for listed in store.list("")}), OF_ITSELF)
    with pytest.raises(PolicyError, match="cannot endorse itself"):
        verify_endorsement(client.prove(0, ENTRY), OF_ITSELF, OF_ITSELF)


def test_a_proof_of_another_tree() -> None:
    """An endorsement of one size says nothing of another, nor of another root."""
    check_same_tree(SIGNED, SIGNED)
    for other in (private_log(4), private_log(5, tag="other")):
        with pytest.raises(ProofError, match="leads to"):
            check_same_tree(SIGNED, checkpoint_of(other))


def test_leaf_of_an_endorsement() -> None:
    """The same checkpoint is the same entry each time, so it is logged once."""
    assert leaf_hash(entry_of(private_log(5))) == leaf_hash(ENTRY) != leaf_hash(entry_of(private_log(6)))

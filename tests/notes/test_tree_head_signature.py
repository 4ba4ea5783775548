"""Signed tree heads of logs of certificates (https://c2sp.org/static-ct-api, "Checkpoints")."""

from __future__ import annotations

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.other_logs import (
    CT_ORIGIN,
    GOOD_HEAD,
    HEAD_TIME,
    WRONG_HEADS,
    ct_key,
    ct_private,
    spki,
    tree_head_signature,
)
from tests.support.signed_text import TREE
from tiles.errors import LogError, SignatureError, UsageError
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint, with_signatures
from tiles.notes.keys import SignatureType, VerifierKey, parse_vkey
from tiles.notes.note import Signature
from tiles.notes.policy import policy_for
from tiles.notes.tree_head_signature import verify_tree_head


def signed(signature: bytes, checkpoint: Checkpoint | None = None, key: VerifierKey | None = None) -> SignedCheckpoint:
    """Return a checkpoint with that signature."""
    key = key or ct_key()
    return with_signatures(checkpoint or Checkpoint(CT_ORIGIN, TREE), [Signature(key.name, key.key_id, signature)])


def test_key_id_and_vkey() -> None:
    """The key id is over name, type and LogID; the vkey holds the key itself, and reads back."""
    key = ct_key()
    log_id = sha256(spki(ct_private())).digest()
    assert key.key_id == sha256(CT_ORIGIN.encode() + b"\n\x05" + log_id).digest()[:4]
    assert parse_vkey(key.vkey) == key


def test_a_policy_accepts_it() -> None:
    """A checkpoint that is signed so is accepted, and the time in it is found."""
    good = signed(GOOD_HEAD)
    assert policy_for(ct_key()).accept(good).log == ct_key()
    assert verify_tree_head(good.checkpoint, good.note.signatures[0], ct_key()) == HEAD_TIME


def test_rsa() -> None:
    """A key may be RSA of 2048 bits or more, and not less; a signature has to say which it is."""
    private = rsa.generate_private_key(65537, 2048)
    key = VerifierKey(CT_ORIGIN, SignatureType.RFC6962, spki(private))
    good = tree_head_signature(TREE, private, HEAD_TIME)
    policy_for(key).accept(signed(good, key=key))
    with pytest.raises(SignatureError, match="another kind of key"):
        policy_for(key).accept(signed(good[:9] + b"\3" + good[10:], key=key))
    with pytest.raises(UsageError, match="2048"):
        VerifierKey(CT_ORIGIN, SignatureType.RFC6962, spki(rsa.generate_private_key(65537, 1024)))


@pytest.mark.parametrize("signature", WRONG_HEADS.values(), ids=WRONG_HEADS.keys())
def test_wrong_signatures(signature: bytes) -> None:
    """Whatever is wrong with a signature, the checkpoint is refused."""
    with pytest.raises(SignatureError):
        policy_for(ct_key()).accept(signed(signature))


def test_extension_lines() -> None:
    """Nothing signs extension lines, so there must be none."""
    with pytest.raises(SignatureError, match="extension"):
        policy_for(ct_key()).accept(signed(GOOD_HEAD, Checkpoint(CT_ORIGIN, TREE, ("more",))))


def test_another_origin() -> None:
    """Nothing signs the origin, so it has to be the key's name, and no pin can say otherwise."""
    other = Checkpoint("other.example.com", TREE)
    with pytest.raises(LogError):
        policy_for(ct_key()).accept(signed(GOOD_HEAD, other))
    with pytest.raises(SignatureError, match="not its name"):
        verify_tree_head(other, signed(GOOD_HEAD).note.signatures[0], ct_key())
    with pytest.raises(UsageError, match="always the origin"):
        policy_for(ct_key(), "other.example.com")

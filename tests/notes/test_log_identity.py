"""Logs whose origin is not their key's name: by what they are known, and what they cannot be."""

from __future__ import annotations

import pytest

from tests.support.other_logs import SUMDB_KEY, SUMDB_ORIGIN
from tests.support.signed_text import TREE, W1, W2, key
from tiles.errors import PolicyError, Refused, SignatureError, UsageError
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint, with_signatures
from tiles.notes.keys import SeedKey
from tiles.notes.log_identity import check_named_by, kept_as
from tiles.notes.note import Signature
from tiles.notes.policy import policy_for

KEY = SUMDB_KEY.verifier


def signed(origin: str, by: SeedKey = SUMDB_KEY) -> SignedCheckpoint:
    """Return a checkpoint of any origin, by a key of any name."""
    checkpoint = Checkpoint(origin, TREE)
    return with_signatures(checkpoint, [Signature(by.name, by.verifier.key_id, by.sign(checkpoint.text))])


def test_accepted_only_as_it_was_pinned() -> None:
    """The key with that origin is accepted; the key with another one, and the origin by another key, are not."""
    policy = policy_for(KEY, SUMDB_ORIGIN)
    assert policy.accept(signed(SUMDB_ORIGIN)).log == KEY
    for origin in (KEY.name, "another tree"):
        with pytest.raises(PolicyError):
            policy.accept(signed(origin))
    with pytest.raises(PolicyError):
        policy_for(KEY).accept(signed(SUMDB_ORIGIN))
    with pytest.raises(SignatureError):
        policy.accept(signed(SUMDB_ORIGIN, key("else.example.com", 9)))  # type: ignore[arg-type]


def test_an_origin_that_is_the_name() -> None:
    """To give the key's name as the origin changes nothing."""
    assert policy_for(KEY, KEY.name) == policy_for(KEY)
    assert kept_as(KEY, KEY.name) == kept_as(KEY, None) == KEY.vkey


def test_known_by_key_and_origin() -> None:
    """Two logs of one origin differ by their keys, two of one key by their origins."""
    other = key("other.example.com", 41).verifier
    assert len({kept_as(KEY, "a"), kept_as(KEY, "b"), kept_as(other, "a"), KEY.vkey}) == 4


def test_never_witnessed() -> None:
    """Witnesses know logs by their origins, so such a log has none."""
    check_named_by(KEY, KEY.name)
    with pytest.raises(Refused):
        check_named_by(KEY, SUMDB_ORIGIN)


@pytest.mark.parametrize("origin", ["", "a\nb", "\x00"])
def test_no_origin(origin: str) -> None:
    """An origin is one line."""
    with pytest.raises(UsageError):
        policy_for(KEY, origin)


@pytest.mark.parametrize("by", [W1, W2])
def test_keys_of_witnesses(by: SeedKey) -> None:
    """What a witness signs for an origin is no log's signature under it."""
    with pytest.raises(UsageError):
        policy_for(by.verifier, SUMDB_ORIGIN)

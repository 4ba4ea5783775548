"""Revoking: it is logged once, signed by whoever may, and nothing else is logged."""

from __future__ import annotations

import pytest

from tests.support.revocation_texts import HEX, ID
from tests.support.world import ROLES, World
from tiles.errors import UsageError
from tiles.log import Log
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.rekor.revoke import revoke
from tiles.signing.artifact_key import generate_key
from tiles.signing.signer import Signer
from tiles.sigstore.revocation import DIGEST, IDENTITY, KEY, check_revocation, parse_revocation
from tiles.store import StoreFetcher


def opened(world: World) -> Log:
    """Return what writes to a log."""
    public, private, anchor = (world.stores[role] for role in ROLES)
    return Log(public, private, Signer(world.key, anchor))


def test_revoked() -> None:
    """By the log or a key; the same revocation again is the same entry."""
    world, signer = World().grown(3), generate_key()
    log = opened(world)
    made = [revoke(log, DIGEST, HEX, "a/b é", by)[0] for by in (None, signer, None, signer)]
    revoke(log, KEY, signer.public.hint.hex(), "lost", signer)
    revoke(log, IDENTITY, ID, "gone")
    client = LogClient(StoreFetcher(world.stores["public"]), policy_for(world.verifier))
    entries = [entry for _, entry in client.entries(3, client.tree.size)]
    assert len(entries) == 4
    assert [each.data for each in made] == [*entries[:2], *entries[:2]]
    for entry in entries:
        check_revocation(parse_revocation(entry), [world.verifier])


def test_what_counts_for_nobody() -> None:
    """It is not signed, and nothing is logged."""
    world, signer = World().grown(3), generate_key()
    log = opened(world)
    with pytest.raises(UsageError, match="only the log revokes an identity"):
        revoke(log, IDENTITY, ID, "gone", signer)
    with pytest.raises(UsageError, match="by itself, or by the log"):
        revoke(log, KEY, HEX, "lost", signer)
    with pytest.raises(UsageError, match="one line"):
        revoke(log, DIGEST, HEX, "a\nb")
    assert log.finish().tree.size == 3

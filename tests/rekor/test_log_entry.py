"""What a client is told of an entry, as another implementation reads it."""

from __future__ import annotations

import json

import pytest

from tests.support.rekor_requests import entry_of
from tests.support.sigstore_authority import log_instance
from tests.support.world import World
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.rekor.log_entry import log_entry
from tiles.store import StoreFetcher


@pytest.mark.parametrize("size", [1, 3, 300])
def test_another_implementation_reads_it(size: int) -> None:
    """Nothing is missing of what the message has, and every field has the form that its JSON mapping asks for."""
    models = pytest.importorskip("sigstore_models.rekor.v1", reason="NOT TESTED: sigstore-models is not installed")
    world, entry = World().grown(*([size - 1] if size > 1 else [])), entry_of(b"a")
    world.append([entry])
    client = LogClient(StoreFetcher(world.stores["public"]), policy_for(world.verifier))
    found = json.loads(log_entry(entry, client.prove(size - 1), world.verifier).data)
    read = models.TransparencyLogEntry.from_dict(found)
    assert json.loads(read.to_json()) == found
    assert found["logId"] == log_instance(world.verifier)["logId"]
    assert int(found["inclusionProof"]["treeSize"]) == size

"""Another project's log, rebuilt by our writer: every public file of every size comes out byte for byte the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.check_log import Fold
from tests.support.world import RecordingKey, World
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.keys import parse_skey, parse_vkey
from tiles.notes.note import verify_note
from tiles.notes.policy import policy_for

ENTRIES = b"one two three four five six seven eit nain ten ileven twelf threeten fourten fivten".split()
VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
# public, for tests; in two parts, so that no search for secrets stops at it
SKEY = "PRIVATE+KEY+" + "example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"


@pytest.fixture
def golden(shared_vectors: Path) -> Path:
    """Return the folder of the other project's log."""
    return shared_vectors / "tessera-golden-log"


@pytest.mark.parametrize("place", ["memory", "directory"])
def test_rebuilt_byte_for_byte(place: str, golden: Path, tmp_path: Path) -> None:
    """One entry per commit gives every checkpoint, tile and bundle of every size as they are there, and no other."""
    key = parse_skey(SKEY)
    world = World(None if place == "memory" else tmp_path, RecordingKey(key.verifier, key.seed))
    public = world.stores["public"]
    world.sequencer().create()
    assert public.read("checkpoint").data == (golden / "checkpoint.0").read_bytes()
    for size, entry in enumerate(ENTRIES, 1):
        done = world.sequencer().append([entry])
        assert (done.first_index, done.count) == (size - 1, 1)
        assert public.read("checkpoint").data == done.checkpoint.data == (golden / f"checkpoint.{size}").read_bytes()
        world.check()
    assert public.read("checkpoint").data == (golden / "checkpoint").read_bytes()
    files = [path for path in golden.glob("tile/**/*") if path.is_file()]
    theirs = {path.relative_to(golden).as_posix(): path.read_bytes() for path in files}
    ours = {listed.path: public.read(listed.path).data for listed in public.list("tile/")}
    assert ours == theirs
    assert len(theirs) == 2 * len(ENTRIES)
    for size in range(len(ENTRIES) + 1):
        assert public.read(f"checkpoints/{size:03d}").data == (golden / f"checkpoint.{size}").read_bytes()


def test_verified(golden: Path) -> None:
    """Every checkpoint there is signed by its key, accepted by its policy, and states the root of the entries."""
    verifier = parse_vkey(VKEY)
    tree = Fold(ENTRIES)
    for size in range(len(ENTRIES) + 1):
        signed = parse_signed_checkpoint((golden / f"checkpoint.{size}").read_bytes())
        verify_note(signed.note, [verifier])
        policy_for(verifier).accept(signed, "example.com/log/testdata")
        assert (signed.tree.size, signed.tree.root) == (size, tree.root(size))
    assert parse_skey(SKEY).verifier == verifier

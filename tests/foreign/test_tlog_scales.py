"""Another project's implementation reads what we write, and we read what it writes (https://github.com/florolf/tlog-scales)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiles.errors import SignatureError
from tiles.notes.keys import parse_vkey, signing_key
from tiles.notes.policy import policy_for
from tiles.notes.tlog_proof import verify_tlog_proof
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.signing.signer import Signer
from tiles.store.directory import DirectoryStore
from tiles.store.memory import MemoryStore
from tiles.tree.merkle import EMPTY_TREE, TreeHead, leaf_hash
from tiles.user.seen_checkpoints import Visits
from tiles.write.sequencer import Sequencer

pytest.importorskip("tlog_scales", reason="NOT TESTED against tlog-scales: it is not installed")

from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import PlainEd25519Signer, Vkey
from tlog_scales.tlog import InclusionProofInvalid
from tlog_scales.writer import TilesWriter

SIZES = (1, 255, 256, 257, 1000)  # one log grows through all of them
ORIGIN = "example.com/log"
SEED = bytes(range(32))
KEY = signing_key(ORIGIN, SEED)


def entry(index: int) -> bytes:
    """Return the entry at an index; one is empty, one is as long as can be."""
    return {2: b"", 254: bytes(65_535)}.get(index, f"entry {index}".encode())


def indexes(size: int) -> list[int]:
    """Return the indexes of a tree that are worth proving."""
    return sorted({0, 2, 254, 255, 256, 257, 511, 512, size // 2, size - 1} & set(range(size)))


def steps() -> list[tuple[int, int]]:
    """Return from which size to which the log grows, step by step."""
    return list(zip((0, *SIZES), SIZES, strict=False))


def test_keys_are_equal() -> None:
    """Both print the same verifier key for one seed."""
    assert PlainEd25519Signer(ORIGIN, SEED).vkey.serialize() == KEY.verifier.vkey


def test_they_read_what_we_write(tmp_path: Path) -> None:
    """Checkpoint, root, entries and both kinds of proof of our log are good for their reader, at every size."""
    store, anchor, private = DirectoryStore(tmp_path / "log"), MemoryStore(), MemoryStore()
    sequencer = Sequencer(store, private, Signer(KEY, anchor))
    sequencer.create()
    roots: dict[int, bytes] = {}
    for old, size in steps():
        sequencer.append([entry(index) for index in range(old, size)])
        reader = TilesReader(LocalBackend(tmp_path / "log"))
        checkpoint = reader.get_checkpoint()
        checkpoint.verify(Vkey.from_string(KEY.verifier.vkey))
        assert (checkpoint.origin, checkpoint.size) == (ORIGIN, size)
        assert checkpoint.root_hash == reader.calculate_root_hash()
        roots[size] = checkpoint.root_hash
        for index in indexes(size):
            assert reader.get_entry(index) == entry(index)
            reader.get_inclusion_proof(index, size).check(leaf_hash(entry(index)), checkpoint.root_hash)
        with pytest.raises(InclusionProofInvalid):
            reader.get_inclusion_proof(0, size).check(leaf_hash(b"other"), checkpoint.root_hash)
        for earlier, root in roots.items():
            reader.get_consistency_proof(earlier, size).check(root, checkpoint.root_hash)


def test_our_proofs_are_theirs(tmp_path: Path) -> None:
    """Their reader and ours build the same inclusion proofs, hash by hash."""
    store = DirectoryStore(tmp_path / "log")
    sequencer = Sequencer(store, MemoryStore(), Signer(KEY, MemoryStore()))
    sequencer.create()
    sequencer.append([entry(index) for index in range(1000)])
    reader = TilesReader(LocalBackend(tmp_path / "log"))
    reader.get_checkpoint()
    client = LogClient(open_log(str(tmp_path / "log")), policy_for(KEY.verifier))
    for index in indexes(1000):
        assert list(client.prove(index).hashes) == reader.get_inclusion_proof(index, 1000).node_hashes


def test_we_read_what_they_write(tmp_path: Path) -> None:
    """Their log, whose partial tiles go once they are full, is good for our client at every size it grows to."""
    signer = PlainEd25519Signer(ORIGIN, SEED)
    policy = policy_for(parse_vkey(signer.vkey.serialize()))
    writer = TilesWriter.create(tmp_path / "log", ORIGIN)
    visits = Visits(tmp_path / "state")
    tree: TreeHead = EMPTY_TREE
    for old, size in steps():
        for index in range(old, size):
            writer.add_leaf(entry(index))
        writer.commit([signer])
        client = LogClient(open_log(str(tmp_path / "log")), policy, visits=visits)
        accepted = client.visit()  # which proves that the log has grown from the last size
        assert accepted.signed.tree.size == size
        assert accepted.signed.tree != tree
        tree = accepted.signed.tree
        assert list(client.entries(0, size)) == [(index, entry(index)) for index in range(size)]
        for index in indexes(size):
            verify_tlog_proof(client.prove(index), leaf_hash(entry(index)), policy)
            assert client.find(leaf_hash(entry(index))) == [index]


def test_their_log_with_another_key(tmp_path: Path) -> None:
    """Their log is refused if the key is another one."""
    writer = TilesWriter.create(tmp_path / "log", ORIGIN)
    writer.add_leaf(b"entry")
    writer.commit([PlainEd25519Signer(ORIGIN, bytes(32))])
    with pytest.raises(SignatureError):
        LogClient(open_log(str(tmp_path / "log")), policy_for(KEY.verifier)).visit()

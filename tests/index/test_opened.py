"""Opening an index: whose head it is, what it may prove, and when it contradicts the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.indexed import KINDS, POLICY, changed, client_of, entry_of, numbers, with_index, without
from tests.support.ranges import Counting
from tests.support.signed_text import LOG, MLDSA44, key, policy
from tests.support.signed_text import signed as sign
from tiles.entries.kind import Key
from tiles.errors import AccessError, UsageError, VerificationError
from tiles.index.opened import Elsewhere, Index, open_index
from tiles.index.search import Query, search
from tiles.notes.checkpoint import Checkpoint
from tiles.notes.index_head import IndexHead, parse_index_head
from tiles.notes.note import parse_note
from tiles.read.client import LogClient
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead, leaf_hash

HEAD = "index/leaf/1/head"
OTHER, SECOND = key("somebody.example.com", 7), key(LOG.name, 8)
ML_DSA = key(LOG.name, 9, MLDSA44)


def opened(objects: dict[str, bytes], kind: str = "leaf/1") -> tuple[Index | None, list[str]]:
    """Return the index, and what was remarked."""
    remarks: list[str] = []
    return open_index(client_of(objects), kind, remarks.append), remarks


@pytest.mark.parametrize("kind", KINDS)
def test_an_index(kind: str) -> None:
    """It is the log's own, and proves absence."""
    index, remarks = opened(numbers(), kind)
    assert index is not None
    assert (index.covered, index.head.kind, index.doubt, remarks) == (4096, kind, "", [])
    assert [reader.run for reader in index.readers()] == list(index.head.runs)


def test_covers_nothing() -> None:
    """It was begun."""
    index, remarks = opened(changed(numbers(), "leaf/1", lambda head: replace(head, tree=EMPTY_TREE, runs=())))
    assert (index is not None and index.covered, remarks) == (0, [])


def test_none() -> None:
    """Nothing is said of an index that was never begun; what cannot be read is said."""
    assert opened(without(numbers(), [HEAD])) == (None, [])

    class Broken(Counting):
        def fetch(self, path: str, limit: int) -> bytes:
            if path == HEAD:
                raise AccessError("the server is on fire")
            return super().fetch(path, limit)

    with pytest.raises(AccessError, match="on fire"):
        open_index(LogClient(Broken(numbers()), POLICY), "leaf/1")


@pytest.mark.parametrize("data", [b"", b"<!doctype html><html>", b"no note", numbers()[CHECKPOINT], b"x" * 20_000])
def test_no_head(data: bytes) -> None:
    """It is as if there were none, and that is said."""
    index, remarks = opened({**numbers(), HEAD: data})
    assert index is None
    assert [remark.startswith("the index leaf/1 is not used: ") for remark in remarks] == [True]


def test_by_others() -> None:
    """Whoever signed it, it leads to hits; it proves nothing unless one of the log's own keys has signed it."""
    for by, word in (((OTHER,), "no signature by"), ((SECOND,), "no signature by"), ((LOG, OTHER), "")):
        index, remarks = opened(changed(numbers(), "leaf/1", by=by))
        assert index is not None
        assert (word in index.doubt, bool(index.doubt), len(remarks)) == (True, bool(word), bool(word))
    forged = numbers()[HEAD].replace(b"\xe2\x80\x94 log.example.com ", b"\xe2\x80\x94 log.example.com ")
    note = parse_note(forged)
    wrong = replace(note.signatures[0], signature=bytes(64))
    index, remarks = opened({**numbers(), HEAD: replace(note, signatures=(wrong,)).data})
    assert index is not None
    assert "wrong signature by" in index.doubt
    assert "proves no absence" in remarks[0]


def test_keys_of_a_log() -> None:
    """Any note-signing key of the log will do, whichever signed the checkpoint; an ML-DSA key alone signs no heads."""
    objects = numbers()
    tree = client_of(objects).tree
    objects[CHECKPOINT] = sign(Checkpoint(LOG.name, tree), LOG, ML_DSA).data
    both = policy(f"log {ML_DSA.verifier.vkey}\nlog {LOG.verifier.vkey}\nquorum none\n")
    index = open_index(client_of(objects, both), "leaf/1")
    assert index is not None
    assert index.doubt == ""
    alone = policy(f"log {ML_DSA.verifier.vkey}\nquorum none\n")
    remarks: list[str] = []
    index = open_index(client_of(objects, alone), "leaf/1", remarks.append)
    assert index is not None
    assert "signs anything but checkpoints" in index.doubt
    assert len(remarks) == 1


def test_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index of somebody else proves absence to whoever names its key; without, it leads to hits."""
    monkeypatch.setattr("tiles.index.scan.SCAN_LIMIT", 1000)
    log = without(numbers(), [path for path in numbers() if path.startswith("index/")])
    place = Counting(
        {path: data for path, data in with_index(log, "leaf/1", key=OTHER).items() if path.startswith("index/")}
    )
    for believed, doubt in ((OTHER.verifier, ""), (None, "nobody is named"), (SECOND.verifier, "no signature by")):
        remarks: list[str] = []
        client = client_of(log)
        index = open_index(client, "leaf/1", remarks.append, Elsewhere(place, believed))
        assert index is not None
        assert (index.fetcher, index.covered, doubt in index.doubt, bool(index.doubt)) == (
            place,
            4096,
            True,
            bool(doubt),
        )
        assert len(remarks) == bool(doubt)
        key = Key("leaf/1", leaf_hash(entry_of(4990)))
        for wanted, found in ((key, 1), (Key("leaf/1", bytes(32)), 0)):
            seen = search(client, Query([[wanted]], elsewhere=Elsewhere(place, believed)))
            assert (len(seen.hits), seen.covered, bool(seen.unproven)) == (found, 5000, bool(doubt))
    assert open_index(client_of(log), "leaf/1") is None
    wrong = Counting(changed({**log, **place.objects}, "leaf/1", root, by=(OTHER,)))
    with pytest.raises(VerificationError, match="the key that is believed has signed it"):
        open_index(client_of(log), "leaf/1", elsewhere=Elsewhere(wrong, OTHER.verifier))
    with pytest.raises(UsageError, match="signs checkpoints only"):
        Elsewhere(place, ML_DSA.verifier)


def root(head: IndexHead) -> IndexHead:
    """Change the root."""
    return replace(head, tree=TreeHead(head.tree.size, Hash(bytes(32))))


WRONG: dict[str, Callable[[IndexHead], IndexHead]] = {
    "another root": root,
    "another kind": lambda head: replace(head, kind="name/1"),
    "another log": lambda head: replace(head, origin="other.example.com"),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_contradictions(change: Callable[[IndexHead], IndexHead]) -> None:
    """Signed by the log's own key it is evidence; by others it is not used."""
    objects = changed(numbers(), "leaf/1", change)
    with pytest.raises(VerificationError, match="the log's own key has signed it") as caught:
        opened(objects)
    assert caught.value.evidence == {"index head": objects[HEAD], "checkpoint": objects[CHECKPOINT]}
    index, remarks = opened(changed(numbers(), "leaf/1", change, by=(OTHER,)))
    assert (index, len(remarks)) == (None, 1)


def test_ahead() -> None:
    """A head that covers more than the checkpoint: the checkpoint is read again; if it stays, nothing is proven."""
    old, new = numbers(5000, 4096), numbers(9000, 8192)
    ahead = {**new, CHECKPOINT: old[CHECKPOINT], **{path: data for path, data in old.items() if ".p/" in path}}
    index, remarks = opened(ahead)
    assert index is not None
    assert "has 5000 only" in index.doubt
    assert len(remarks) == 1
    client = client_of(ahead)
    assert client.tree.size == 5000
    client.fetcher.objects = new  # type: ignore[attr-defined]
    index = open_index(client, "leaf/1")
    assert index is not None
    assert (index.doubt, index.covered, client.tree.size) == ("", 8192, 9000)


def test_local() -> None:
    """The index of an application's kind proves no absence, and that is as it should be."""
    objects = numbers()
    objects["index/acme.build/1/head"] = changed(objects, "leaf/1", lambda head: replace(head, kind="acme.build/1"))[
        HEAD
    ]
    index, remarks = opened(objects, "acme.build/1")
    assert index is not None
    assert "nobody else can recompute" in index.doubt
    assert remarks == []
    assert parse_index_head(parse_note(index.data).text) == index.head

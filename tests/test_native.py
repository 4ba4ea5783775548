"""The optional native part gives the same bytes, and the same errors, as the code that stands in for it."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.reference import full_tree
from tiles import native
from tiles.errors import Malformed, ProofError, UsageError
from tiles.index import order, record
from tiles.notes.index_head import MAX_COVERED
from tiles.tree import bundle, merkle, proof
from tiles.tree.edge import EMPTY_EDGE
from tiles.tree.plan import Plan, plan
from tiles.tree.tile import full_roots

tiletree_native = pytest.importorskip("tiletree_native", reason="`make native` builds it, where there is cargo")

ENTRIES = st.lists(st.binary(max_size=300) | st.sampled_from([b"", b"x" * 65_535]), max_size=600)


def both(compute: Callable[[], Any]) -> tuple[Any, Any]:
    """Return what a computation gives without the native part, and with it: a value, or the text of its error."""
    given_back: list[Any] = []
    for compiled in (None, tiletree_native):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(merkle, "compiled", compiled)
            patch.setattr(bundle, "compiled", compiled)
            patch.setattr(record, "compiled", compiled)
            patch.setattr(order, "compiled", compiled)
            try:
                given_back.append(compute())
            except (Malformed, ProofError, UsageError) as error:
                given_back.append((type(error), str(error)))
    return given_back[0], given_back[1]


@given(ENTRIES, st.integers(1, 256))
def test_batches(entries: list[bytes], first: int) -> None:
    """Entries are encoded, cut and hashed alike, whichever types their sequence has."""
    python, compiled = both(lambda: bundle.encode_batch(entries or [b""], first))
    assert compiled == python
    assert len(bundle.decode_entries(python[0][0])) == min(first, len(entries) or 1)
    for hashes in (merkle.leaf_hashes, merkle.flat_leaves):
        python, compiled = both(lambda hashes=hashes: hashes(tuple(entries)))  # type: ignore[misc]
        assert (compiled, type(compiled)) == (python, type(python))


@given(st.integers(1, 5_000), st.data())
def test_ways_up(size: int, data: st.DataObject) -> None:
    """An inclusion proof leads to the same root; with a hash of another length it is refused alike."""
    index = data.draw(st.integers(0, size - 1))
    count = len(proof.inclusion_nodes(index, size))
    hashes = [merkle.leaf_hash(b"%d" % number) for number in range(count + 1)]
    wrong = data.draw(st.none() | st.integers(0, count - 1) if count else st.none())
    if wrong is not None:
        hashes[wrong] = merkle.Hash(hashes[wrong][1:])
    tree = merkle.TreeHead(size, hashes[-1])
    python, compiled = both(lambda: proof.verify_inclusion(hashes[-1], index, tree, hashes[:-1]))
    assert compiled == python
    assert wrong is None or f"hash {wrong} is 31 bytes long" in python[1]


@given(st.binary(max_size=32 * 700).map(lambda data: data[: len(data) // 32 * 32]))
def test_nodes(data: bytes) -> None:
    """Nodes and roots are the same over any number of hashes; a wrong number of them is refused alike."""
    for compute in (merkle.flat_parents, merkle.flat_root, full_roots):
        python, compiled = both(lambda compute=compute: compute(data))  # type: ignore[misc]
        assert compiled == python
    hashes = merkle.split_hashes(data)
    python, compiled = both(lambda: merkle.node_root(hashes))
    assert compiled == python


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=256), st.data())
def test_bundles(entries: list[bytes], data: st.DataObject) -> None:
    """A bundle has the hashes of its entries; one that is cut short, longer, or of another width is refused alike."""
    encoded = bundle.encode_entries(entries)
    python, compiled = both(lambda: bundle.bundle_leaves(encoded, len(entries)))
    assert compiled == python == merkle.flat_leaves(entries)
    damaged = bytearray(encoded + data.draw(st.binary(max_size=3)))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(0, 255))
    del damaged[data.draw(st.integers(0, len(damaged))) :]
    for width in (len(entries), len(entries) % 256 + 1, 0, 257):
        python, compiled = both(lambda width=width: bundle.bundle_leaves(bytes(damaged), width))  # type: ignore[misc]
        assert compiled == python


@given(st.lists(st.sampled_from([255, 256, 257]), max_size=4), st.data())
def test_pairs(widths: list[int], data: st.DataObject) -> None:
    """A tile has a hash if it is full and its bundle has its leaf hashes, and nothing else; whatever both are."""
    sizes = data.draw(st.lists(st.integers(0, 90), min_size=1, max_size=8))  # to draw one for each takes too long
    drawn = [[b"%d" % number * sizes[number % len(sizes)] for number in range(width)] for width in widths]
    bundles = [bundle.encode_entries(entries) for entries in drawn]
    tiles = [merkle.flat_leaves(entries) for entries in drawn]
    expected = [merkle.flat_root(tile) if len(tile) == 8192 else None for tile in tiles]
    python, compiled = both(lambda: bundle.agreed_roots(bundles, tiles))
    assert compiled == python == expected
    for contents in (bundles, tiles):
        if contents:
            at = data.draw(st.integers(0, len(contents) - 1))
            cut = data.draw(st.integers(0, len(contents[at]) - 1))
            contents[at] = data.draw(st.sampled_from([contents[at][:cut], contents[at] + b"\0", b""]))
            expected[at] = None
            python, compiled = both(lambda: bundle.agreed_roots(bundles, tiles))
            assert compiled == python == expected


@pytest.mark.parametrize("cuts", [[0, 1, 256, 257, 700], [0, 513], [0, 255, 256, 65_792 + 3]])
def test_plans(cuts: Sequence[int]) -> None:
    """Batch after batch leads to the same objects and the same tree, which is the one of the specification."""
    entries = [b"%d" % number for number in range(cuts[-1])]

    def planned() -> list[Plan]:
        plans, edge = [], EMPTY_EDGE
        for start, stop in pairwise(cuts):
            plans.append(plan(edge, entries[start:stop]))
            edge = plans[-1].edge
        return plans

    python, compiled = both(planned)
    assert compiled == python
    assert python[-1].tree == full_tree(len(entries)).head(len(entries))


@given(st.lists(st.binary(max_size=32 * 40).map(lambda data: data[: len(data) // 32 * 32]), max_size=4), st.data())
def test_records(parts: list[bytes], data: st.DataObject) -> None:
    """Records of an index are the same, and in the same order, wherever in a log their entries are."""
    first = data.draw(st.integers(0, MAX_COVERED) | st.integers(2**32 - 40, 2**32))
    python, compiled = both(lambda: [record.leaf_records(part, first) for part in parts])
    assert compiled == python
    python, compiled = both(lambda: b"".join(order.in_order(compiled)))
    assert compiled == python
    python, compiled = both(
        lambda: b"".join(order.merged([order.few_at_a_time([one]) for one in (python, b"", python)]))
    )
    assert compiled == python


def test_long_entries_are_refused_alike() -> None:
    """The error says which entry it is; nothing is encoded."""
    python, compiled = both(lambda: bundle.encode_batch([b"", b"x" * 65_536], 256))
    assert compiled == python
    assert python[0] is UsageError
    assert "entry 1 of the batch has 65536 bytes" in python[1]


@pytest.mark.parametrize(
    "call", ["leaf_hashes", "encode", "parents", "leaf_records", "sorted_records", "root", "agreed_roots"]
)
def test_other_threads_run_meanwhile(call: str) -> None:
    """The interpreter's lock is given back: a thread that waits for it gets it, although nobody asks for it."""
    entries = [random.randbytes(1000)] * 3000
    hashes, bundles = b"\0" * (32 << 16), [bundle.encode_entries(entries[:256])] * 10
    arguments: tuple[Any, ...] = {
        "leaf_hashes": (entries,),
        "encode": (entries, 256),
        "parents": (hashes,),
        "leaf_records": (hashes, 0),
        "sorted_records": ([random.randbytes(3_200_000)], 0, 255),
        "root": (hashes,),
        "agreed_roots": (bundles, [b""] * 10),
    }[call]
    go, ran = Event(), Event()
    waiting = Thread(target=lambda: (go.wait(), ran.set()), daemon=True)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # seconds: no thread is made to give up the lock
    try:
        waiting.start()
        go.set()
        tries = 0
        while not ran.is_set() and tries < 200:
            getattr(tiletree_native, call)(*arguments)
            tries += 1
    finally:
        sys.setswitchinterval(interval)
    assert ran.is_set()


@pytest.mark.parametrize(("value", "used"), [("0", False), ("1", True), ("", True)])
def test_the_variable(value: str, used: bool) -> None:
    """TILETREE_NATIVE=0 leaves what is installed unused."""
    code = "from tiles.native import compiled; print(compiled is not None)"
    environment = {native.VARIABLE: value}
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=root, capture_output=True, text=True)
    assert done.stdout.split() == [str(used)], done.stderr


def test_another_interface_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A native part of another release, whose functions may take other things, is not used."""
    monkeypatch.delenv(native.VARIABLE, raising=False)
    assert native._found() is tiletree_native
    monkeypatch.setattr(tiletree_native, "INTERFACE", native._INTERFACE + 1)
    assert native._found() is None

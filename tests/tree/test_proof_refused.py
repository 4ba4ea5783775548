"""Inclusion and consistency proofs that must be refused: each in one way spoiled, or claimed for another tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.reference import Tree, flipped, full_tree, itself, path, printed_random, split
from tests.support.spoiled_proofs import HASH, spoiled
from tiles.errors import ProofError, UsageError
from tiles.tree.merkle import EMPTY_ROOT, EMPTY_TREE, MAX_TREE_SIZE, Hash, TreeHead
from tiles.tree.proof import inclusion_nodes, verify_consistency, verify_inclusion

TREE = full_tree(301)


def shape(m: int, d: range) -> str:
    """Return on which side each hash of PATH(m, D[n]) stands, leaf first."""
    return "".join("R" if m < other.start else "L" for other in path(m, d, itself))


def consistency_shape(m: int, d: range, b: bool = True) -> str:
    """Return how each hash of SUBPROOF(m, D[n], b) is used: S starts, R and L stand on that side."""
    if m == len(d):
        return "K" if b else "S"
    k = split(len(d))
    return consistency_shape(m, d[:k], b) + "R" if m <= k else consistency_shape(m - k, d[k:], False) + "L"


def refused(what: str, verify: Callable[..., None], *call: object) -> None:
    """Fail, saying what, unless the proof is refused."""
    try:
        verify(*call)
    except ProofError:
        return
    pytest.fail(f"{what}: was not refused")


def with_flips(built: Sequence[Hash], bits: Callable[[int], Sequence[int]]) -> Iterator[list[Hash]]:
    """Yield the proof with one bit of one hash flipped; `bits` chooses which of 256."""
    for at, hash_ in enumerate(built):
        for bit in bits(256):
            yield [*built[:at], Hash(flipped(hash_, bit)), *built[at + 1 :]]


def refuse_inclusion(tree: Tree, index: int, size: int, bits: Callable[[int], Sequence[int]]) -> None:
    """Spoil one inclusion proof in every way; each must be refused."""
    leaf, head, built = tree.leaf(index), tree.head(size), tree.path(index, size)
    verify_inclusion(leaf, index, head, built)
    bad = [(what, leaf, index, head, wrong) for what, wrong in spoiled(built)]
    bad += [("flipped", leaf, index, head, wrong) for wrong in with_flips(built, bits)]
    bad += [("leaf", Hash(flipped(leaf, bit)), index, head, built) for bit in bits(256)]
    bad += [("root", leaf, index, replace(head, root=Hash(flipped(head.root, bit))), built) for bit in bits(256)]
    bad += [("index", leaf, wrong, head, built) for wrong in (index - 1, index + 1)]
    bad += [("size", leaf, index, tree.head(wrong), built) for wrong in (size - 1, size + 1)]
    for what, *call in bad:
        refused(f"entry {index} of {size}, {what}", verify_inclusion, *call)


def refuse_consistency(tree: Tree, sizes: tuple[int, int], bits: Callable[[int], Sequence[int]]) -> None:
    """Spoil one consistency proof, of 0 < old < new, in every way; each must be refused."""
    (old, new), built = map(tree.head, sizes), tree.proof(*sizes)
    verify_consistency(old, new, built)
    bad = [(what, old, new, wrong) for what, wrong in spoiled(built)]
    bad += [("flipped", old, new, wrong) for wrong in with_flips(built, bits)]
    bad += [("old root", replace(old, root=Hash(flipped(old.root, bit))), new, built) for bit in bits(256)]
    bad += [("new root", old, replace(new, root=Hash(flipped(new.root, bit))), built) for bit in bits(256)]
    bad += [("old size", tree.head(wrong), new, built) for wrong in (old.size - 1, old.size + 1)]
    bad += [("new size", old, tree.head(wrong), built) for wrong in (new.size - 1, new.size + 1) if wrong >= old.size]
    for what, *call in bad:
        refused(f"{sizes}, {what}", verify_consistency, *call)


def every(count: int) -> Sequence[int]:
    """Choose every bit."""
    return range(count)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 9])
def test_every_spoiled_inclusion_proof_is_refused(size: int) -> None:
    """Small trees, every entry: any bit flipped, hash dropped, added or swapped, index or size off by one."""
    for index in range(size):
        refuse_inclusion(TREE, index, size, every)


@pytest.mark.parametrize("new", [2, 3, 4, 5, 6, 7, 8, 9])
def test_every_spoiled_consistency_proof_is_refused(new: int) -> None:
    """Small trees, every old size: any bit flipped, hash dropped, added or swapped, either size off by one."""
    for old in range(1, new):
        refuse_consistency(TREE, (old, new), every)


@pytest.mark.slow
def test_spoiled_proofs_of_larger_trees_are_refused() -> None:
    """Trees to 300 and around 2^40, sampled: any bit flipped, hash dropped, added or swapped, numbers off by one."""
    rng = printed_random()

    def some(count: int) -> Sequence[int]:
        return rng.sample(range(count), 3)

    for _ in range(60):
        size = rng.randrange(10, 300)
        refuse_inclusion(TREE, rng.randrange(size), size, some)
        refuse_consistency(TREE, (rng.randrange(1, size), size), some)
    for _ in range(10):
        size = 2**40 + rng.randrange(-(2**20), 2**20)
        index = rng.randrange(size)
        near = {i: Hash(rng.randbytes(32)) for i in range(index - 2, index + 3)}
        ends = {i: Hash(rng.randbytes(32)) for i in range(size - 2, size + 2)}
        refuse_inclusion(Tree(near | ends), index, size, some)
        refuse_consistency(Tree(near | ends), (index + 1, size), some)


def test_a_size_is_bound_by_its_root_only() -> None:
    """One root claimed for another size: refused exactly where the RFC's path has another shape there.

    So a proof alone does not prove a size: size and root must come from one checkpoint.
    """
    for size in range(1, 40):
        root = TREE.head(size).root
        for index in range(size):
            built = TREE.path(index, size)
            for claimed in range(1, 80):
                call = (TREE.leaf(index), index, TreeHead(claimed, root), built)
                if index < claimed and shape(index, range(claimed)) == shape(index, range(size)):
                    verify_inclusion(*call)
                else:
                    with pytest.raises(ProofError):
                        verify_inclusion(*call)


def test_sizes_in_consistency_are_bound_by_their_roots_only() -> None:
    """Two roots claimed for other sizes: refused exactly where the RFC's proof has another shape there."""
    for new in range(2, 20):
        for old in range(1, new):
            roots, built = (TREE.head(old).root, TREE.head(new).root), TREE.proof(old, new)
            for claimed_old, claimed_new in combinations(range(1, 24), 2):
                call = (TreeHead(claimed_old, roots[0]), TreeHead(claimed_new, roots[1]), built)
                if consistency_shape(claimed_old, range(claimed_new)) == consistency_shape(old, range(new)):
                    verify_consistency(*call)
                else:
                    with pytest.raises(ProofError):
                        verify_consistency(*call)


def test_an_entry_of_another_tree_is_refused() -> None:
    """No honest proof of one log verifies in another that differs in one entry."""
    for size in range(2, 40):
        for index in range(size):
            other = Tree(TREE.leaves | {index: HASH})
            with pytest.raises(ProofError):
                verify_inclusion(HASH, index, TREE.head(size), other.path(index, size))
            for old in range(index + 1, size):  # the old trees that hold the entry
                with pytest.raises(ProofError):
                    verify_consistency(other.head(old), TREE.head(size), TREE.proof(old, size))
                with pytest.raises(ProofError):
                    verify_consistency(other.head(old), TREE.head(size), other.proof(old, size))


@pytest.mark.parametrize("index", [-1, 5, 6, 2**63])
def test_an_entry_outside_the_tree_is_refused(index: int) -> None:
    """RFC 9162 §2.1.3.2, step 1: an index the tree does not have comes from the proof, so the proof is refused."""
    with pytest.raises(ProofError, match="no such entry") as caught:
        verify_inclusion(HASH, index, TREE.head(5), [])
    assert caught.value.evidence["expected_root"] == TREE.head(5).root


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_hashes_of_another_length_are_refused(length: int) -> None:
    """Each hash of a proof has 32 bytes, so none can borrow bytes from its neighbour."""
    inclusion, consistency = TREE.path(4, 9), TREE.proof(4, 9)
    for at in range(len(inclusion)):
        with pytest.raises(ProofError, match=f"hash {at} is {length} bytes"):
            verify_inclusion(
                TREE.leaf(4), 4, TREE.head(9), [*inclusion[:at], Hash(bytes(length)), *inclusion[at + 1 :]]
            )
    for at in range(len(consistency)):
        with pytest.raises(ProofError, match=f"hash {at} is {length} bytes"):
            verify_consistency(
                TREE.head(4), TREE.head(9), [*consistency[:at], Hash(bytes(length)), *consistency[at + 1 :]]
            )


def test_bytes_moved_between_hashes_are_refused() -> None:
    """The same bytes cut at other places are not the same proof."""
    built = TREE.path(4, 9)
    moved = [Hash(built[0] + built[1][:1]), Hash(built[1][1:]), *built[2:]]
    assert b"".join(moved) == b"".join(built)
    with pytest.raises(ProofError):
        verify_inclusion(TREE.leaf(4), 4, TREE.head(9), moved)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_leaf_and_roots_of_another_length_are_wrong_calls(length: int) -> None:
    """What the caller believes already must be hashes."""
    short, head = Hash(bytes(length)), TREE.head(1)
    for call in (
        lambda: verify_inclusion(short, 0, head, []),
        lambda: verify_inclusion(HASH, 0, TreeHead(1, short), []),
        lambda: verify_consistency(TreeHead(1, short), head, []),
        lambda: verify_consistency(head, TreeHead(1, short), []),
    ):
        with pytest.raises(UsageError, match=f"{length} bytes"):
            call()


def test_tree_sizes_out_of_range_are_wrong_calls() -> None:
    """What the caller believes already must be tree heads."""
    for size in (-1, MAX_TREE_SIZE + 1):
        bad = TreeHead(size, HASH)
        for call in (
            lambda bad=bad: verify_inclusion(HASH, 0, bad, []),
            lambda bad=bad: verify_consistency(bad, TREE.head(9), []),
            lambda bad=bad: verify_consistency(TREE.head(9), bad, []),
        ):
            with pytest.raises(UsageError, match="tree size"):
                call()


# ---- consistency without hashes: from the empty tree, and of a tree with itself


@pytest.mark.parametrize("new", [0, 1, 2, 7, 300])
def test_the_empty_tree_is_a_prefix_of_every_tree(new: int) -> None:
    """From size 0 only the empty proof will do, and only the one root that an empty tree has."""
    verify_consistency(EMPTY_TREE, TREE.head(new), [])
    with pytest.raises(ProofError, match="1 hashes instead of 0"):
        verify_consistency(EMPTY_TREE, TREE.head(new), [HASH])
    with pytest.raises(ProofError):
        verify_consistency(TreeHead(0, HASH), TREE.head(new), [])


def test_two_wrong_empty_trees_are_refused() -> None:
    """Two trees of size 0 that agree with each other must have the root of the empty tree all the same."""
    with pytest.raises(ProofError):
        verify_consistency(TreeHead(0, HASH), TreeHead(0, HASH), [])
    with pytest.raises(ProofError):
        verify_consistency(EMPTY_TREE, TreeHead(0, HASH), [])


@pytest.mark.parametrize("size", [1, 2, 7, 8, 300])
def test_a_tree_is_consistent_with_itself_only(size: int) -> None:
    """Trees of one size must have one root, and only the empty proof will do."""
    head = TREE.head(size)
    verify_consistency(head, head, [])
    with pytest.raises(ProofError, match="1 hashes instead of 0"):
        verify_consistency(head, head, [HASH])
    for other in (TreeHead(size, HASH), TreeHead(size, Hash(flipped(head.root, 255)))):
        with pytest.raises(ProofError, match="not to") as caught:
            verify_consistency(other, head, [])
        assert caught.value.evidence["expected_old_root"] == other.root
        assert caught.value.evidence["expected_new_root"] == head.root


@pytest.mark.parametrize(("old", "new"), [(1, 0), (5, 4), (300, 1)])
def test_a_larger_old_tree_is_a_wrong_call(old: int, new: int) -> None:
    """The caller sorts the two trees; nothing is said about the log."""
    with pytest.raises(UsageError, match="larger"):
        verify_consistency(TREE.head(old), TREE.head(new), [])


# ---- evidence


def test_inclusion_evidence() -> None:
    """The error holds what a third party needs: leaf, proof, the root expected and the one computed."""
    built = TREE.path(4, 9)
    with pytest.raises(ProofError, match=r"entry 4 .* size 9") as caught:
        verify_inclusion(HASH, 4, TREE.head(9), built)
    assert caught.value.evidence == {
        "leaf_hash": HASH,
        "expected_root": TREE.head(9).root,
        "computed_root": Tree(TREE.leaves | {4: HASH}).head(9).root,
        "proof": b"".join(built),
    }
    with pytest.raises(ProofError, match="3 hashes instead of 4") as caught:
        verify_inclusion(HASH, 4, TREE.head(9), built[1:])
    assert caught.value.evidence["proof"] == b"".join(built[1:])


@pytest.mark.parametrize("old", [4, 6])
def test_consistency_evidence(old: int) -> None:
    """The error holds what a third party needs: the proof, both roots expected and both computed."""
    built = TREE.proof(old, 9)
    with pytest.raises(ProofError, match=f"from tree size {old} to 9") as caught:
        verify_consistency(TREE.head(old), TreeHead(9, HASH), built)
    assert caught.value.evidence == {
        "expected_old_root": TREE.head(old).root,
        "computed_old_root": TREE.head(old).root,
        "expected_new_root": HASH,
        "computed_new_root": TREE.head(9).root,
        "proof": b"".join(built),
    }


hashes = st.binary(min_size=32, max_size=32).map(Hash)
proofs = st.lists(st.one_of(hashes, st.binary(max_size=40).map(Hash)), max_size=70)


@given(hashes, st.integers(), st.integers(2, MAX_TREE_SIZE), hashes, proofs)
def test_arbitrary_inclusion_proofs_are_refused(
    leaf: Hash, index: int, size: int, root: Hash, given_: list[Hash]
) -> None:
    """Whatever a proof holds, it is refused with a ProofError: nobody finds a root by chance."""
    with pytest.raises(ProofError):
        verify_inclusion(leaf, index, TreeHead(size, root), given_)


@given(st.integers(1, MAX_TREE_SIZE - 1), st.integers(1, MAX_TREE_SIZE), hashes, hashes, proofs)
def test_arbitrary_consistency_proofs_are_refused(
    old: int, grown: int, root: Hash, new_root: Hash, given_: list[Hash]
) -> None:
    """Whatever a proof holds, it is refused with a ProofError: nobody finds two roots by chance."""
    with pytest.raises(ProofError):
        verify_consistency(TreeHead(old, root), TreeHead(min(old + grown, MAX_TREE_SIZE), new_root), given_)


@given(st.data(), st.integers(1, 2**40))
def test_proofs_of_the_right_length_are_refused(data: st.DataObject, size: int) -> None:
    """Random hashes in the right number are not a proof either."""
    index = data.draw(st.integers(0, size - 1))
    count = len(inclusion_nodes(index, size))
    made_up = data.draw(st.lists(hashes, min_size=count, max_size=count))
    with pytest.raises(ProofError, match="leads to root"):
        verify_inclusion(HASH, index, TreeHead(size, EMPTY_ROOT), made_up)

"""Inclusion and consistency proofs (https://www.rfc-editor.org/rfc/rfc6962#section-2.1.1, 2.1.2): build and verify.

Building is separate from reading: `inclusion_nodes` and `consistency_nodes` say which nodes a proof is made of, the
caller reads their hashes from tiles, `build_proof` puts them together. Verification follows the algorithms of
RFC 9162, sections 2.1.3.2 and 2.1.4.2, which hold for RFC 6962's proofs. Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tiles.errors import ProofError, UsageError
from tiles.tree.merkle import EMPTY_ROOT, HASH_SIZE, MAX_TREE_SIZE, Hash, TreeHead, fold_right, node_above, node_hash


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A complete subtree: the entries D[index * 2^height : (index + 1) * 2^height].

    height   0 ≤ height; 0 is a leaf
    index    0 ≤ index, counted among the nodes of this height
    """

    height: int
    index: int

    def __post_init__(self) -> None:
        if self.height < 0 or self.index < 0:
            raise UsageError(f"there is no node of height {self.height} and index {self.index}")

    @property
    def end(self) -> int:
        """The first entry after this subtree: a tree of at least this size contains the node."""
        return (self.index + 1) << self.height


def root_nodes(size: int) -> tuple[Node, ...]:
    """Return the complete subtrees, largest first, whose `fold_right` is the root of a tree of `size`; () for size 0.

    Raises UsageError unless 0 ≤ size ≤ MAX_TREE_SIZE.
    """
    _check_size(size)
    return _subtrees(0, size)


def inclusion_nodes(index: int, size: int) -> list[tuple[Node, ...]]:
    """Return, in proof order, the nodes of each hash of the proof that entry `index` is in a tree of `size`.

    Each tuple holds complete subtrees, largest first; its `fold_right` is the hash of the proof.
    Raises UsageError unless 0 ≤ index < size ≤ MAX_TREE_SIZE.
    """
    _check_size(size)
    check_range(size, index, index + 1)
    path = []
    start, end = 0, size
    while end - start > 1:  # RFC 6962 §2.1.1, PATH(m, D[n]), from the root down
        middle = start + _split(end - start)
        if index < middle:
            path.append(_subtrees(middle, end))
            end = middle
        else:
            path.append(_subtrees(start, middle))
            start = middle
    return path[::-1]


def consistency_nodes(old: int, new: int) -> list[tuple[Node, ...]]:
    """Return, in proof order, the nodes of each hash of the consistency proof from tree size `old` to `new`.

    Shaped like the answer of `inclusion_nodes`; [] if old is 0 or equals new. All nodes are nodes of the new tree.
    Raises UsageError unless 0 ≤ old ≤ new ≤ MAX_TREE_SIZE.
    """
    _check_size(new)
    if not 0 <= old <= new:
        raise UsageError(f"a tree of size {old} cannot be a prefix of one of size {new}")
    if old == 0:
        return []
    path = []
    start, end = 0, new
    while old < end:  # RFC 6962 §2.1.2, SUBPROOF(m, D[n], b), from the root down
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_subtrees(middle, end))
            end = middle
        else:
            path.append(_subtrees(start, middle))
            start = middle
    if start > 0:  # b is false: the verifier does not know the hash of this part of the old tree
        path.append(_subtrees(start, end))
    return path[::-1]


def build_proof(parts: Sequence[Sequence[Node]], hash_of: Callable[[Node], Hash]) -> tuple[Hash, ...]:
    """Return the proof whose nodes are `parts`, as `inclusion_nodes` or `consistency_nodes` gave them."""
    return tuple(fold_right([hash_of(node) for node in part]) for part in parts)


def proof_ends(roots: Sequence[Hash]) -> list[tuple[Hash, ...]]:
    """Return, for each of a tree's `root_nodes`, the hashes with which the inclusion proofs of its entries end.

    roots   the hashes of these nodes. Such a proof leads to the node's own hash first. To the right of it is all that
            is left of the tree, as one hash; to the left are the larger nodes, and the nearest one comes first.
    """
    ends: list[tuple[Hash, ...]] = []
    right: tuple[Hash, ...] = ()
    for number in reversed(range(len(roots))):
        ends.append((*right, *reversed(roots[:number])))
        right = (fold_right([roots[number], *right]),)
    return ends[::-1]


def verify_inclusion(leaf: Hash, index: int, tree: TreeHead, proof: Sequence[Hash]) -> None:
    """Verify that `leaf` is the leaf hash of entry `index` of `tree` (RFC 9162 §2.1.3.2).

    The proof holds for the *pair* of size and root: they must come from one checkpoint, because a proof alone
    cannot tell a tree from another of nearly its size that has been given the same root.

    Raises ProofError if it is not, if the tree has no such entry, or if the proof is not one of the right number
    of 32-byte hashes. Raises UsageError for a leaf hash, root or size that cannot be one.
    """
    _check_tree(tree)
    _check_width("leaf hash", leaf)
    what = f"inclusion proof of entry {index} in the tree of size {tree.size}"
    evidence = {"leaf_hash": leaf, "expected_root": tree.root, "proof": b"".join(proof)}
    if not 0 <= index < tree.size:  # step 1
        raise ProofError(f"{what}: there is no such entry", evidence=evidence)
    sides = _left_sides(index, tree.size - 1)
    _check_proof(what, proof, len(sides), evidence)
    root = node_above(leaf, proof, sides)
    if root != tree.root:
        evidence["computed_root"] = root
        raise ProofError(f"{what}: leads to root {root.hex()}, not to {tree.root.hex()}", evidence=evidence)


def inclusion_steps(leaf: Hash, index: int, size: int, proof: Sequence[Hash]) -> list[tuple[Hash, Hash, Hash]]:
    """Return the way from a leaf hash to a root, to show it: each node's left child, right child and hash.

    This verifies nothing; `verify_inclusion` does, and has to come first, as it refuses a proof of another length.
    """
    steps = []
    node = leaf
    for hash_, is_left in zip(proof, _left_sides(index, size - 1), strict=True):
        left, right = (hash_, node) if is_left else (node, hash_)
        node = node_hash(left, right)
        steps.append((left, right, node))
    return steps


def verify_consistency(old: TreeHead, new: TreeHead, proof: Sequence[Hash]) -> None:
    """Verify that the tree `old` is a prefix of the tree `new` (RFC 9162 §2.1.4.2).

    The empty tree is a prefix of every tree, and every tree is a prefix of itself; the proof of both must be empty.

    Raises ProofError if it is not, or if the proof is not one of the right number of 32-byte hashes.
    Raises UsageError if old.size > new.size, and for a root or size that cannot be one.
    """
    _check_tree(old)
    _check_tree(new)
    if old.size > new.size:
        raise UsageError(f"the old tree, of size {old.size}, is larger than the new one, of size {new.size}")
    what = f"consistency proof from tree size {old.size} to {new.size}"
    evidence = {"expected_old_root": old.root, "expected_new_root": new.root, "proof": b"".join(proof)}
    if old.size in (0, new.size):
        _check_proof(what, proof, 0, evidence)
        old_root = EMPTY_ROOT if old.size == 0 else old.root
        new_root = old_root if old.size == new.size else new.root
    else:
        first, last = old.size - 1, new.size - 1  # step 3
        while first & 1:  # step 4: up to the largest subtree that ends where the old tree ends
            first, last = first >> 1, last >> 1
        sides = _left_sides(first, last)
        known = [] if old.size & (old.size - 1) else [old.root]  # step 2: that subtree is the whole old tree
        _check_proof(what, proof, 1 + len(sides) - len(known), evidence)
        old_root, new_root = _fold_consistency([*known, *proof], sides)
    if (old_root, new_root) != (old.root, new.root):
        evidence |= {"computed_old_root": old_root, "computed_new_root": new_root}
        found, wanted = f"{old_root.hex()} and {new_root.hex()}", f"{old.root.hex()} and {new.root.hex()}"
        raise ProofError(f"{what}: leads to roots {found}, not to {wanted}", evidence=evidence)


def _fold_consistency(path: Sequence[Hash], sides: Sequence[bool]) -> tuple[Hash, Hash]:
    """Return the old and the new root that a consistency path leads to (RFC 9162 §2.1.4.2, steps 5 and 6)."""
    old_root = new_root = path[0]
    for hash_, is_left in zip(path[1:], sides, strict=True):
        if is_left:
            old_root = node_hash(hash_, old_root)
            new_root = node_hash(hash_, new_root)
        else:
            new_root = node_hash(new_root, hash_)
    return old_root, new_root


def _left_sides(first: int, last: int) -> list[bool]:
    """Return on which side each hash of a proof stands, for the way up from node `first` of nodes [0, last].

    True is left. How many there are and where they stand follows from the two numbers (fn and sn in RFC 9162), so
    a proof of another shape is refused before anything is hashed.
    """
    sides = []
    while last > 0:
        is_left = first & 1 == 1 or first == last
        sides.append(is_left)
        while is_left and not first & 1:  # a last node without a sibling stands for its parent too
            first, last = first >> 1, last >> 1
        first, last = first >> 1, last >> 1
    return sides


def _split(size: int) -> int:
    """Return the largest power of two smaller than size, size ≥ 2 (RFC 6962 §2.1, k < n ≤ 2k)."""
    return 1 << ((size - 1).bit_length() - 1)


def _subtrees(start: int, end: int) -> tuple[Node, ...]:
    """Return the complete subtrees D[start:end] is made of, largest first; start is aligned to the largest of them."""
    nodes = []
    while start < end:
        height = (end - start).bit_length() - 1
        nodes.append(Node(height, start >> height))
        start += 1 << height
    return tuple(nodes)


def check_range(size: int, start: int, stop: int) -> None:
    """Raise UsageError unless a tree of that size has the entries [start, stop), which may be none: start ≤ stop."""
    if not 0 <= start <= stop <= size:
        which = f"entry {start}" if stop == start + 1 else f"entries {start} to {stop - 1}"
        raise UsageError(f"a tree of size {size} has no {which}", hint=f"its last one is {size - 1}" if size else "")


def _check_size(size: int) -> None:
    if not 0 <= size <= MAX_TREE_SIZE:
        raise UsageError(f"tree size {size} is not between 0 and {MAX_TREE_SIZE}")


def _check_tree(tree: TreeHead) -> None:
    _check_size(tree.size)
    _check_width("root", tree.root)


def _check_width(what: str, hash_: Hash) -> None:
    if len(hash_) != HASH_SIZE:
        raise UsageError(f"{what} is {len(hash_)} bytes long instead of {HASH_SIZE}")


def _check_proof(what: str, proof: Sequence[Hash], count: int, evidence: dict[str, bytes]) -> None:
    if len(proof) != count:
        raise ProofError(f"{what}: has {len(proof)} hashes instead of {count}", evidence=evidence)
    if not {HASH_SIZE}.issuperset(map(len, proof)):
        position, size = next((at, len(hash_)) for at, hash_ in enumerate(proof) if len(hash_) != HASH_SIZE)
        raise ProofError(f"{what}: hash {position} is {size} bytes long", evidence=evidence)

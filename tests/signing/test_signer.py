"""The signer: check, move the memory, sign; in this order, and only what extends what it remembers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.faults import READING, SWAPPING, Died, Fault, Faults
from tests.support.reference import flipped, full_tree
from tests.support.world import ORIGIN, RecordingKey, recording_key
from tiles.errors import AccessError, Conflict, Malformed, OutcomeUnknown, Refused, UsageError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.index_head import IndexHead, Run, live_runs, open_index_head
from tiles.notes.keys import MAX_LOG_NAME
from tiles.notes.policy import policy_for
from tiles.records.fields import MAX_RECORD_SIZE
from tiles.records.paths import ANCHOR
from tiles.signing.anchor import FROZEN, OPEN, SEALED, Anchor, AnchorMemory
from tiles.signing.signer import Signer
from tiles.sigstore.revocation import Statement, check_revocation
from tiles.store import Object, Version
from tiles.store.memory import MemoryStore
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead

TREE = full_tree(70)
NUMBERS = full_tree(8192)
SIZES = [0, 1, 2, 3, 5, 8, 13, 64, 65]
OTHER_ROOT = Hash(b"\x07" * 32)
IDENTITY = "0f" * 16


def holding(tree: TreeHead, state: str = OPEN) -> Anchor:
    """Return the anchor that holds a tree."""
    return Anchor(ORIGIN, IDENTITY, tree, state)


class Case:
    """A signer with the anchor of a log that was just begun, and all that its key has signed."""

    def __init__(self, anchor: Anchor | None = None) -> None:
        self.store = MemoryStore("anchor")
        self.store.create({ANCHOR: (anchor or holding(EMPTY_TREE)).data})
        self.key = recording_key()
        self.signer = Signer(self.key, self.store)

    def sign(self, old: int, new: int) -> SignedCheckpoint:
        """Sign the tree of size `new`, which extends the one of size `old`."""
        return self.signer.sign(TREE.head(new), holding(TREE.head(old)), TREE.proof(old, new) if old else [])

    def remembered(self) -> TreeHead:
        """Return the tree in the memory."""
        anchor, _ = AnchorMemory(ORIGIN, self.store).recall()
        assert anchor is not None
        return anchor.tree


@pytest.mark.parametrize("old", SIZES)
def test_signs_what_extends_what_it_remembers(old: int) -> None:
    """Each larger tree, and the same one again, gets the one signature of its text, and is remembered."""
    for new in SIZES:
        if old <= new:
            case = Case()
            case.sign(0, old)
            signed = case.sign(old, new)
            assert signed.tree == TREE.head(new) == case.remembered()
            assert policy_for(case.key.verifier).accept(signed, ORIGIN).log == case.key.verifier
            assert case.sign(new, new) == signed
            assert case.key.texts[1:] == [signed.note.text] * 2


def test_without_an_anchor_nothing_is_signed() -> None:
    """What came before cannot be known."""
    case = Case()
    case.store.delete([ANCHOR])
    with pytest.raises(Conflict):
        case.sign(0, 13)
    assert not case.key.texts
    assert AnchorMemory(ORIGIN, case.store).recall() == (None, None)


@pytest.mark.parametrize("state", [FROZEN, SEALED])
def test_an_anchor_that_is_closed(state: str) -> None:
    """With a frozen one only the same tree is signed, with a sealed one nothing is."""
    case = Case(holding(TREE.head(8), state))
    with pytest.raises(Refused, match=f"the anchor at memory://anchor is {state}"):
        case.signer.sign(TREE.head(13), holding(TREE.head(8), state), TREE.proof(8, 13))
    assert not case.key.texts
    if state == FROZEN:
        assert case.signer.sign(TREE.head(8), holding(TREE.head(8), state), []).tree == TREE.head(8)
    else:
        with pytest.raises(Refused, match="sealed"):
            case.signer.sign(TREE.head(8), holding(TREE.head(8), state), [])


def test_freezing() -> None:
    """The anchor stays what it is, and is frozen; a second time changes nothing; one that moved on is a conflict."""
    case = Case()
    case.sign(0, 8)
    with pytest.raises(Conflict):
        case.signer.freeze(holding(TREE.head(5)))
    case.signer.freeze(holding(TREE.head(8)))
    case.signer.freeze(holding(TREE.head(8), FROZEN))
    assert AnchorMemory(ORIGIN, case.store).recall()[0] == holding(TREE.head(8), FROZEN)


@pytest.mark.parametrize("name", ["ex\u00e4mple.com/log", "x" * (MAX_LOG_NAME + 1)])
def test_a_key_whose_name_no_log_can_have_is_no_signer(name: str) -> None:
    """It is refused at once, before its memory is read or written."""
    key = recording_key(name)
    with pytest.raises(UsageError):
        Signer(key, MemoryStore("anchor"))


def check_refused(old: TreeHead, new: TreeHead, proof: list[Hash]) -> None:
    """Nothing is signed or remembered, and the message names both trees."""
    case = Case(holding(old))
    with pytest.raises(Refused) as caught:
        case.signer.sign(new, holding(old), proof)
    assert f"the tree of {new} does not extend the one of {old} that was signed before" in str(caught.value)
    assert case.remembered() == old
    assert not case.key.texts


@pytest.mark.parametrize("old", SIZES[1:])
def test_never_signs_what_does_not_extend(old: int) -> None:
    """A smaller tree, another root on either side, a proof with any bit changed, cut or longer: refused."""
    before = TREE.head(old)
    for new in SIZES:
        after, proof = TREE.head(new), TREE.proof(old, new) if old <= new else []
        if new < old:
            check_refused(before, after, proof)
            check_refused(before, after, TREE.proof(new, old) if new else [])
            continue
        check_refused(before, TreeHead(new, OTHER_ROOT), proof)
        check_refused(TreeHead(old, OTHER_ROOT), after, proof)
        check_refused(before, after, [*proof, OTHER_ROOT])
        for i in range(len(proof)):
            check_refused(before, after, proof[:i] + proof[i + 1 :])
            check_refused(before, after, [*proof[:i], Hash(flipped(proof[i], 8 * i + 3)), *proof[i + 1 :]])


def test_a_memory_that_has_moved_on_is_a_conflict() -> None:
    """What is proven must be what is remembered: otherwise it is read again, nothing signed."""
    case = Case()
    case.sign(0, 8)
    for since in (EMPTY_TREE, TREE.head(5), TREE.head(13), TreeHead(8, OTHER_ROOT)):
        with pytest.raises(Conflict, match="memory://anchor: the anchor has moved on from size"):
            case.signer.sign(TREE.head(13), holding(since), TREE.proof(since.size, 13) if since.size else [])
    assert case.remembered() == TREE.head(8)
    assert len(case.key.texts) == 1


def test_of_two_signers_of_one_memory_one_is_first() -> None:
    """Two signers that have both read the memory: the second one's swap is a conflict, and it signs nothing."""
    first, second = Case(), Case()

    class Racing(MemoryStore):
        def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
            first.sign(0, 13)
            return second.store.swap(path, data, expected)

        def read(self, path: str, limit: int | None = None) -> Object:
            return second.store.read(path, limit)

    first.signer = Signer(first.key, second.store)
    second.signer = Signer(second.key, Racing())
    with pytest.raises(Conflict):
        second.sign(0, 8)
    assert not second.key.texts
    assert second.remembered() == TREE.head(13)


# ---- the order: check, remember, sign


def operations(old: int, new: int) -> list[str]:
    """Return what a signature of `new` does to a memory of `old`, and when it is made."""
    case = Case()
    case.sign(0, old)
    faults = Faults()

    class Telling(RecordingKey):
        def sign(self, message: bytes) -> bytes:
            faults.done.append(("sign", ()))
            return RecordingKey.sign(self, message)

    key = Telling(case.key.verifier, case.key.seed)
    signer = Signer(key, faults.wrap(case.store, "memory"))
    signer.sign(TREE.head(new), holding(TREE.head(old)), TREE.proof(old, new))
    return [what for what, _ in faults.done]


def test_the_memory_moves_before_the_signature_is_made() -> None:
    """First the memory holds the tree, and lasts; then it is signed. Also where it held the tree already."""
    assert operations(8, 13) == ["memory read anchor", "memory swap anchor", "sign"]
    assert operations(8, 8) == ["memory read anchor", "memory barrier", "sign"]


@pytest.mark.parametrize(("at", "fault"), [(0, fault) for fault in READING] + [(1, fault) for fault in SWAPPING])
def test_a_memory_that_fails_signs_nothing(at: int, fault: Fault) -> None:
    """Whatever happens to the memory, nothing is signed by that call; the next one signs the same text."""
    case = Case()
    case.sign(0, 8)
    faults = Faults(at, fault)
    broken = Signer(case.key, faults.wrap(case.store, "memory"))
    with pytest.raises((AccessError, Died)) as caught:
        broken.sign(TREE.head(13), holding(TREE.head(8)), TREE.proof(8, 13))
    assert isinstance(caught.value, OutcomeUnknown) == fault.name.endswith("UNKNOWN")
    assert len(case.key.texts) == 1
    since = case.remembered()
    assert since == TREE.head(13 if at and fault.name in ("DONE", "DONE_UNKNOWN", "DIES") else 8)
    assert case.sign(since.size, 13).tree == TREE.head(13)


# ---- a memory that is not to be believed


@pytest.mark.parametrize("data", [b"", b"nobody wrote this", holding(TREE.head(8)).data[:-1]])
def test_a_damaged_memory_signs_nothing(data: bytes) -> None:
    """Bytes that are no anchor give our error."""
    case = Case()
    case.store.delete([ANCHOR])
    case.store.create({ANCHOR: data})
    with pytest.raises(Malformed):
        case.sign(0, 1)
    assert not case.key.texts


def test_an_anchor_of_another_log_is_refused() -> None:
    """A memory is of one log: another one's is neither believed nor overwritten."""
    case = Case(Anchor("example.com/other", IDENTITY, TREE.head(8)))
    with pytest.raises(Refused, match=r"the anchor at memory://anchor is of the log example\.com/other, not of"):
        case.sign(8, 13)
    assert not case.key.texts


def test_an_anchor_is_capped() -> None:
    """A memory that has grown beyond reason is not read."""
    case = Case()
    case.store.delete([ANCHOR])
    case.store.create({ANCHOR: b"x" * (MAX_RECORD_SIZE + 1)})
    with pytest.raises(AccessError, match="longer than"):
        case.sign(0, 1)


def index_head(size: int, origin: str = ORIGIN) -> IndexHead:
    """Return the head of an index of the numbers, whose runs are made up."""
    runs = tuple(Run(*place, 1, OTHER_ROOT) for place in live_runs(size))
    return IndexHead(origin, "leaf/1", NUMBERS.head(size), runs)


@pytest.mark.parametrize("state", [OPEN, FROZEN])
@pytest.mark.parametrize("size", [0, 4096])
def test_an_index_of_what_was_signed(size: int, state: str) -> None:
    """A head of a tree with which that of the anchor begins is signed, and the anchor stays what it is."""
    anchor = holding(NUMBERS.head(5000), state)
    case = Case(anchor)
    note = case.signer.sign_index(index_head(size), anchor, NUMBERS.proof(size, 5000) if size else [])
    assert open_index_head(note.data, [case.key.verifier]) == index_head(size)
    assert case.remembered() == NUMBERS.head(5000)


@pytest.mark.parametrize(
    ("held", "since", "head", "error"),
    [
        (NUMBERS.head(5000), NUMBERS.head(5000), index_head(8192), Refused),
        (NUMBERS.head(5000), NUMBERS.head(5000), replace(index_head(4096), tree=TreeHead(4096, OTHER_ROOT)), Refused),
        (TreeHead(5000, OTHER_ROOT), TreeHead(5000, OTHER_ROOT), index_head(4096), Refused),
        (NUMBERS.head(5001), NUMBERS.head(5000), index_head(4096), Conflict),
        (NUMBERS.head(5000), NUMBERS.head(5000), index_head(4096, "other.example.com"), UsageError),
    ],
    ids=["larger", "another tree", "another anchor", "moved on", "another log"],
)
def test_no_other_index(held: TreeHead, since: TreeHead, head: IndexHead, error: type[Exception]) -> None:
    """Nothing is signed of a tree that the anchor's does not begin with, or of another log."""
    case = Case(holding(held))
    proof = NUMBERS.proof(4096, 5000) if head.tree.size == 4096 else []
    with pytest.raises(error):
        case.signer.sign_index(head, holding(since), proof)
    assert not case.key.texts


def test_no_index_by_a_sealed_anchor() -> None:
    """The log has another one."""
    case = Case(holding(NUMBERS.head(5000), SEALED))
    with pytest.raises(Refused, match="is sealed"):
        case.signer.sign_index(index_head(0), holding(NUMBERS.head(5000), SEALED), [])
    assert not case.key.texts


@pytest.mark.parametrize("state", [OPEN, FROZEN])
def test_a_revocation(state: str) -> None:
    """One by this log is signed, and the anchor stays what it is."""
    case = Case(holding(TREE.head(5), state))
    said = Statement("sha256", "0" * 64, "why", log=case.key.verifier.vkey)
    check_revocation(case.signer.sign_revocation(said), [case.key.verifier])
    assert case.remembered() == TREE.head(5)
    assert case.key.texts == [said.text]


def test_no_other_revocation() -> None:
    """Nothing is signed for another signer, without an anchor, or with one that was sealed."""
    case = Case(holding(TREE.head(5), SEALED))
    said = Statement("sha256", "0" * 64, "why", log=case.key.verifier.vkey)
    with pytest.raises(Refused, match="is sealed"):
        case.signer.sign_revocation(said)
    case.store.delete([ANCHOR])
    with pytest.raises(Refused, match="there is no anchor"):
        case.signer.sign_revocation(said)
    for other in (replace(said, log="another"), replace(said, log="", key=b"key")):
        with pytest.raises(UsageError, match="the revocation is by"):
            case.signer.sign_revocation(other)
    assert not case.key.texts

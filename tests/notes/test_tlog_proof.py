"""Transparency log proofs: the specification's example, the file format, and what a proof proves."""

from __future__ import annotations

from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.proof_files import (
    CHECKPOINT,
    LEAF,
    MALFORMED,
    POLICY,
    PROOF,
    QUORUM,
    SIGNED,
    WRONG_PROOFS,
)
from tests.support.reference import flipped, full_tree
from tests.support.signed_text import LOG, ORIGIN, TREE, W1, W2, cases, key, malformed, signed
from tiles.errors import LogError, Malformed, PolicyError, ProofError, SignatureError, UsageError
from tiles.notes.checkpoint import Checkpoint
from tiles.notes.note import MAX_NOTE_SIZE, Signature
from tiles.notes.policy import policy_for
from tiles.notes.tlog_proof import MAX_HASHES, MAX_PROOF_SIZE, TlogProof, parse_tlog_proof, verify_tlog_proof
from tiles.tree.merkle import MAX_TREE_SIZE, Hash, TreeHead

# tlog-proof, the example at its top, up to the checkpoint
SPEC_HEAD = """c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=
"""
SPEC_CHECKPOINT = """example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=
"""
SPEC_SIGNERS = ["example.com/fancylog", "witness1.example", "witness2.example", "witness3.example"]


def test_example() -> None:
    """The example is parsed and printed as it was; its signatures, which it leaves out, are put in."""
    lines = [Signature(name, bytes([number] * 4), b"signature").line for number, name in enumerate(SPEC_SIGNERS)]
    data = "\n".join([SPEC_HEAD, SPEC_CHECKPOINT, *lines, ""]).encode()
    parsed = parse_tlog_proof(data)
    assert parsed.extra.startswith(b"age-v1.2.1-darwin-arm64.tar.gz")
    assert parsed.index == 73_894
    assert [b64encode(hash_).decode() for hash_ in parsed.hashes] == SPEC_HEAD.splitlines()[3:]
    assert parsed.checkpoint.origin == "example.com/fancylog"
    assert parsed.checkpoint.tree.size == 109_482
    assert [signature.name for signature in parsed.checkpoint.note.signatures] == SPEC_SIGNERS
    assert parsed.data == data


def test_form() -> None:
    """A proof is these lines and no others."""
    root = b64encode(CHECKPOINT.tree.root).decode()
    hashes = [b64encode(hash_).decode() for hash_ in PROOF.hashes]
    assert len(hashes) == 3
    assert PROOF.data.decode().split("\n") == [
        "c2sp.org/tlog-proof@v1",
        "index 5",
        *hashes,
        "",
        "log.example.com",
        "7",
        root,
        "",
        SIGNED.note.signatures[0].line,
        "",
    ]
    with_extra = replace(PROOF, extra=b"\0extra")
    assert with_extra.data == PROOF.data.replace(b"index 5\n", b"extra AGV4dHJh\nindex 5\n")
    assert parse_tlog_proof(with_extra.data) == with_extra


@pytest.mark.parametrize("size", range(1, 18))
def test_every_entry(size: int) -> None:
    """Every entry of a log is proven by its proof, offline, through its file."""
    log = full_tree(size)
    checkpoint = signed(Checkpoint(ORIGIN, log.head(size)), LOG)
    for index in range(size):
        proof = parse_tlog_proof(TlogProof(index, tuple(log.path(index, size)), checkpoint).data)
        accepted = verify_tlog_proof(proof, log.leaf(index), POLICY)
        assert (accepted.signed, accepted.log) == (checkpoint, LOG.verifier)
        for other in range(size):
            if other != index:
                with pytest.raises(ProofError):
                    verify_tlog_proof(proof, log.leaf(other), POLICY)
                with pytest.raises(ProofError):
                    verify_tlog_proof(replace(proof, index=other), log.leaf(index), POLICY)


def test_every_bit_flipped() -> None:
    """No single bit of a proof can change."""
    for bit in range(8 * len(PROOF.data)):
        with pytest.raises(LogError):
            verify_tlog_proof(parse_tlog_proof(flipped(PROOF.data, bit)), LEAF, POLICY)


def test_extra_is_not_authenticated() -> None:
    """The extra data can be anything: nothing vouches for it, so nothing may be concluded from it."""
    for extra in (b"", b"one", b"another"):
        verify_tlog_proof(replace(PROOF, extra=extra), LEAF, POLICY)


@pytest.mark.parametrize("proof", WRONG_PROOFS)
def test_wrong_proofs(proof: TlogProof) -> None:
    """Step 4: the inclusion proof has to lead from leaf and index to the signed root."""
    with pytest.raises(ProofError):
        verify_tlog_proof(parse_tlog_proof(proof.data), LEAF, POLICY)


def test_the_policy_decides() -> None:
    """Steps 2 and 3: a right inclusion proof is nothing without the log's signature and the quorum."""
    both = replace(PROOF, checkpoint=signed(CHECKPOINT, LOG, W1, W2))
    accepted = verify_tlog_proof(both, LEAF, QUORUM)
    assert [cosignature.key for cosignature in accepted.cosignatures] == [W1.verifier, W2.verifier]
    with pytest.raises(PolicyError, match="quorum both is not met: 1 of its 2 witnesses have cosigned, missing w2"):
        verify_tlog_proof(replace(PROOF, checkpoint=signed(CHECKPOINT, LOG, W1)), LEAF, QUORUM)
    with pytest.raises(SignatureError):
        verify_tlog_proof(replace(PROOF, checkpoint=signed(CHECKPOINT, W1, W2)), LEAF, QUORUM)
    with pytest.raises(SignatureError):
        verify_tlog_proof(replace(PROOF, checkpoint=signed(CHECKPOINT, key(ORIGIN, 9))), LEAF, POLICY)
    with pytest.raises(PolicyError, match="no log of the policy"):
        verify_tlog_proof(PROOF, LEAF, policy_for(key("other.example.com", 1).verifier))


@pytest.mark.parametrize(("text", "problem"), cases(MALFORMED))
def test_malformed(text: str, problem: str) -> None:
    """A proof has one form; everything else is refused when it is parsed."""
    with malformed(problem):
        parse_tlog_proof(text.encode())


def test_not_utf_8() -> None:
    """Bytes that are no text are refused, in the head and in the checkpoint."""
    for data in (b"\xff" + PROOF.data, PROOF.data.replace(b"index", b"\xffindex"), PROOF.data + b"\xff\n"):
        with pytest.raises(Malformed, match="UTF-8"):
            parse_tlog_proof(data)


PADDING = (MAX_PROOF_SIZE - len(PROOF.data) - len("extra \n") - len("\n")) % 4 + 4  # what base64 cannot fill


def test_limits() -> None:
    """The longest note with the longest inclusion proof fits; a file of the greatest size is read."""
    text = Checkpoint(ORIGIN, TreeHead(MAX_TREE_SIZE, TREE.root), ("x" * (MAX_NOTE_SIZE - 196),))
    longest = TlogProof(MAX_TREE_SIZE - 1, PROOF.hashes[:1] * MAX_HASHES, signed(text, LOG))
    assert len(longest.checkpoint.data) == MAX_NOTE_SIZE
    assert parse_tlog_proof(longest.data) == longest
    padded = replace(PROOF, checkpoint=signed(replace(CHECKPOINT, extensions=("x" * PADDING,)), LOG))
    greatest = replace(padded, extra=bytes((MAX_PROOF_SIZE - len(padded.data) - len("extra \n")) // 4 * 3))
    assert len(greatest.data) == MAX_PROOF_SIZE
    assert parse_tlog_proof(greatest.data) == greatest
    with pytest.raises(UsageError, match=r"^a tlog-proof has at most 1056768 bytes, not 1056772$"):
        replace(greatest, extra=greatest.extra + bytes(3))


def test_a_hash_in_another_spelling() -> None:
    """A hash whose base64 has bits beyond its 32 bytes is refused, and named."""
    line = b64encode(PROOF.hashes[1])
    assert line.endswith(b"=")
    other = line[:-2] + bytes([line[-2] + 1]) + b"="  # the last two bits of that character are of no byte
    assert b64decode(other) == PROOF.hashes[1]
    with pytest.raises(Malformed, match="tlog-proof hash: not canonical base64") as caught:
        parse_tlog_proof(PROOF.data.replace(line, other))
    assert other.decode() in str(caught.value)


@pytest.mark.parametrize(
    ("index", "hashes", "problem"),
    [
        (-1, (), "an index is between 0 and 9223372036854775806, not -1"),
        (MAX_TREE_SIZE, (), "an index is between 0 and 9223372036854775806, not 9223372036854775807"),
        (0, (Hash(b"abc"),), "an inclusion proof has at most 63 hashes of 32 bytes"),
        (0, (*PROOF.hashes, Hash(bytes(33))), "an inclusion proof has at most 63 hashes of 32 bytes"),
        (0, PROOF.hashes[:1] * (MAX_HASHES + 1), "an inclusion proof has at most 63 hashes of 32 bytes"),
    ],
)
def test_proofs_that_cannot_be(index: int, hashes: tuple[Hash, ...], problem: str) -> None:
    """A proof that could not be parsed again cannot be made either."""
    with pytest.raises(UsageError, match=f"^{problem}$"):
        TlogProof(index, hashes, SIGNED)


hashes = st.binary(min_size=32, max_size=32).map(Hash)
proofs = st.builds(
    TlogProof,
    st.integers(0, MAX_TREE_SIZE - 1),
    st.lists(hashes, max_size=4).map(tuple),
    st.just(SIGNED),
    st.binary(max_size=40),
)


@given(proofs)
@settings(deadline=None)
def test_round_trip(proof: TlogProof) -> None:
    """What is printed is parsed to the same proof."""
    assert parse_tlog_proof(proof.data) == proof


@given(st.binary() | st.text().map(str.encode) | st.text().map(f"{SPEC_HEAD}\n{{}}".format).map(str.encode))
@example(PROOF.data)
@settings(deadline=None)
def test_any_bytes(data: bytes) -> None:
    """Any bytes are a proof, printed as they are, or Malformed."""
    with suppress(Malformed):
        assert parse_tlog_proof(data).data == data


@given(st.integers(0, len(PROOF.data)), st.integers(0, 50), st.binary(max_size=8) | st.text(max_size=4).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_nearly_a_proof(start: int, length: int, instead: bytes) -> None:
    """A real proof with a few bytes replaced is malformed or does not verify, unless what it proves is the same."""
    data = PROOF.data[:start] + instead + PROOF.data[start + length :]
    with suppress(LogError):
        parsed = parse_tlog_proof(data)
        assert parsed.data == data
        verify_tlog_proof(parsed, LEAF, POLICY)
        assert (parsed.index, parsed.hashes, parsed.checkpoint.tree) == (5, PROOF.hashes, CHECKPOINT.tree)

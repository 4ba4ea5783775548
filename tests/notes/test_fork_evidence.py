from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.readers import OTHER_KEY, POLICY, make_log
from tests.support.signed_text import LOG, W1, signed
from tiles.errors import ForkError, LogError, Malformed, PolicyError, ProofError, SignatureError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.fork_evidence import NEWER, OLDER, PREFIX, check_fork, fork_error, fork_signers
from tiles.notes.keys import parse_vkey, signing_key
from tiles.notes.policy import parse_policy, policy_for
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import Hash, TreeHead, leaf_hash
from tiles.tree.proof import verify_consistency


def checkpoint(objects: dict[str, bytes]) -> SignedCheckpoint:
    """Return a log's checkpoint."""
    return parse_signed_checkpoint(objects[CHECKPOINT])


A1, A2 = (checkpoint(make_log(size)) for size in (1, 2))
B1, B2 = (checkpoint(make_log(size, tag="other")) for size in (1, 2))
# of two entries, the second one's leaf is the whole proof that the first one's is the tree of size 1
A_PREFIX = (A1.tree.root, leaf_hash(b"entry 1 x"))
B_PREFIX = (B1.tree.root, leaf_hash(b"other 1 x"))


def evidence(older: SignedCheckpoint, newer: SignedCheckpoint, prefix: tuple[Hash, ...] = ()) -> dict[str, bytes]:
    """Return what `fork_error` would carry."""
    return fork_error(older, newer, prefix).evidence


def test_prefix_is_a_consistency_proof() -> None:
    """What these tests take for proofs are proofs."""
    verify_consistency(TreeHead(1, A_PREFIX[0]), A2.tree, A_PREFIX[1:])
    verify_consistency(TreeHead(1, B_PREFIX[0]), B2.tree, B_PREFIX[1:])


def test_error() -> None:
    """The error shows both trees, and carries both notes as they were signed."""
    error = fork_error(A1, B2, B_PREFIX, hint="tell others")
    assert isinstance(error, ForkError)
    assert str(A1.tree) in error.message
    assert str(B2.tree) in error.message
    assert error.hint == "tell others"
    assert (error.evidence[OLDER], error.evidence[NEWER]) == (A1.data, B2.data)


@pytest.mark.parametrize(
    ("older", "newer", "prefix"), [(A2, B2, ()), (B1, A1, ()), (A1, B2, B_PREFIX), (B1, A2, A_PREFIX)]
)
def test_fork(older: SignedCheckpoint, newer: SignedCheckpoint, prefix: tuple[Hash, ...]) -> None:
    """Two trees of one size, or a tree that does not begin with the smaller one, are a fork."""
    assert check_fork(evidence(older, newer, prefix), POLICY) == (older, newer)


def test_quorum_does_not_matter() -> None:
    """A log that forked has forked whether or not it was cosigned."""
    lines = f"log {LOG.verifier.vkey}\nwitness w {W1.verifier.vkey}\nquorum w\n"
    check_fork(evidence(A2, B2), parse_policy(lines.encode()))


C2 = checkpoint(make_log(2, key=OTHER_KEY))
OTHER_LOG_KEY = signing_key("other.example.com", bytes([5]) * 32)
OTHER_LOG = checkpoint(make_log(2, tag="other", key=OTHER_LOG_KEY))
BOTH = parse_policy(f"log {LOG.verifier.vkey}\nlog {OTHER_LOG_KEY.verifier.vkey}\nquorum none\n".encode())

NO_FORK = {
    "the same twice": (evidence(A2, A2), ProofError),
    "a sound log": (evidence(A1, A2, A_PREFIX), ProofError),
    "no prefix": (evidence(A1, B2), LogError),
    "the prefix of another tree": (evidence(A1, B2, A_PREFIX), ProofError),
    "a root without its proof": (evidence(A1, B2, B_PREFIX[:1]), ProofError),
    "a proof that is too long": (evidence(A1, B2, (*B_PREFIX, B_PREFIX[1])), ProofError),
    "a made-up root": (evidence(A1, A2, (leaf_hash(b"?"), A_PREFIX[1])), ProofError),
    "in the wrong order": (evidence(B2, A1, B_PREFIX), Malformed),
    "signed by somebody else": (evidence(A2, C2), SignatureError),
    "a prefix where the sizes are equal": (evidence(A2, B2) | {PREFIX: evidence(A1, B2, B_PREFIX)[PREFIX]}, Malformed),
    "an empty prefix": (evidence(A1, B2) | {PREFIX: b""}, Malformed),
    "no newer": ({OLDER: A2.data}, Malformed),
    "no older": ({NEWER: A2.data}, Malformed),
    "not a note": ({OLDER: b"x", NEWER: A2.data}, Malformed),
    "no base64": (evidence(A1, B2) | {PREFIX: b"?\n"}, Malformed),
    "no newline": (evidence(A1, B2, B_PREFIX) | {PREFIX: evidence(A1, B2, B_PREFIX)[PREFIX][:-1]}, Malformed),
    "a changed note": ({OLDER: A2.data, NEWER: B2.data.replace(b"\n2\n", b"\n3\n")}, SignatureError),
}


@pytest.mark.parametrize(("found", "error"), NO_FORK.values(), ids=NO_FORK.keys())
def test_what_is_no_fork(found: dict[str, bytes], error: type[LogError]) -> None:
    """Nobody can be accused by less than two signed checkpoints that exclude each other."""
    with pytest.raises(error):
        check_fork(found, POLICY)


def test_two_logs_are_no_fork() -> None:
    """Two logs of one policy may have different trees."""
    with pytest.raises(PolicyError, match="two logs"):
        check_fork(evidence(A2, OTHER_LOG), BOTH)


def test_the_key_is_not_taken_from_the_evidence() -> None:
    """Evidence proves nothing about a log whose key is another one."""
    with pytest.raises(SignatureError):
        check_fork(evidence(A2, B2), policy_for(OTHER_KEY.verifier))


def test_who_has_signed() -> None:
    """One key twice where it has signed both, whoever else has; two keys otherwise; never a key of the evidence."""
    keys = (LOG, OTHER_KEY)
    policy = parse_policy("".join(f"log {key.verifier.vkey}\n" for key in keys).encode() + b"quorum none\n")
    by_both = signed(B2.checkpoint, OTHER_KEY, LOG)
    assert fork_signers(A2, B2, policy) == (LOG.verifier, LOG.verifier)
    assert fork_signers(A2, by_both, policy) == (LOG.verifier, LOG.verifier)
    assert fork_signers(A2, C2, policy) == (LOG.verifier, OTHER_KEY.verifier)
    assert fork_signers(C2, by_both, policy) == (OTHER_KEY.verifier, OTHER_KEY.verifier)
    for one, other in ((A2, C2), (C2, A2), (A2, OTHER_LOG)):
        with pytest.raises(SignatureError):
            fork_signers(one, other, POLICY)


def test_two_sizes_without_a_prefix() -> None:
    """Two checkpoints of different size alone show nothing, which is said."""
    with pytest.raises(Malformed, match="nothing shows"):
        check_fork(evidence(A1, B2), POLICY)


def example() -> tuple[str, dict[str, bytes]]:
    """Return the vkey and the files of the example in docs/evidence.md."""
    text = (
        (Path(__file__).parents[2] / "docs" / "evidence.md").read_text(encoding="utf-8").partition("## An example")[2]
    )
    vkey, *blocks = [
        "".join(f"{line[4:]}\n" for line in block.rstrip("\n").split("\n"))
        for block in re.findall(r"\n\n((?: {4}[^\n]*\n|\n(?= {4}))+)", text)
    ]
    names = re.findall(r"^`([a-z]+)`:", text, flags=re.MULTILINE)
    return vkey.strip(), dict(zip(names, map(str.encode, blocks), strict=True))


def test_the_example_of_the_page() -> None:
    """The bytes on the page are a fork by the key on the page; with any of their lines changed they are none."""
    vkey, files = example()
    assert set(files) == {OLDER, NEWER, PREFIX}
    policy = policy_for(parse_vkey(vkey))
    older, newer = check_fork(files, policy)
    assert (older.tree.size, newer.tree.size) == (1, 2)
    assert fork_signers(older, newer, policy) == (LOG.verifier, LOG.verifier)
    assert fork_error(older, newer, B_PREFIX).evidence == files
    for name, data in files.items():
        lines = data.splitlines(keepends=True)
        for at, line in enumerate(lines):
            changed = b"".join([*lines[:at], b"x" + line, *lines[at + 1 :]])
            with pytest.raises(LogError):
                check_fork(files | {name: changed}, policy)

"""Checkpoints: the specification's example, every lenient spelling refused, and Tessera's golden log signed again."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.checkpoint_texts import MALFORMED_ROOTS, MALFORMED_SIZES, MALFORMED_TEXTS, SPEC, SPEC_TEXT, text
from tests.support.signed_text import CHECKPOINT, LOG, ORIGIN, TREE, W1, W2, cases, key, malformed, sign, signed
from tiles.errors import Malformed, SignatureError, UsageError
from tiles.notes.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    parse_checkpoint,
    parse_signed_checkpoint,
    sign_checkpoint,
    with_signatures,
)
from tiles.notes.keys import parse_skey
from tiles.notes.note import MAX_NOTE_SIZE, verify_note
from tiles.notes.policy import policy_for
from tiles.tree.merkle import EMPTY_ROOT, EMPTY_TREE, MAX_TREE_SIZE, Hash, TreeHead

# the golden log's private key is published with it
GOLDEN_KEY = parse_skey("PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg")


def test_example() -> None:
    """The example checkpoint is parsed and printed as it was."""
    parsed = parse_signed_checkpoint(SPEC)
    assert parsed.origin == "example.com/behind-the-sofa"
    assert parsed.tree.size == 20_852_163
    assert b64encode(parsed.tree.root) == b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
    assert parsed.checkpoint.extensions == ()
    assert parsed.checkpoint.text == SPEC_TEXT
    assert parsed.data == SPEC


@pytest.mark.parametrize(("size", "problem"), cases(MALFORMED_SIZES))
def test_malformed_sizes(size: str, problem: str) -> None:
    """A tree size is "ASCII decimal … with no leading zeroes", at most 2^63 - 1."""
    with malformed(problem):
        parse_checkpoint(text(size=size))


@pytest.mark.parametrize(("root", "problem"), cases(MALFORMED_ROOTS))
def test_malformed_roots(root: str, problem: str) -> None:
    """A root hash is 32 bytes in canonical base64."""
    with malformed(problem):
        parse_checkpoint(text(root=root))


@pytest.mark.parametrize(("data", "problem"), cases(MALFORMED_TEXTS))
def test_malformed_texts(data: bytes, problem: str) -> None:
    """A checkpoint is at least three lines, none of them empty, each ending in newline."""
    with malformed(problem):
        parse_checkpoint(data)


@pytest.mark.parametrize(
    "data", [SPEC_TEXT, SPEC_TEXT + b"\n", b"\n" + SPEC, SPEC + b"\n", SPEC.replace(b"20", b"020")]
)
def test_malformed_signed(data: bytes) -> None:
    """A signed checkpoint is a note around a checkpoint, both in their one form."""
    with pytest.raises(Malformed):
        parse_signed_checkpoint(data)


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint("o", EMPTY_TREE),
        Checkpoint("o", TreeHead(1, EMPTY_ROOT)),
        Checkpoint("o", TreeHead(MAX_TREE_SIZE, TREE.root)),
        Checkpoint("rekor.sigstore.dev - 1193050959916656506", TREE, ("Timestamp: 1",)),
        Checkpoint("— ö+\x7f", TREE, ("— a AAAAAAE=", " ", "\u2028")),
    ],
)
def test_what_a_checkpoint_may_be(checkpoint: Checkpoint) -> None:
    """Only "SHOULD" keeps spaces and plus out of an origin; extension lines are opaque."""
    assert parse_checkpoint(checkpoint.text) == checkpoint
    made = with_signatures(checkpoint, [sign(checkpoint, LOG)])
    assert parse_signed_checkpoint(made.data) == made


BAD_LINES = ["", "o\n", "\no", "o\0", "o\t", "\ud800"]


@pytest.mark.parametrize("line", BAD_LINES, ids=ascii)
def test_lines_that_cannot_be(line: str) -> None:
    """An origin or extension that could not be parsed again cannot be made, nor signed, either."""
    with pytest.raises(UsageError, match=r"^an origin is one line, not empty, without control characters$"):
        Checkpoint(line, TREE)
    for extensions in ((line,), ("extension", line), (line, "extension")):
        with pytest.raises(UsageError, match=r"^an extension is one line, not empty, without control characters$"):
            Checkpoint("o", TREE, extensions)


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        (TreeHead(-1, TREE.root), "a tree size is between 0 and 9223372036854775807, not -1"),
        (TreeHead(2**63, TREE.root), "a tree size is between 0 and 9223372036854775807, not 9223372036854775808"),
        (TreeHead(0, TREE.root), "the tree of size 0 has the root hash of the empty tree"),
        (TreeHead(1, Hash(b"abc")), "a root hash has 32 bytes, not 3"),
        (TreeHead(0, Hash(b"")), "a root hash has 32 bytes, not 0"),
    ],
)
def test_trees_that_cannot_be(tree: TreeHead, problem: str) -> None:
    """A tree head that no tree can have is not stated."""
    with pytest.raises(UsageError, match=f"^{problem}$"):
        Checkpoint("o", tree)


def test_longest() -> None:
    """A checkpoint's text is as long as a note may be, and no longer."""
    longest = Checkpoint("o" * (MAX_NOTE_SIZE - len(text()) + 1), TreeHead(5, Hash(b"r" * 32)))
    assert len(longest.text) == MAX_NOTE_SIZE
    assert parse_checkpoint(longest.text) == longest


def test_sign() -> None:
    """The log's key signs the text, and that verifies."""
    made = sign_checkpoint(CHECKPOINT, LOG)
    assert (made.origin, made.tree, made.checkpoint) == (ORIGIN, TREE, CHECKPOINT)
    assert verify_note(made.note, [LOG.verifier]) == made.note.signatures
    assert parse_signed_checkpoint(made.data) == made
    with pytest.raises(SignatureError):
        verify_note(signed(CHECKPOINT, key(ORIGIN, 9)).note, [LOG.verifier])


def test_sign_with_the_wrong_key() -> None:
    """A key of another name than the origin, or one that signs with a timestamp, is refused before it signs."""
    with pytest.raises(UsageError, match=r"named other\.example\.com, the origin is log\.example\.com"):
        sign_checkpoint(CHECKPOINT, key("other.example.com", 1))
    for cosigner in (W1, W2):
        with pytest.raises(UsageError, match="use cosign"):
            sign_checkpoint(CHECKPOINT, key(ORIGIN, 1, cosigner.verifier.type))


def test_a_note_of_another_checkpoint() -> None:
    """A signed checkpoint is never a note and a checkpoint that differ."""
    with pytest.raises(UsageError, match=r"^the text of the note is not that of the checkpoint$"):
        SignedCheckpoint(Checkpoint(ORIGIN, EMPTY_TREE), signed(CHECKPOINT, LOG).note)


@pytest.mark.parametrize("size", range(16))
def test_golden(size: int, shared_vectors: Path) -> None:
    """Tessera's checkpoint of every size is verified, and signed again byte for byte with its published key."""
    data = (shared_vectors / "tessera-golden-log" / f"checkpoint.{size}").read_bytes()
    parsed = parse_signed_checkpoint(data)
    assert parsed.tree.size == size
    assert parsed.data == data
    assert policy_for(GOLDEN_KEY.verifier).accept(parsed).log == GOLDEN_KEY.verifier
    again = Checkpoint("example.com/log/testdata", parsed.tree)
    assert sign_checkpoint(again, GOLDEN_KEY).data == data


lines = st.text(st.characters(codec="utf-8", min_codepoint=32), min_size=1)
trees = st.builds(TreeHead, st.integers(1, MAX_TREE_SIZE), st.binary(min_size=32, max_size=32).map(Hash))
checkpoints = st.builds(Checkpoint, lines, trees | st.just(EMPTY_TREE), st.lists(lines, max_size=3).map(tuple))


@given(checkpoints)
@settings(deadline=None)
def test_round_trip(checkpoint: Checkpoint) -> None:
    """What is printed is parsed to the same checkpoint."""
    assert parse_checkpoint(checkpoint.text) == checkpoint


@given(st.binary() | st.text().map(str.encode))
@example(SPEC_TEXT)
@example(SPEC)
@settings(deadline=None)
def test_any_bytes(data: bytes) -> None:
    """Any bytes are a checkpoint, printed as they are, or Malformed; signed ones too."""
    with suppress(Malformed):
        assert parse_checkpoint(data).text == data
    with suppress(Malformed):
        assert parse_signed_checkpoint(data).data == data


@given(st.integers(0, len(SPEC)), st.integers(0, 8), st.binary(max_size=8) | st.text(max_size=4).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_nearly_a_checkpoint(start: int, length: int, instead: bytes) -> None:
    """A real checkpoint with a few bytes replaced is a checkpoint, printed as it is, or Malformed."""
    data = SPEC[:start] + instead + SPEC[start + length :]
    with suppress(Malformed):
        parsed = parse_signed_checkpoint(data)
        assert parsed.data == data
        assert parse_checkpoint(parsed.note.text) == parsed.checkpoint

"""The head record: one text for one value; anything else is refused."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tiles.errors import Malformed
from tiles.records.fields import MAX_RECORD_SIZE
from tiles.records.head import Head, parse_head
from tiles.records.paths import policy_path, staged_path
from tiles.tree.merkle import EMPTY_TREE, MAX_TREE_SIZE, Hash, TreeHead

DIGEST = "ab" * 32
NONCE = "0f" * 16
ANCHOR = "a1" * 16
VKEY = "example.com/log+9be5d3c6+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
HEAD = Head(
    origin="example.com/log",
    vkeys=(VKEY,),
    policy="01" * 32,
    admission="02" * 32,
    anchor=ANCHOR,
    nonce=NONCE,
    tree=TreeHead(12, Hash(b"\x05" * 32)),
    base=10,
    batch=DIGEST,
)
TEXT = (
    "tiletree-head/v2\n"
    "origin example.com/log\n"
    f"anchor {ANCHOR}\n"
    "size 12\n"
    "root BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n"
    "base 10\n"
    f"batch {DIGEST}\n"
    f"policy {'01' * 32}\n"
    f"admission {'02' * 32}\n"
    "state open\n"
    f"nonce {NONCE}\n"
    f"vkey {VKEY}\n"
)

values = st.text(string.ascii_letters + "äß/.+ ", min_size=1).filter(lambda text: text == text.strip(" "))
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
nonces = st.binary(min_size=16, max_size=16).map(bytes.hex)


@st.composite
def heads(draw: st.DrawFn) -> Head:
    """Draw any head there can be."""
    base = draw(st.integers(0, MAX_TREE_SIZE - 1))
    size = draw(st.integers(base, MAX_TREE_SIZE))
    root = Hash(draw(st.binary(min_size=32, max_size=32)))
    return Head(
        origin=draw(values),
        vkeys=tuple(draw(st.lists(values, min_size=1, max_size=3))),
        policy=draw(digests),
        admission=draw(digests),
        anchor=draw(nonces),
        nonce=draw(nonces),
        tree=TreeHead(size, root) if size else EMPTY_TREE,
        base=base,
        batch=draw(digests) if size > base else draw(st.none() | digests),
        frozen=draw(st.booleans()),
    )


@given(heads())
@example(HEAD)
def test_round_trip(head: Head) -> None:
    """What is written is read back."""
    assert parse_head(head.data) == head


def test_the_text() -> None:
    """A head is exactly this text: another version's writer must find what it expects."""
    assert HEAD.data == TEXT.encode()
    assert replace(HEAD, frozen=True).data == TEXT.replace("state open", "state frozen").encode()
    without = TEXT.replace("base 10", "base 12").replace(DIGEST, "none")
    assert replace(HEAD, base=12, batch=None).data == without.encode()
    refusing = parse_head(TEXT.replace("base 10", "base 12").encode())
    assert (refusing.base, refusing.tree.size, refusing.batch) == (12, 12, DIGEST)


def test_freezing_changes_no_tree() -> None:
    """The last head says that it is frozen, on the tree that is published; the next head of a frozen one stays so."""
    closed = HEAD.closed("ab" * 16)
    assert (closed.tree, closed.base, closed.batch, closed.frozen) == (HEAD.tree, HEAD.tree.size, None, True)
    assert closed.nonce != HEAD.nonce
    assert parse_head(closed.data) == closed


@given(st.binary() | st.text().map(str.encode))
def test_arbitrary_bytes_are_malformed(data: bytes) -> None:
    """Bytes that nobody wrote give our error."""
    with pytest.raises(Malformed):
        parse_head(data)


@given(st.integers(0, len(TEXT) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_any_change_gives_another_head_or_our_error(at: int, new: bytes, cut: int) -> None:
    """No two texts are one head: a changed text is another head, or none."""
    data = TEXT.encode()[:at] + new + TEXT.encode()[at + cut :]
    try:
        head = parse_head(data)
    except Malformed:
        return
    assert head.data == data
    assert (head == HEAD) == (data == TEXT.encode())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("size 12", "size +12"),
        ("size 12", "size 012"),
        ("size 12", "size 1_2"),
        ("size 12", "size \u0661\u0662"),
        ("size 12", "size -12"),
        ("size 12", f"size {2**63}"),
        ("base 10", "base 13"),  # above the size
        (f"batch {DIGEST}", "batch none"),  # entries from nowhere
        (DIGEST, "none"),  # below the size, without a batch
        (DIGEST, DIGEST.upper()),
        (DIGEST, DIGEST[:-1]),
        (DIGEST, ""),
        ("01" * 32, "none"),
        ("BQU=", "BQU"),
        ("BQU=", "BQV="),  # bits that mean nothing
        ("root BQUF", "root "),
        ("state open", "state thawed"),
        ("state open", "state Open"),
        (f"vkey {VKEY}\n", ""),
        (f"vkey {VKEY}\n", "vkey \n"),
        (f"vkey {VKEY}\n", f"vkey {VKEY}\nvkey\n"),
        (f"vkey {VKEY}\n", f"vkey {VKEY}\nkey {VKEY}\n"),
        (f"vkey {VKEY}\n", f"vkey {VKEY}"),
        (f"vkey {VKEY}\n", f"vkey {VKEY}\n\n"),
        ("tiletree-head/v2", "tiletree-head/v1"),
        ("tiletree-head/v2\n", "\ntiletree-head/v2\n"),
        (f"anchor {ANCHOR}\n", ""),
        (ANCHOR, ANCHOR.upper()),
        (ANCHOR, ANCHOR[1:]),
        ("origin example.com/log\n", ""),
        ("origin example.com/log\n", "origin example.com/log\norigin example.com/log\n"),
        ("origin example.com/log", "origin  example.com/log"),
        ("origin example.com/log", "origin example.com/log "),
        ("origin example.com/log", "origin\texample.com/log"),
        ("\n", "\r\n"),
        (f"nonce {NONCE}\n", ""),
        (f"nonce {NONCE}\n", f"nonce {NONCE}\nnonce {NONCE}\n"),
    ],
)
def test_almost_a_head_is_malformed(old: str, new: str) -> None:
    """One wrong thing each."""
    assert old in TEXT
    with pytest.raises(Malformed):
        parse_head(TEXT.replace(old, new, 1).encode())


def test_a_head_is_capped() -> None:
    """More than 64 KiB is not read as a head."""
    with pytest.raises(Malformed, match="is the most"):
        parse_head(replace(HEAD, vkeys=("k" * MAX_RECORD_SIZE,)).data)


def test_extended() -> None:
    """The next commit is on top of this one's tree, and keeps everything else."""
    tree = TreeHead(20, Hash(b"\x06" * 32))
    head = HEAD.extended(tree, "cd" * 32, "1e" * 16)
    assert head == replace(HEAD, tree=tree, base=12, batch="cd" * 32, nonce="1e" * 16)


def test_paths() -> None:
    """Where the batch and the policies of a head are kept."""
    assert HEAD.staged_path == staged_path(12, DIGEST) == f"staging/12-{DIGEST}"
    assert replace(HEAD, base=12, batch=None).staged_path is None
    assert policy_path(DIGEST) == f"policies/{DIGEST}"

"""Key statements: one form only, never a checkpoint, and what they say of when each key has signed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tiles.errors import Malformed, SignatureError, UsageError
from tiles.notes.checkpoint import parse_checkpoint
from tiles.notes.key_change import (
    ADD,
    MAX_KEY_CHANGE_SIZE,
    MAX_KEY_CHANGES,
    MAX_KEYS,
    RETIRE,
    KeyChange,
    open_key_change,
    parse_key_change,
    sign_key_change,
)
from tiles.notes.keys import SignatureType, signing_key
from tiles.tree.merkle import Hash, TreeHead

NAME = "example.com/log"
OLD, NEW = (signing_key(NAME, bytes([n]) * 32) for n in (1, 2))
PQ = signing_key(NAME, b"\x03" * 32, SignatureType.MLDSA44)
OTHER = signing_key("example.com/other", b"\x04" * 32)
TREE = TreeHead(5, Hash(b"\x07" * 32))
ADDED = KeyChange(0, ADD, NEW.verifier, TREE, (OLD.verifier,))
RETIRED = KeyChange(1, RETIRE, OLD.verifier, TREE, (OLD.verifier, NEW.verifier))
VECTOR = b"""\
tiletree/key-change/v1
example.com/log
0
add
example.com/log+b07fbc77+AYE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU
5
BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=
example.com/log+9be5d3c6+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c
"""


def test_the_form() -> None:
    """A text has one statement, and a statement one text."""
    assert ADDED.text == VECTOR
    for said in (ADDED, RETIRED):
        assert parse_key_change(said.text) == said
        assert said.key.name == said.origin == NAME
    assert "was added at size 5" in ADDED.words
    assert "was retired at size 5" in RETIRED.words


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + b"\n",
        lambda text: text.replace(b"\n5\n", b"\n05\n"),
        lambda text: text.replace(b"\n0\n", b"\n1000\n"),
        lambda text: text.replace(b"\nadd\n", b"\nretire\n"),
        lambda text: text.replace(b"\nadd\n", b"\nadded\n"),
        lambda text: text.replace(b"/v1\n", b"/v2\n"),
        lambda text: text.replace(b"example.com/log\n0", b"example.com/other\n0"),
        lambda text: b"\n".join(text.split(b"\n")[:7]) + b"\n",
        lambda text: text + text.split(b"\n")[7] + b"\n",
        lambda text: text + OTHER.verifier.vkey.encode() + b"\n",
        lambda text: text.replace(b"BwcHBw", b"!!", 1),
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda _: b"",
    ],
)
def test_malformed(change: object) -> None:
    """Anything else is none."""
    assert callable(change)
    with pytest.raises(Malformed):
        parse_key_change(change(ADDED.text))


@pytest.mark.parametrize(
    "changes",
    [
        {"number": -1},
        {"number": MAX_KEY_CHANGES},
        {"action": "change"},
        {"before": ()},
        {"before": (OLD.verifier, OLD.verifier)},
        {"before": (OLD.verifier, NEW.verifier)},
        {"before": (OTHER.verifier,)},
        {"before": tuple(signing_key(NAME, bytes([n]) * 32).verifier for n in range(10, 11 + MAX_KEYS))},
        {"tree": TreeHead(-1, TREE.root)},
    ],
)
def test_what_cannot_be_said(changes: dict[str, object]) -> None:
    """A key is added that is not there, or retired that is; all have one name."""
    with pytest.raises(UsageError):
        replace(ADDED, **changes)  # type: ignore[arg-type]


def test_signed() -> None:
    """Whoever knows one of the signers can open it; a wrong signature of a known key spoils it."""
    data = sign_key_change(ADDED, [OLD, NEW]).data
    for keys in ([OLD], [NEW], [OLD, NEW], [OLD, PQ]):
        assert open_key_change(data, [key.verifier for key in keys]) == ADDED
    for keys in ([PQ], [OTHER], []):
        with pytest.raises(SignatureError):
            open_key_change(data, [key.verifier for key in keys])
    wrong = sign_key_change(replace(ADDED, number=1), [OLD, NEW]).data.replace(b"\n1\nadd", b"\n0\nadd")
    with pytest.raises(SignatureError):
        open_key_change(wrong, [OLD.verifier])
    with pytest.raises(Malformed):
        open_key_change(data + b"x" * MAX_KEY_CHANGE_SIZE, [OLD.verifier])
    for key in (PQ, OTHER):
        with pytest.raises(UsageError):
            sign_key_change(ADDED, [key])


@pytest.mark.parametrize("origin", ["example.com/log", "123", "0"])
def test_never_a_checkpoint(origin: str) -> None:
    """Whatever the log is called: who can have a statement signed has no checkpoint signed by that."""
    old, new = (signing_key(origin, bytes([n]) * 32).verifier for n in (1, 2))
    for said in (KeyChange(0, ADD, new, TREE, (old,)), KeyChange(999, RETIRE, old, TREE, (old, new))):
        with pytest.raises(Malformed):
            parse_checkpoint(said.text)

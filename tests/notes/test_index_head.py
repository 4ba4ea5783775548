"""docs/index-format.md, "Runs" and "The index head"."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from tests.support.index_texts import EMPTY, HEADS, MAX_COVERED, NOT_HEADS, head, run_line, slow_live_runs, slow_range
from tests.support.signed_text import LOG, MLDSA44, key
from tiles.errors import Malformed, SignatureError, UsageError
from tiles.notes.checkpoint import parse_checkpoint, parse_signed_checkpoint
from tiles.notes.index_head import (
    FAN_OUT,
    MAX_HEAD_SIZE,
    MAX_KEYS,
    MAX_KIND_SIZE,
    MAX_LEVEL,
    RUN_ENTRIES,
    IndexHead,
    Run,
    check_kind,
    is_local,
    live_runs,
    open_index_head,
    parse_index_head,
    sign_index_head,
)
from tiles.notes.note import Note, Signature, parse_note, verify_note
from tiles.tree.merkle import Hash, TreeHead

DOCUMENT = (Path(__file__).parents[2] / "docs" / "index-format.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("what", HEADS)
def test_heads(what: str) -> None:
    """What is parsed prints the same text."""
    assert parse_index_head(HEADS[what]).text == HEADS[what]
    assert len(HEADS[what]) < MAX_HEAD_SIZE


@pytest.mark.parametrize("what", NOT_HEADS)
def test_not_heads(what: str) -> None:
    """A head has one form, and its runs are the live ones."""
    with pytest.raises(Malformed, match=r"index head|hash"):
        parse_index_head(NOT_HEADS[what])


@pytest.mark.parametrize("what", HEADS)
def test_no_head_is_a_checkpoint(what: str) -> None:
    """Whatever its origin, so that neither is ever taken for the other."""
    with pytest.raises(Malformed, match="checkpoint"):
        parse_checkpoint(HEADS[what])


@pytest.mark.parametrize("size", ["4096", "1"])
def test_no_checkpoint_is_a_head(size: str) -> None:
    """Whatever its origin and its extensions."""
    lines = HEADS["one run"].decode().split("\n")
    text = "\n".join((lines[0], size, *lines[4:])).encode()
    assert parse_checkpoint(text).origin == "tiletree/index/v1"
    with pytest.raises(Malformed):
        parse_index_head(text)


@pytest.mark.parametrize("level", range(MAX_LEVEL + 1))
def test_live_runs(level: int) -> None:
    """Units from left to right, each the largest that fits; those of one level are one run."""
    rng = random.Random(level)
    width = RUN_ENTRIES * FAN_OUT**level
    sizes = {0, width, *(min(width * count - width % 7 // 7 * 4096, MAX_COVERED) for count in (2, 3, 4, 5))}
    sizes |= {rng.randrange(0, width // RUN_ENTRIES + 1) * RUN_ENTRIES for _ in range(20)}
    for covered in sizes:
        assert live_runs(covered) == slow_live_runs(covered)


@pytest.mark.parametrize("covered", [-RUN_ENTRIES, 1, RUN_ENTRIES - 1, MAX_COVERED + RUN_ENTRIES, 2**63])
def test_sizes_that_no_index_covers(covered: int) -> None:
    """A multiple of 4096, up to what six bytes hold."""
    with pytest.raises(UsageError, match=f"not {covered}$"):
        live_runs(covered)


def test_runs_cover_each_entry_once() -> None:
    """One run begins where the one before ends."""
    at = 0
    for level, number in live_runs(999_424):
        covers = Run(level, number, 0, Hash(EMPTY)).covers
        assert (covers.start, covers.stop) == slow_range(level, number)
        assert covers.start == at
        at = covers.stop
    assert at == 999_424


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": ""},
        {"origin": "a\nb"},
        {"kind": "leaf"},
        {"tree": TreeHead(0, Hash(EMPTY))},
        {"tree": TreeHead(4097, Hash(bytes(32)))},
        {"tree": TreeHead(4096, Hash(bytes(31)))},
        {"runs": ()},
        {"runs": (Run(0, 1, 1, Hash(bytes(32))),)},
        {"runs": (Run(0, 0, -1, Hash(bytes(32))),)},
        {"runs": (Run(0, 0, 0, Hash(bytes(32))),)},
        {"runs": (Run(0, 0, 1, Hash(EMPTY)),)},
        {"runs": (Run(0, 0, 1, Hash(bytes(33))),)},
        {"runs": (Run(0, 0, RUN_ENTRIES * MAX_KEYS + 1, Hash(bytes(32))),)},
    ],
    ids=str,
)
def test_what_no_head_states(changed: dict[str, object]) -> None:
    """It is refused where a head is made."""
    right = {"origin": "o", "kind": "leaf/1", "tree": TreeHead(4096, Hash(bytes(32))),
             "runs": (Run(0, 0, 1, Hash(bytes(32))),)}  # fmt: skip
    IndexHead(**right)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        IndexHead(**right | changed)  # type: ignore[arg-type]


def test_kinds() -> None:
    """Kinds of applications have a dot in their name."""
    for kind in ("leaf/1", "sha256/1", "sha512/999"):
        check_kind(kind)
        assert not is_local(kind)
    check_kind("acme.build/1")
    assert is_local("acme.build/1")
    assert MAX_KIND_SIZE < 44
    with pytest.raises(UsageError, match="is called like"):
        check_kind("leaf/0")


def test_whose_it_is() -> None:
    """The note-signing key of a log signs it; an ML-DSA-44 key cannot."""
    text = head(run_line(0, 0), origin=LOG.name)
    signed = Note(text, (Signature(LOG.name, LOG.verifier.key_id, LOG.sign(text)),))
    assert verify_note(parse_note(signed.data), [LOG.verifier])
    with pytest.raises(SignatureError):
        verify_note(parse_note(signed.data), [key("other.example.com", 9).verifier])
    with pytest.raises(UsageError, match="signs checkpoints"):
        verify_note(parse_note(signed.data), [key(LOG.name, 9, MLDSA44).verifier])
    with pytest.raises(Malformed, match="checkpoint"):
        parse_signed_checkpoint(signed.data)


def test_the_documents_example() -> None:
    """It is a head, and the document says what is held here."""
    (block,) = re.findall(r"(?:^ {4}.*\n)*^ {4}example\.com/log\n(?:^ {4}.*\n)+", DOCUMENT, re.MULTILINE)
    found = parse_index_head(re.sub("^ {4}", "", block, flags=re.MULTILINE).encode())
    assert (found.kind, found.tree.size, found.runs[0].records) == ("leaf/1", 4096, 4096)
    for text in ("at most 2^48", f"0 ≤ L ≤ {MAX_LEVEL}", f"at most {MAX_KEYS} different", "at most 16 KiB"):
        assert text in DOCUMENT


def test_signing() -> None:
    """What is signed is opened with the same key; a key for checkpoints signs none."""
    found = parse_index_head(HEADS["two levels"])
    assert open_index_head(sign_index_head(found, LOG).data, [LOG.verifier]) == found
    with pytest.raises(SignatureError):
        open_index_head(sign_index_head(found, LOG).data, [key(LOG.name, 9).verifier])
    with pytest.raises(UsageError, match="signs checkpoints only"):
        sign_index_head(found, key(LOG.name, 9, MLDSA44))

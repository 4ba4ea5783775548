"""Kinds of entries: what is made is known again, and what is said of an entry follows from its bytes."""

from __future__ import annotations

import io
import re
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.entry_texts import ENTRIES, HEX, PLAIN, SECRET, keys_of, named
from tiles.entries import kinds
from tiles.entries.blinded import blinded_entry, blinding
from tiles.entries.content import Content, read_content
from tiles.entries.file_digest import DigestEntry, digest_entry
from tiles.entries.file_kinds import forms
from tiles.entries.kind import Key
from tiles.entries.kinds import KINDS, kind_of
from tiles.entries.proof_extra import ProofExtra
from tiles.errors import Malformed
from tiles.tree.bundle import MAX_ENTRY_SIZE

A = digest_entry("ab" * 32, 7)
DOCUMENT = (Path(__file__).parents[2] / "docs" / "entry-formats.md").read_text(encoding="utf-8")


@given(st.binary(max_size=200))
def test_what_is_made_is_known_again(data: bytes) -> None:
    """Each form of a file is of its kind, or of one that comes before."""
    for name, entry in forms(read_content(io.BytesIO(data))):
        assert kind_of(entry).name in ("file", name)


@pytest.mark.parametrize(
    ("entry", "kind", "size"),
    [
        (A, "file", 7),
        (b"", "raw", 0),
        (A + b"\n", "raw", len(A) + 1),
        (A.replace(b"size 7", b"size 07"), "raw", len(A) + 1),
        (A.replace(b"ab", b"AB"), "raw", len(A)),
    ],
)
def test_kind_of(entry: bytes, kind: str, size: int) -> None:
    """An entry that is nearly a digest is bytes like any others."""
    found = kind_of(entry)
    assert found.name == kind
    assert ("Size", f"{size} bytes") in found.describe(entry)


def test_keys() -> None:
    """A file is found by the same digest, whichever way it was logged."""
    data = b"the file"
    for _, entry in forms(read_content(io.BytesIO(data), "a name")):
        assert Key("sha256/1", sha256(data).digest()) in kind_of(entry).keys(entry)


def test_too_long() -> None:
    """What no bundle can hold is no entry."""
    with pytest.raises(Malformed):
        kind_of(bytes(MAX_ENTRY_SIZE + 1))
    assert KINDS[-1].name == "raw"


EXAMPLES = [
    re.sub("^ {4}", "", block, flags=re.MULTILINE).encode()
    for block in re.findall(r"(?:^ {4}.*\n)+", DOCUMENT, re.MULTILINE)
]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: repr(entry[:40]))
def test_keys_of_each_kind(entry: bytes) -> None:
    """An entry has the keys of its kind; one that breaks a rule is raw."""
    expected = keys_of(entry)
    assert [(key.kind, key.value) for key in kinds.keys_of(entry)] == expected
    for kind in (
        "leaf/1",
        "sha256/1",
        "sha512/1",
        "name/1",
        "key/1",
        "identity/1",
        "issuer/1",
        "subject/1",
        "revoked/1",
        "origin/1",
        "x/1",
    ):
        assert kinds.values_of(kind, entry) == [value for found, value in expected if found == kind]
    assert (kind_of(entry).name == "raw") == (ENTRIES[entry] is None)
    assert all(label and text for label, text in kind_of(entry).describe(entry))


def test_examples() -> None:
    """The document shows what is made."""
    file = DigestEntry(HEX, 0)
    r, with_name = blinding(SECRET, file), DigestEntry(HEX, 0, "résumé v2.txt")
    made = (
        file.data,
        with_name.data,
        f"r = {r.hex()}\n".encode(),
        blinded_entry(r, file),
        ProofExtra(with_name.data).data,
    )
    assert [entry for entry in made if entry not in EXAMPLES] == []
    for name in re.findall(r"`name ([^`]*)`", DOCUMENT.partition("Not a named digest entry:")[2]):
        assert kind_of(named(name)).name == "raw"


def test_forms_of_a_file_with_a_name() -> None:
    """Readers try the digest, the name as it is, its normal form C, and the bytes; no form twice."""
    decomposed, composed = "e\u0301", "\u00e9"

    def tried(name: str | None) -> list[bytes]:
        return [entry for _, entry in forms(Content(HEX, 0, b"", name))]

    plain = PLAIN.encode()
    assert tried(decomposed) == [plain, named("e%CC%81"), named("%C3%A9"), b""]
    assert tried(composed) == [plain, named("%C3%A9"), b""]
    assert tried(None) == tried("a/b") == tried("\udcff") == [plain, b""]


def test_every_kind_has_its_own_name() -> None:
    """`matched` says which it is."""
    assert len({kind.name for kind in KINDS}) == len(KINDS) == 7

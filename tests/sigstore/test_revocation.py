"""Revocations: one form, signed by whoever may revoke, and never taken for anything else that a log's key signs."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.reference import flipped
from tests.support.revocation_texts import HEX, ID, ONE, REVOCATIONS, VKEY
from tests.support.signed_text import COSIGNATURE, ECDSA, LOG, ORIGIN, key
from tiles.errors import Malformed, SignatureError, UsageError
from tiles.notes.checkpoint import parse_checkpoint
from tiles.notes.index_head import parse_index_head
from tiles.notes.keys import VerifierKey, signing_key
from tiles.rekor.revoke import signed_by
from tiles.signing.artifact_key import generate_key
from tiles.sigstore.revocation import (
    DIGEST,
    IDENTITY,
    KEY,
    Relied,
    Revocation,
    Statement,
    check_revocation,
    is_revoked,
    parse_revocation,
)

DOCUMENT = (Path(__file__).parents[2] / "docs" / "entry-formats.md").read_text(encoding="utf-8")
SIGNER, OTHER = generate_key(), generate_key()
HINT = SIGNER.public.hint.hex()


MISTAKES = [{"what": "leaf"}, {"value": HEX.upper()}, {"reason": "a\nb"}, {"log": ""}, {"key": b"k"}]


def by_log(what: str = DIGEST, value: str = HEX) -> Revocation:
    """Return a revocation by the log, signed."""
    said = Statement(what, value, "why", log=LOG.verifier.vkey)
    return Revocation(said, LOG.sign(said.text))


def forged(signature: bytes) -> bytes:
    """Return a signature with a bit changed."""
    return flipped(signature, 8 * len(signature) - 8)


def test_form() -> None:
    """What is printed is read again, to the byte; nothing else is a revocation."""
    for entry, line in REVOCATIONS.items():
        if line is None:
            with pytest.raises(Malformed, match="revocation/v1"):
                parse_revocation(entry)
        else:
            found = parse_revocation(entry)
            assert (found.data, found.statement.line) == (entry, line)


def test_the_example_of_the_document() -> None:
    """It is signed by the key that it names."""
    blocks = re.findall(r"(?:^ {4}.*\n)+", DOCUMENT, re.MULTILINE)
    (entry,) = [block for block in blocks if block.startswith("    tiletree/revocation") and VKEY in block]
    found = parse_revocation(re.sub("^ {4}", "", entry, flags=re.MULTILINE).encode())
    log = signing_key("log.example.com", bytes(range(32)))
    assert log.verifier.vkey == VKEY
    check_revocation(found, [log.verifier])
    assert found.statement.reason == "built on a machine that was broken into"
    assert found.signature == log.sign(found.statement.text)


@pytest.mark.parametrize("said", MISTAKES)
def test_what_no_revocation_says(said: dict[str, str]) -> None:
    """It is a mistake of the call."""
    with pytest.raises(UsageError):
        replace(by_log().statement, **said)  # type: ignore[arg-type]


def test_signatures() -> None:
    """A revocation is by the log that is trusted, under its name, or by the key in it; each byte of it counts."""
    good = [by_log(), signed_by(SIGNER, DIGEST, HEX, "why"), signed_by(SIGNER, KEY, HINT, "why")]
    for found in good:
        check_revocation(found, [key("other.example.com", 2).verifier, LOG.verifier])
        for said in (replace(found.statement, reason="Why"), replace(found.statement, value="0" * 64)):
            with pytest.raises(SignatureError):
                check_revocation(Revocation(said, found.signature), [LOG.verifier])
        with pytest.raises(SignatureError):
            check_revocation(
                replace(found, signature=flipped(found.signature, 8 * len(found.signature) - 8)), [LOG.verifier]
            )
    with pytest.raises(SignatureError, match="no key of the log that is trusted"):
        check_revocation(good[0], [key(ORIGIN, 2).verifier, signing_key("a", bytes([1]) * 32).verifier])
    witness = key(ORIGIN, 1, COSIGNATURE)  # of the same seed: what it signs has a timestamp
    said = replace(good[0].statement, log=witness.verifier.vkey)
    with pytest.raises(SignatureError, match="no key of the log that is trusted"):
        check_revocation(Revocation(said, LOG.sign(said.text)), [witness.verifier])
    ec_log = VerifierKey(ORIGIN, ECDSA, SIGNER.public.spki)
    said = replace(good[0].statement, log=ec_log.vkey)
    check_revocation(Revocation(said, SIGNER.sign_digest(sha256(said.text).digest())), [ec_log])
    with pytest.raises(Malformed):
        check_revocation(Revocation(replace(good[1].statement, key=b"no key"), b"s"), [])


# (what, value) of a revocation → by whom it counts for a file that SIGNER signed as somebody at ID
COUNTING = {
    (DIGEST, HEX): {"log", "signer"},
    (KEY, HINT): {"log", "signer"},
    (IDENTITY, ID): {"log"},
    (IDENTITY, "https://github.com"): {"log"},
    (IDENTITY, ID + "/x"): set(),
    (DIGEST, "0" * 64): set(),
    (DIGEST, HINT): set(),
    (KEY, HEX): set(),
    (KEY, OTHER.public.hint.hex()): set(),
}


@pytest.mark.parametrize("by", ["log", "signer", "other"])
def test_which_count(by: str) -> None:
    """The log revokes everything; a key itself, and what it has signed; nobody what others have signed."""
    relied = Relied((HEX,), HINT, (ID, "https://github.com", "https://github.com/Org"))
    signer = b"" if by == "log" else (SIGNER if by == "signer" else OTHER).public.spki
    for (what, value), counts in COUNTING.items():
        said = Statement(what, value, "why", signer, "" if signer else VKEY)
        assert is_revoked(relied, said) == (by in counts), (what, value)


def test_what_nobody_signed() -> None:
    """The file of a digest entry is revoked by the log only, and not by a key that has signed it elsewhere."""
    unsigned = Relied((HEX,))
    assert is_revoked(unsigned, by_log().statement)
    assert not is_revoked(unsigned, signed_by(SIGNER, DIGEST, HEX, "why").statement)
    assert unsigned.lines == (f"sha256 {HEX}",)


def test_it_is_no_other_text_of_a_log() -> None:
    """What a log signs of this form is no checkpoint and no index head, and none of these is a revocation."""
    for entry, line in REVOCATIONS.items():
        text = parse_revocation(entry).statement.text if line else ONE
        for parse in (parse_checkpoint, parse_index_head):
            with pytest.raises(Malformed):
                parse(text)

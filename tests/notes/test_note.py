"""Signed notes: the specification's examples, every form that is not canonical, and who counts as a signer."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.note_texts import LINE, MALFORMED, SPACES, SPEC_KEY, SPEC_NOTE, SPEC_POEM, TEXT, A, B, C, signature
from tests.support.reference import flipped
from tests.support.signed_text import ECDSA, ED25519, ORIGIN, W1, W2, cases, key, malformed
from tiles.errors import Malformed, SignatureError, UsageError
from tiles.notes.keys import SigningKey, VerifierKey, parse_vkey
from tiles.notes.note import (
    MAX_NOTE_SIZE,
    MAX_SIGNATURES,
    Note,
    Signature,
    parse_note,
    parse_signature,
    verify_note,
)


def note(*by: SigningKey) -> Note:
    """Return TEXT, signed by these keys in this order."""
    return Note(TEXT, tuple(signature(signer) for signer in by))


def test_example() -> None:
    """The example note is verified by the example key, and printed as it was."""
    parsed = parse_note(SPEC_NOTE)
    assert parsed.text == b"This is an example message.\n"
    assert parsed.data == SPEC_NOTE
    assert verify_note(parsed, [SPEC_KEY]) == parsed.signatures
    assert parsed.signatures[0].key_id.hex() == "530d903a"
    assert parsed.signatures[0].line.encode() + b"\n" == SPEC_NOTE.partition(b"\n\n")[2]


def test_text_with_a_blank_line() -> None:
    """Text and signatures part at the last blank line, so the text may have some of its own."""
    parsed = parse_note(SPEC_POEM)
    assert parsed.text.decode().splitlines()[-2:] == ["", "ed è subito sera."]
    assert [signature.name for signature in parsed.signatures] == ["quasimodo.example/salvatore"]
    assert parsed.data == SPEC_POEM
    assert parse_note(b"\n\n" + LINE).text == b"\n"
    assert parse_note(b"text\n\n\n" + LINE).text == b"text\n\n"


def test_every_bit_flipped() -> None:
    """No single bit of a note can change: it is malformed then, or not verified."""
    for bit in range(8 * len(SPEC_NOTE)):
        with pytest.raises((Malformed, SignatureError)):
            verify_note(parse_note(flipped(SPEC_NOTE, bit)), [SPEC_KEY])


@pytest.mark.parametrize(("data", "problem"), cases(MALFORMED))
def test_malformed(data: bytes, problem: str) -> None:
    """A note has one form; everything else is refused when it is parsed, signature lines included."""
    with malformed(problem):
        parse_note(data)


def test_what_was_found() -> None:
    """The error holds the offending part: of a line, the line; of a limit, the size."""
    for data, found in (
        (TEXT + b"\ntext\n" + LINE, "text"),
        (TEXT + "\n— name AAAA\n".encode(), "— name AAAA"),
        (TEXT + "\n— name ====\n".encode(), "===="),
        (b"te\xc0\xafxt\n\n" + LINE, b"\xc0"),
        (b"x" * (MAX_NOTE_SIZE + 1), MAX_NOTE_SIZE + 1),
        (TEXT + b"\n" + LINE * (MAX_SIGNATURES + 1), MAX_SIGNATURES + 1),
    ):
        with pytest.raises(Malformed) as caught:
            parse_note(data)
        assert caught.value.found == found


@pytest.mark.parametrize("space", SPACES, ids=hex)
def test_space_in_a_name(space: int) -> None:
    """ "Key names … MUST NOT contain any Unicode spaces": all of them."""
    with pytest.raises(Malformed):
        parse_note(TEXT + f"\n— na{chr(space)}me AAAAAAE=\n".encode())


def test_what_a_note_may_hold() -> None:
    """Limits are reached without being refused; what is only odd is allowed."""
    assert len(parse_note(TEXT + b"\n" + LINE * MAX_SIGNATURES).signatures) == MAX_SIGNATURES
    longest = b"x" * (MAX_NOTE_SIZE - len(LINE) - 2) + b"\n\n" + LINE
    assert len(longest) == MAX_NOTE_SIZE
    assert parse_note(longest).data == longest
    odd = "\ufeff— text \u2028 AAAA \x7f\n\n— — AAAAAAE=\n".encode()
    assert parse_note(odd).data == odd


def test_limits_are_those_of_the_specification() -> None:
    """Verifiers "MUST accept at least up to 16 signatures", post-quantum ones of "nearly 5kB" included."""
    line = Signature("name", b"\0" * 4, b"\1" * 5000).line.encode() + b"\n"
    assert len(parse_note(TEXT + b"\n" + line * 16).signatures) == 16


@pytest.mark.parametrize(
    "line", ["", "— ", "— name AAAAAAE=\n", "name AAAAAAE=", "— na\ud800me AAAAAAE=", "— name \ud800"]
)
def test_malformed_line(line: str) -> None:
    """A signature line by itself is parsed as strictly as in a note, without its newline."""
    with pytest.raises(Malformed):
        parse_signature(line)


def test_unknown_keys_are_ignored() -> None:
    """A signature by an unknown key does no harm, "even if they share a name or ID (but not both)"."""
    same_name = Signature(A.name, b"\xff\xff\xff\xff", b"wrong")
    same_id = Signature("other.example.com", A.verifier.key_id, b"wrong")
    mixed = Note(TEXT, (same_name, signature(A), same_id))
    assert verify_note(mixed, [A.verifier]) == (signature(A),)


def test_a_wrong_signature_of_a_known_key() -> None:
    """A known key's wrong signature refuses the whole note, whatever else is right and wherever it stands."""
    wrong = Signature(A.name, A.verifier.key_id, A.sign(b"another text\n"))
    for signatures in ([wrong, signature(B)], [signature(B), wrong], [signature(A), wrong], [wrong, signature(A)]):
        forged = Note(TEXT, tuple(signatures))
        with pytest.raises(SignatureError, match=f"wrong signature by {A.verifier.name}") as caught:
            verify_note(forged, [A.verifier, B.verifier])
        assert caught.value.evidence == {"note": forged.data}


def test_all_known_signatures_are_returned() -> None:
    """Signatures come back in the order of the note, twice if they are there twice."""
    parsed = note(C, A, B, A)
    assert verify_note(parsed, [A.verifier, C.verifier]) == (signature(C), signature(A), signature(A))


@pytest.mark.parametrize("keys", [[], [B.verifier], [SPEC_KEY, B.verifier]])
def test_no_known_signature(keys: list[VerifierKey]) -> None:
    """ "If no signature from a known key verifies successfully, clients MUST reject the note", and it is said why."""
    with pytest.raises(SignatureError) as caught:
        verify_note(note(A, C), keys)
    assert caught.value.evidence == {"note": note(A, C).data}
    looked_for = ", ".join(str(key) for key in keys) or "no key"
    assert caught.value.message == f"no signature by {looked_for}; signed by {A.verifier}, {C.verifier}"


@pytest.mark.parametrize("by", [W1, W2])
def test_checkpoint_keys_do_not_verify_notes(by: SigningKey) -> None:
    """A key that cosigns checkpoints is the wrong key for a note's text: the call is wrong, not the note."""
    with pytest.raises(UsageError, match="signs checkpoints"):
        verify_note(note(A), [A.verifier, by.verifier])


def test_two_keys_of_one_name_and_id() -> None:
    """Key ids are short and can be made to collide; which of two keys was meant is not guessed."""
    one, other = (VerifierKey(ORIGIN, ED25519, sha256(n.to_bytes(4, "big")).digest()) for n in (23089, 29251))
    assert one != other
    assert one.key_id == other.key_id
    with pytest.raises(UsageError, match="two different keys"):
        verify_note(note(A), [one, other])
    assert verify_note(note(A), [one, one, A.verifier]) == (signature(A),)


@pytest.mark.parametrize(
    ("text", "count", "problem"),
    [
        (b"no newline", 1, "the text of a note ends in newline"),
        (b"", 1, "the text of a note ends in newline"),
        (b"control\0\n", 1, "malformed signed note: control character"),
        (b"\xff\n", 1, "malformed signed note: not UTF-8 at byte 0"),
        (TEXT, 0, "a note has 1 to 100 signatures, not 0"),
        (TEXT, 101, "a note has 1 to 100 signatures, not 101"),
        (b"x" * (MAX_NOTE_SIZE - len(LINE) - 1) + b"\n", 1, "a note has at most 1048576 bytes, not 1048577"),
    ],
)
def test_notes_that_cannot_be(text: bytes, count: int, problem: str) -> None:
    """A note that could not be parsed again cannot be made either."""
    with pytest.raises(UsageError, match=f"^{problem}"):
        Note(text, (parse_signature(LINE.decode().strip()),) * count)


@pytest.mark.parametrize(
    ("name", "key_id", "raw", "problem"),
    [
        ("", b"1234", b"1", "a key name is not empty"),
        ("a b", b"1234", b"1", "a key name is not empty and has no space"),
        ("a", b"123", b"1", "a signature line has 4 bytes of key id"),
        ("a", b"1234", b"", "a signature line has 4 bytes of key id and at least one of signature"),
    ],
)
def test_signatures_that_cannot_be(name: str, key_id: bytes, raw: bytes, problem: str) -> None:
    """A signature line that could not be parsed again cannot be made either."""
    with pytest.raises(UsageError, match=f"^{problem}"):
        Signature(name, key_id, raw)


def test_claims() -> None:
    """A line claims a key by name and key id together."""
    assert signature(A).claims(A.verifier)
    assert not signature(A).claims(B.verifier)
    assert not signature(A).claims(key("other.example.com", 5).verifier)
    assert not Signature("other.example.com", A.verifier.key_id, b"1").claims(A.verifier)


names = st.text(st.characters(codec="utf-8", exclude_characters=[chr(c) for c in SPACES] + ["+"]), min_size=1)
names = names.filter(lambda name: min(name) > "\x1f")
texts = st.text(st.characters(codec="utf-8", min_codepoint=32) | st.just("\n")).map(lambda text: f"{text}\n".encode())
signatures = st.builds(Signature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80))
notes = st.builds(Note, texts, st.lists(signatures, min_size=1, max_size=4).map(tuple))


@given(notes)
@settings(deadline=None)
def test_round_trip(made: Note) -> None:
    """What is printed is parsed to the same note."""
    assert parse_note(made.data) == made


@given(st.binary() | st.text().map(str.encode))
@example(SPEC_NOTE[:-1])
@settings(deadline=None)
def test_any_bytes(data: bytes) -> None:
    """Any bytes are a note, printed as they are, or Malformed; nothing else is raised."""
    with suppress(Malformed):
        assert parse_note(data).data == data


@given(st.integers(0, len(SPEC_NOTE)), st.integers(0, 8), st.binary(max_size=8) | st.text(max_size=4).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_nearly_a_note(start: int, length: int, instead: bytes) -> None:
    """A real note with a few bytes replaced is Malformed, or what it prints; only the whole one is verified."""
    data = SPEC_NOTE[:start] + instead + SPEC_NOTE[start + length :]
    with suppress(Malformed, SignatureError):
        parsed = parse_note(data)
        assert parsed.data == data
        verify_note(parsed, [SPEC_KEY])
        assert parsed.text == b"This is an example message.\n"


@given(st.text(st.characters()))
@settings(deadline=None)
def test_any_line(line: str) -> None:
    """Any text is a signature line, printed as it is, or Malformed."""
    with suppress(Malformed):
        assert parse_signature(line).line == line


def test_ecdsa_is_a_note_signature() -> None:
    """A signature line with an ECDSA key verifies like any other (key id and message as in Rekor's notes)."""
    rekor = parse_vkey(
        "rekor.sigstore.dev+c0d23d6a+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNhtmPtrWm3U1eQXBogSMdGvXwBcK5AW5i0hrZLOC96l"
        "+smGNM7nwZ4QvFK/4sueRoVj//QP22Ni4Qt9DPfkWLc="
    )
    assert rekor.type == ECDSA
    # from transparency-dev/formats, note/note_verifier_test.go (Apache-2.0)
    parsed = parse_note(
        "Rekor\n798034\nf+7CoKgXKE/tNys9TTXcr/ad6U/K3xvznmzew9y6SP0=\n\n"
        "— rekor.sigstore.dev wNI9ajBEAiARInWIWyCdyG27CO6LPnPekyw20qO0YJfoaPaowGp/"
        "XgIgc+qEHS3+GKVClgqq20uDLet7MCoTURUCRdxwWBHHufk=\n".encode()
    )
    assert verify_note(parsed, [rekor]) == parsed.signatures
    changed = Note(parsed.text.replace(b"798034", b"798035"), parsed.signatures)
    with pytest.raises(SignatureError, match="wrong signature"):
        verify_note(changed, [rekor])

"""The gate: its format as the page has it, which lines decide, and what a refusal names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.gate_texts import EXAMPLE, FINGERPRINT, GOOD, ISSUER, WORKFLOW
from tests.support.signed_bundles import ARTIFACT, NOW, STATEMENT, bundle_of, digests, envelope_of, public, signer
from tests.support.signed_bundles import trusted_root as root_bytes
from tests.support.sigstore_authority import authority
from tiles.errors import Malformed, SignatureError, VerificationError
from tiles.sigstore.certificate import parse_certificate
from tiles.sigstore.gate import MAX_GATE_LINES, MAX_GATE_SIZE, MAX_WORD, Gate, Required, parse_gate
from tiles.sigstore.trusted_root import parse_trusted_root
from tiles.sigstore.verdict import verify_bundle

KEY = public(signer())
HINT = KEY.hint.hex()
TYPE = STATEMENT["predicateType"]


def gate(*lines: str) -> Gate:
    """Return a gate of these lines."""
    return parse_gate("".join(f"{line}\n" for line in lines).encode())


def required(*lines: str, name: str = "a") -> Required:
    """Return what a gate of these lines requires of a file."""
    return gate(*lines).required(name, {"s.pub": KEY})


def certificate(*names: Any, **options: Any) -> Any:
    """Return a certificate of our authority."""
    return parse_certificate(authority().leaf(*names, **options).der)


def test_the_example_of_the_page() -> None:
    """docs/recipes/gate.md shows what the parser reads, and for each name the lines that the page says."""
    found = parse_gate(EXAMPLE.encode())
    assert found.data == EXAMPLE.encode()
    assert [line.number for line in found.lines] == [3, 4, 5, 6, 7]
    keys = {"keys/config.pub": KEY}
    deciding = {
        name: [line.number for line in found.required(name, keys).lines]
        for name in ("api-service", "api-service-1.4.tgz", "tools-2.0.tar.gz", "web.tar", "config.yaml")
    }
    assert list(deciding.values()) == [[3, 4], [3, 4], [5], [6], [7]]
    for name in ("api", "my-api-service", "API-service", "tools-.tar.gz.exe", "web.tars", ""):
        with pytest.raises(VerificationError, match="no line of the gate matches the name"):
            found.required(name, keys)


REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "no line says who"),
    "remarks only": (b"# a\n\n", "no line says who"),
    "no newline at the end": (b"a key s.pub", "the last line does not end in a newline"),
    "not UTF-8": (b"a key s\xff\n", "not UTF-8 at byte 7"),
    "a carriage return": (b"a key s.pub\r\n", "line 1: has a character that is not printable"),
    "a tab": (b"\na\tkey s.pub\n", "line 2: has a character that is not printable"),
    "turned around": ("a key s.\N{RIGHT-TO-LEFT OVERRIDE}pub\n".encode(), "line 1: has a character that is not"),
    "two words": (b"a dev@example.com\n", "line 1: not PATTERN IDENTITY ISSUER or PATTERN key KEY"),
    "five words": (b"a dev@example.com https://a b:c d\n", "line 1: not PATTERN"),
    "a folder": (b"b/a key s.pub\n", "line 1: a pattern has no /"),
    "a class": (b"[ab] key s.pub\n", "no other wildcard than"),
    "a question mark": (b"a? key s.pub\n", "no other wildcard than"),
    "two stars": (b"a** key s.pub\n", r"\*\* is written \*"),
    "two stars in a part": (b"a https://a/*b* https://b\n", r"an identity has one \* at most between"),
    "a star in an issuer": (b"a dev@example.com https://*\n", "an issuer is a URL, and has no"),
    "an issuer that is none": (b"a dev@example.com example.com\n", "an issuer is a URL, and has no"),
    "a short name of a type": (b"a key s.pub slsaprovenance1\n", "the type of a statement is a URI"),
    "a line that never decides": (b"a* key s.pub\n\nab* key s.pub\n", "line 3: line 1 decides about every file"),
    "behind everything": (b"* key s.pub\na key s.pub\n", "line 2: line 1 decides about every file"),
    "one pattern in two places": (b"a key s.pub\nb key s.pub\na key t.pub\n", "line 3: lines of one pattern stand"),
    "too long a word": (b"a key " + b"k" * (MAX_WORD + 1) + b"\n", "a word of more than"),
    "too many lines": (b"\n" * (MAX_GATE_LINES + 1), "more than 1000 lines"),
    "too large": (b"#" * (MAX_GATE_SIZE + 1), "more than 65536 bytes"),
}


@pytest.mark.parametrize(("data", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_gate(data: bytes, problem: str) -> None:
    """Whatever could be meant in two ways, or decide about nothing; nothing of the file is in the message."""
    with pytest.raises(Malformed, match=problem) as caught:
        parse_gate(data)
    assert caught.value.found is None


def test_names_are_compared_in_one_form() -> None:
    """An accent of its own is the same letter, so that no line for everything is reached by the other spelling."""
    found = gate("caf\N{LATIN SMALL LETTER E WITH ACUTE}* key s.pub", f"* key {FINGERPRINT}")
    for name in ("caf\N{LATIN SMALL LETTER E WITH ACUTE}1", "cafe\N{COMBINING ACUTE ACCENT}1"):
        assert [line.number for line in found.required(name, {"s.pub": KEY}).lines] == [1]


def test_certificates() -> None:
    """One of the lines is met, or the refusal names who signed, for whom, and each line with its number."""
    lines = (
        "b key s.pub",
        f"a* {WORKFLOW} {ISSUER}",
        f"a* https://github.com/e/a/.github/workflows/r.yml@refs/tags/* {ISSUER}",
    )
    decide = required(*lines)
    decide.check(certificate(WORKFLOW, issuer=ISSUER))
    decide.check(certificate(WORKFLOW.replace("v1", "v2"), issuer=ISSUER))
    for other in (
        certificate(WORKFLOW.replace("/e/", "/evil/"), issuer=ISSUER),
        certificate(WORKFLOW, issuer="https://evil.example"),
        certificate(WORKFLOW.replace("v1", "v1/x"), issuer=ISSUER),
        certificate(WORKFLOW, "dev@example.com", issuer=ISSUER),
    ):
        with pytest.raises(VerificationError) as caught:
            decide.check(other)
        named = ", ".join(repr(each.value) for each in other.identities)
        assert caught.value.message == (
            f"signed by {named}, for whom {other.issuer!r} vouches, and lines 2 or 3 of the gate demand: "
            f"{lines[1]} | {lines[2]}"
        )


def test_keys() -> None:
    """A key by its file or its fingerprint; another one, or a certificate where a key is demanded, is refused."""
    for line in ("a key s.pub", f"a key {HINT}"):
        assert required(line).demanded(bundle_of()) == KEY
    with pytest.raises(SignatureError, match=f"signed by the key {HINT}, and line 1 of the gate demands: a key 0a"):
        required(f"a key {FINGERPRINT}").demanded(bundle_of())
    with pytest.raises(SignatureError, match=r"and line 1 of the gate demands: a dev@example.com"):
        required(f"a dev@example.com {ISSUER}").demanded(bundle_of())
    with pytest.raises(VerificationError, match=r"signed by 'dev@example.com', for whom .* line 1 of the gate demands"):
        required("a key s.pub").check(certificate())


def test_statements() -> None:
    """A line without a type wants the file itself signed, one with a type that statement, and no other."""
    root = parse_trusted_root(root_bytes())
    plain, typed, other = "a key s.pub", f"a key s.pub {TYPE}", "a key s.pub https://example.com/other"
    itself = verify_bundle(bundle_of(), digests(ARTIFACT), root, KEY, NOW)
    stated = verify_bundle(bundle_of(content=envelope_of(signer())), digests(ARTIFACT), root, KEY, NOW)
    assert required(other, plain).met(itself).number == 2
    assert required(plain, typed).met(stated).number == 2
    with pytest.raises(VerificationError, match=f"a statement of the type '{TYPE}' is signed, and line 1 of the gate"):
        required(plain).met(stated)
    with pytest.raises(
        VerificationError, match=r"a statement of the type .* is signed, and line 1 of the gate demands"
    ):
        required(other).met(stated)
    with pytest.raises(VerificationError, match="the file itself is signed, and line 1 of the gate demands"):
        required(typed).met(itself)


def test_all_words() -> None:
    """What a line says arrives where it is needed."""
    first, second, last = parse_gate(GOOD).lines
    assert first.demanded is not None
    assert (first.number, first.pattern.text, first.demanded.identity.exact) == (3, "a*", WORKFLOW)
    assert (second.key, second.key_file, second.predicate_type) == (FINGERPRINT, "", "https://slsa.dev/provenance/v1")
    assert (last.key, last.key_file, last.predicate_type) == ("s.pub", "s.pub", "")

"""Statements about artifacts (https://github.com/in-toto/attestation, spec/v1/statement.md; v0.1, which cosign writes).

    {"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"…","digest":{"sha256":"…"}}],
     "predicateType":"https://slsa.dev/provenance/v1","predicate":{…}}

Here only what a statement is about is read: which artifacts, and what kind of statement. "Consumers MUST ignore
unrecognized fields" (spec/v1/README.md, "Parsing rules").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tiles.errors import Malformed
from tiles.sigstore.dsse import MAX_ENVELOPE_SIZE
from tiles.sigstore.json_text import Item, parse_item

PAYLOAD_TYPE = "application/vnd.in-toto+json"  # of an envelope
STATEMENT_V0, STATEMENT_V1 = "https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"

MAX_SUBJECTS = 10_000

_WHAT = "in-toto statement"
_MAX_TEXT = 4096  # characters of a name or type
_HEX = re.compile(r"(?:[0-9a-f]{2})+", re.ASCII)

# names of digests (spec/v1/digest_set.md) → those of Sigstore
ALGORITHMS = {"sha256": "SHA2_256", "sha384": "SHA2_384", "sha512": "SHA2_512"}


@dataclass(frozen=True, slots=True)
class Subject:
    """An artifact that a statement is about.

    name      "" if it has none; whoever made the statement chose it
    digests   names of algorithms, such as "sha256", with lower-case hexadecimal; under other names anything may stand
    """

    name: str
    digests: tuple[tuple[str, str], ...]

    def has(self, algorithm: str, digest: bytes) -> bool:
        """Whether this is the artifact of that digest. algorithm: such as "SHA2_256"."""
        return any(ALGORITHMS.get(name) == algorithm and value == digest.hex() for name, value in self.digests)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a statement is about; nothing about it is verified.

    type             STATEMENT_V0 or STATEMENT_V1
    predicate_type   what kind of statement, such as "https://slsa.dev/provenance/v1"
    subjects         at least one
    """

    type: str
    predicate_type: str
    subjects: tuple[Subject, ...] = field(repr=False)

    def is_about(self, digests: Mapping[str, bytes]) -> bool:
        """Whether an artifact is among the subjects. digests: of the artifact, by algorithms such as "SHA2_256"."""
        return any(subject.has(name, digest) for subject in self.subjects for name, digest in digests.items())

    @property
    def algorithms(self) -> frozenset[str]:
        """The algorithms, such as "SHA2_256", of the digests by which an artifact can be told here."""
        names = {name for subject in self.subjects for name, _ in subject.digests}
        return frozenset(ALGORITHMS[name] for name in names & ALGORITHMS.keys())


def parse_statement(payload: bytes) -> Statement:
    """Return what a statement is about. Raises Malformed."""
    item = parse_item(payload, _WHAT, MAX_ENVELOPE_SIZE)
    type_ = _text(item, "_type")
    if type_ not in (STATEMENT_V0, STATEMENT_V1):
        raise Malformed(_WHAT, f"neither {STATEMENT_V0} nor {STATEMENT_V1}", type_)
    subjects = tuple(_subject(each) for each in item.objects("subject", MAX_SUBJECTS))
    if not subjects:
        raise Malformed(_WHAT, "no subject, so it is about nothing")
    return Statement(type_, _text(item, "predicateType"), subjects)


def _subject(item: Item) -> Subject:
    fields = item.object("digest").fields
    digests: dict[str, str] = {}
    for name, value in fields.items():
        if not isinstance(value, str) or len(value) > _MAX_TEXT:
            raise Malformed(_WHAT, f"{item.place}.digest.{name} is not a string of at most {_MAX_TEXT} characters")
        if name in ALGORITHMS and not _HEX.fullmatch(value):
            raise Malformed(_WHAT, f"{item.place}.digest.{name} is not lower-case hexadecimal", value)
        digests[name] = value
    if not digests:
        raise Malformed(_WHAT, f"{item.place} has no digest")
    name = item.text("name", "")
    if len(name) > _MAX_TEXT:
        raise Malformed(_WHAT, f"{item.place}.name has more than {_MAX_TEXT} characters")
    return Subject(name, tuple(digests.items()))


def _text(item: Item, name: str) -> str:
    text = item.text(name)
    if not 1 <= len(text) <= _MAX_TEXT:
        raise Malformed(_WHAT, f"{name} has not 1 to {_MAX_TEXT} characters")
    return text

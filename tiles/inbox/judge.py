"""Whether the rules of an admission policy admit an entry, by what is attached to it, and which rule refuses. Pure.

A certificate is judged at the times that timestamp authorities have signed, never by the clock, as when it is verified
(`tiles.sigstore.keyless`). So whenever somebody judges an entry by a policy, the outcome is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256

from tiles.entries.kinds import kind_of
from tiles.errors import LogError, Malformed, UsageError, VerificationError
from tiles.inbox.attachments import Attachments
from tiles.inbox.rules import NotAdmitted, Rule
from tiles.sigstore.body import HASHES
from tiles.sigstore.certificate import Certificate
from tiles.sigstore.dsse import parse_envelope
from tiles.sigstore.hashedrekord import HashedRekord, check_hashedrekord, key_of
from tiles.sigstore.identity import only_identity
from tiles.sigstore.in_toto import PAYLOAD_TYPE, parse_statement
from tiles.sigstore.keyless import check_certificate
from tiles.sigstore.revocation import check_revocation, parse_revocation
from tiles.sigstore.trusted_root import TrustedRoot, parse_trusted_root

_SHOWN = 60  # characters of a rule

_Numbered = list[tuple[int, Rule]]  # rules with their numbers in the policy, from 1

# the checks of a certificate, as `check_certificate` tells them → what it lacks, in words that are not the submitter's
_LACKS = {
    "certificate": "has a certificate that cannot be read",
    "time": "has no signed timestamp over its signature by an authority of the policy",
    "path": "has a certificate that no authority of the policy issued, as valid at the signed time",
    "SCT": "has a certificate without a promise (SCT) by a certificate log of the policy",
    "identity": "has a certificate of another identity or issuer",
}


def judge(entry: bytes, attached: Attachments, rules: Sequence[Rule], trusted_root: bytes) -> None:
    """Raise NotAdmitted unless a rule admits the entry; the message goes on after "entry <position> ".

    rules          of the policy, in its order
    trusted_root   the file by which certificates are judged
    Raises UsageError if the extra `sigstore` is needed, and not installed.
    """
    kind = kind_of(entry).name
    numbered = [(number, rule) for number, rule in enumerate(rules, 1) if rule.kind == kind]
    if not numbered:
        raise NotAdmitted(f"is of the kind {kind}, and no rule admits that kind")
    if any(not rule.key and not rule.identity for _, rule in numbered):
        return
    if kind == "revocation":
        _judge_key(_revoker(entry, numbered), numbered)
        return
    try:
        found = check_hashedrekord(entry)
    except LogError:
        raise _refusal("has a wrong signature, or a key that Rekor does not take", numbered) from None
    if found.verifier == "publicKey":
        held = _judge_key(sha256(key_of(found).spki).hexdigest(), numbered)
    else:
        held = _judge_certificate(found, attached, numbered, trusted_root)
    if all(rule.predicate for _, rule in held):
        predicate = _predicate(found, attached.envelope, held)
        if not any(rule.predicate == predicate for _, rule in held):
            raise _refusal("is a statement of another type", held)


def _judge_key(key: str, numbered: _Numbered) -> _Numbered:
    """Return the rules that name a key. Raises NotAdmitted."""
    held = [each for each in numbered if each[1].key == key]
    if not held:
        named = [each for each in numbered if each[1].key]
        if not named:
            raise _refusal("is signed by a key, without a certificate", numbered)
        raise _refusal("is signed by another key", named)
    return held


def _judge_certificate(
    found: HashedRekord, attached: Attachments, numbered: _Numbered, trusted_root: bytes
) -> _Numbered:
    """Return the rules that name whom a certificate is of, after all of it was checked. Raises NotAdmitted."""
    named = [each for each in numbered if each[1].identity]
    if not named:
        raise _refusal("is signed with a certificate", numbered)
    held: _Numbered = []
    checks = ["certificate"]

    class Named:
        def check(self, certificate: Certificate) -> None:
            identity = only_identity(certificate).value
            held.extend(each for each in named if each[1].is_of(identity, certificate.issuer))
            if not held:
                raise VerificationError("no rule names it")

    chain = (found.raw, *attached.certificates)
    try:
        root = _root(trusted_root)
        check_certificate(chain, found.signature, attached.timestamps, root, Named(), told=checks.append)
    except LogError:
        raise _refusal(_LACKS[checks[-1]], named) from None
    return held


def _predicate(found: HashedRekord, envelope: bytes, held: _Numbered) -> str:
    """Return the type of the statement that was signed. Raises NotAdmitted if the envelope does not show it."""
    with suppress(LogError):
        parsed = parse_envelope(envelope)
        over = HASHES[found.algorithm](parsed.signed).digest()
        if (over, parsed.signature, parsed.payload_type) == (found.digest, found.signature, PAYLOAD_TYPE):
            return parse_statement(parsed.payload).predicate_type
    raise _refusal("has no attached envelope with the statement that was signed", held)


def _revoker(entry: bytes, numbered: _Numbered) -> str:
    """Return the SHA-256 of the key that revokes. Raises NotAdmitted for a wrong signature."""
    found = parse_revocation(entry)
    try:
        check_revocation(found, ())
    except LogError:
        raise _refusal("has a signature that is wrong, or by a log", numbered) from None
    return sha256(found.statement.key).hexdigest()


def _refusal(problem: str, numbered: _Numbered) -> NotAdmitted:
    """Return the error that names the rules which refuse, and shows the first of them."""
    number, rule = numbered[0]
    line = rule.line if len(rule.line) <= _SHOWN else f"{rule.line[: _SHOWN - 3]}..."
    others = f" and {len(numbered) - 1} more" if len(numbered) > 1 else ""
    return NotAdmitted(f"{problem}; rule {number}{others}: {line}")


@lru_cache(maxsize=4)
def _root(data: bytes) -> TrustedRoot:
    return parse_trusted_root(data)


def check_root(data: bytes) -> None:
    """Raise UsageError unless a file can be what certificates are judged by."""
    try:
        root = _root(data)
    except Malformed as error:
        raise UsageError(error.message) from None
    if not (root.authorities and root.ct_logs and root.timestamp_authorities):
        raise UsageError("the trusted root needs a certificate authority, a certificate log and a timestamp authority")

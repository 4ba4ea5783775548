"""What a verifier demands of a certificate: who signed, and who vouched for that (cosign's `--certificate-identity`,
`--certificate-oidc-issuer`, and the same with `-regexp`: https://github.com/sigstore/cosign/blob/main/doc/
cosign_verify-blob.md).

Both are needed: an identity says nothing without the issuer that vouches for it, because anybody can run one.

A regular expression has to match the whole text. cosign, and sigstore-go below it, are content when it matches a part,
so that `https://github.com/example/` also lets `https://evil.example/?https://github.com/example/` pass. What an
expression may have, and how long it can take: `tiles.sigstore.pattern`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tiles.errors import UsageError, VerificationError
from tiles.sigstore.certificate import CLAIMS, COMPARED, Certificate, Identity

if TYPE_CHECKING:
    from tiles.sigstore.glob import Glob
    from tiles.sigstore.pattern import Pattern


class Rule(Protocol):
    """What decides whether a certificate's claims are those that are wanted."""

    def check(self, certificate: Certificate) -> None:
        """Raise VerificationError, or another error of ours, if they are not."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a text has to be: exactly `exact`, or as `pattern` describes, whole."""

    exact: str = ""
    pattern: Pattern | Glob | None = None

    def __str__(self) -> str:
        return f"{self.exact!r}" if self.pattern is None else f"one that matches {self.pattern.text!r}"

    def holds(self, text: str) -> bool:
        """Whether a text is that."""
        return text == self.exact if self.pattern is None else self.pattern.matches(text)

    def hint(self, text: str) -> str:
        """What to do where the pattern describes a part of the text only, or ""."""
        if self.pattern is None or not self.pattern.finds(text):
            return ""
        return "the regular expression has to match the whole text: begin or end it with .* where anything may stand"


@dataclass(frozen=True, slots=True)
class Demanded:
    """Who has to have signed. Make one with `demand`.

    claims   what else the certificate has to say, exactly: name in CLAIMS → text
    """

    identity: Condition
    issuer: Condition
    claims: Mapping[str, str] = field(default_factory=dict)

    def check(self, certificate: Certificate) -> None:
        """Raise VerificationError, with what was found and what was demanded, unless a certificate says all that."""
        found = only_identity(certificate)
        self._compare("identity", self.identity, found.value)
        if not certificate.issuer:
            raise VerificationError(
                f"the certificate does not say who vouched for {_cut(repr(found.value))}; demanded is the issuer "
                f"{self.issuer}"
            )
        self._compare("issuer", self.issuer, certificate.issuer)
        for name, text in self.claims.items():
            self._compare(name, Condition(text), certificate.fulcio.get(name, ""))

    def _compare(self, what: str, condition: Condition, found: str) -> None:
        if not condition.holds(found):
            raise VerificationError(
                f"the certificate's {what} is {_cut(repr(found))}; demanded is {condition}", hint=condition.hint(found)
            )


def only_identity(certificate: Certificate) -> Identity:
    """Return the identity that a certificate names. Raises VerificationError unless it is exactly one.

    certificate-specification.md, "Issued Certificate": exactly one. Clients disagree about which one of several counts.
    """
    found = [each for each in certificate.identities if each.kind in COMPARED]
    if len(certificate.identities) != 1 or not found:
        named = ", ".join(f"{each.value!r} ({each.kind})" for each in certificate.identities) or "none"
        raise VerificationError(
            f"the certificate does not name exactly one e-mail address, URI or user name, but {_cut(named)}"
        )
    return found[0]


def demand(
    identity: str = "",
    issuer: str = "",
    *,
    identity_regexp: str = "",
    issuer_regexp: str = "",
    claims: Mapping[str, str] | None = None,
) -> Demanded:
    """Return what is demanded: of identity and issuer each either the exact text or a regular expression.

    Raises UsageError if one is missing, or given twice, or is no regular expression, or for a claim with no name.
    """
    for name in claims or {}:
        if name not in CLAIMS.values():
            raise UsageError(
                f"certificates have no claim called {name!r}", hint=f"one of: {', '.join(CLAIMS.values())}"
            )
    return Demanded(
        _condition("--certificate-identity", identity, identity_regexp),
        _condition("--certificate-oidc-issuer", issuer, issuer_regexp),
        dict(claims or {}),
    )


def _condition(option: str, exact: str, regexp: str) -> Condition:
    if bool(exact) == bool(regexp):
        raise UsageError(
            f"{'both' if exact else 'neither'} of {option} and {option}-regexp {'are' if exact else 'is'} given",
            hint="who signed is only known together with who vouches for it: give one of each",
        )
    if not regexp:
        return Condition(exact)
    from tiles.sigstore.pattern import parse_pattern  # its own expressions take time to compile

    return Condition(pattern=parse_pattern(regexp))


def _cut(text: str) -> str:
    """Return a text of somebody else, so long as a message can hold."""
    return text if len(text) <= 300 else f"{text[:297]}..."

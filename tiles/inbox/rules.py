"""Rules of an admission policy: who may log what kind of entry, each one a line of its text. Pure.

    allow <kind> anyone
    allow <kind> key <SHA-256 of the public key>
    allow <kind> identity <name> issuer <name>

docs/admission.md, "Rules", has the format. Names are exact, or have `*` for one part of the text: a rule is read by
many versions for years, so it has nothing that two of them could understand otherwise, as regular expressions do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tiles.errors import Malformed, UsageError
from tiles.sigstore.glob import Glob

# names of `tiles.entries.kinds`
KINDS = ("blinded", "endorsement", "file", "hashedrekord", "raw", "revocation", "signature")
SIGNED = {"key": ("hashedrekord", "revocation"), "identity": ("hashedrekord",)}  # kinds that show who signed, and how
MOST_RULES = 1024

_NAME = re.compile(r"[!-~]{1,1024}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LINE = re.compile(
    r"allow ([a-z]{1,20}) (?:(anyone)|key ([!-~]+)|identity ([!-~]+) issuer ([!-~]+))(?: predicate ([!-~]+))?", re.ASCII
)


class NotAdmitted(UsageError):
    """The policy does not admit a submission.

    message   the reason: one line of at most 200 printable ASCII characters. Of what the submitter wrote it repeats
              only numbers and the well-formed name of a submitter; beside that it names the rule
    """


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may log entries of one kind: whoever has the key, or is vouched for, or anyone if neither is said.

    kind        one of KINDS
    key         SHA-256 of DER SubjectPublicKeyInfo, 64 lower-case hexadecimal digits
    identity, issuer   names, exact or with `*`
    predicate   what was signed has to be a statement of this type, as the attached envelope shows; "": whatever it is
    Raises UsageError for what no line can state.
    """

    kind: str
    key: str = ""
    identity: str = ""
    issuer: str = ""
    predicate: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(f"{self.kind!r} is no kind of entries", hint=f"one of {', '.join(KINDS)}")
        by = "key" if self.key else "identity" if self.identity or self.issuer else ""
        if by and self.kind not in SIGNED[by]:
            raise UsageError(f"entries of the kind {self.kind} do not show whose {by} it was: say anyone")
        if self.key and (self.identity or self.issuer or not _HEX.fullmatch(self.key)):
            raise UsageError("a rule names a key by 64 lower-case hexadecimal digits, or an identity and its issuer")
        for name in (self.identity, self.issuer) if by == "identity" else ():
            if not _NAME.fullmatch(name):
                raise UsageError("an identity and an issuer have 1 to 1024 characters of ASCII, and no space")
            _glob(name)
        if self.predicate and (not by or self.kind != "hashedrekord" or not _NAME.fullmatch(self.predicate)):
            raise UsageError("a predicate is 1 to 1024 characters of ASCII, of a hashedrekord by a key or identity")

    @property
    def line(self) -> str:
        """The line of the policy, without its end."""
        who = f"key {self.key}" if self.key else f"identity {self.identity} issuer {self.issuer}"
        who = who if self.key or self.identity else "anyone"
        return f"allow {self.kind} {who}" + (f" predicate {self.predicate}" if self.predicate else "")

    def is_of(self, identity: str, issuer: str) -> bool:
        """Whether the rule is about somebody whom a certificate names."""
        return bool(self.identity) and _glob(self.identity).matches(identity) and _glob(self.issuer).matches(issuer)


def parse_rule(line: str, what: str) -> Rule:
    """Return the rule whose line this is. Raises Malformed."""
    match = _LINE.fullmatch(line)
    if not match:
        raise Malformed(what, "a line that begins with allow, and is no rule", line)
    kind, _, key, identity, issuer, predicate = match.groups("")
    try:
        return Rule(kind, key, identity, issuer, predicate)
    except UsageError as error:
        raise Malformed(what, error.message, line) from None


def _glob(name: str) -> Glob:
    """Return what a name of a rule matches. Raises UsageError for a name with too many stars."""
    return Glob(name, in_parts=True)

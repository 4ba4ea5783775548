"""Identities and issuers as they are spelled where one is looked for; docs/index-format.md, "Identities".

What a text becomes depends on the text alone, whatever kind of name it is in a certificate. Pure.
"""

from __future__ import annotations

import re

_LOCATED = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", re.ASCII)
_PART_ENDS = re.compile("[/?#@]")


def spelled(text: str) -> str:
    """Return an identity or issuer, of ASCII only, as it is as a key."""
    if found := _LOCATED.match(text):
        return found[0].lower() + text[found.end() :]
    return text.lower() if "@" in text else text


def parts_of(text: str) -> list[str]:
    """Return the parts by which a spelled identity is found too: of a URI, the shortest first, or the domain."""
    if found := _LOCATED.match(text):
        return [text[: end.start()] for end in _PART_ENDS.finditer(text, found.end())]
    _, at, domain = text.rpartition("@")
    return [at + domain] if at else []


def identity_keys(identities: tuple[str, ...]) -> list[str]:
    """Return the keys of identities as a certificate has them: all of them whole, then the parts of each."""
    whole = [spelled(identity) for identity in identities]
    return list(dict.fromkeys([*whole, *(part for one in whole for part in parts_of(one))]))

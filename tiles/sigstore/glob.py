"""Names with a star in them: `api-service*`, `https://github.com/example/*/.github/workflows/release.yml@refs/heads/main`.

A star stands for any number of characters, none among them; every other character stands for itself. Where a text has
parts, a star stays within one. Nothing else is a wildcard. So there is one meaning, and it takes time that is at most
the product of both lengths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

STAR = "*"
_PARTS = re.compile("([/@])")  # of identities: URIs of workflows, with their ref behind an @, and addresses


@dataclass(frozen=True, slots=True)
class Glob:
    """A glob, compared with all of a text. in_parts: whether a star stands neither for / nor for @"""

    text: str
    in_parts: bool = False

    def matches(self, text: str) -> bool:
        """Whether the whole text is what the glob describes."""
        if not self.in_parts:
            return _matches(self.text, text)
        mine, others = _PARTS.split(self.text), _PARTS.split(text)
        return len(mine) == len(others) and all(map(_matches, mine, others))

    def finds(self, text: str) -> bool:  # noqa: ARG002  as `tiles.sigstore.pattern.Pattern` has it
        """Whether a part of the text is: never asked of a glob."""
        return False

    def covers(self, other: Glob) -> bool:
        """Whether every text that the other one matches is matched by this one: a star is covered by a star only."""
        return not self.in_parts and not other.in_parts and _matches(self.text, other.text)


def _matches(glob: str, text: str) -> bool:
    at = here = 0
    star, resume = -1, 0  # the last star that was met, and from where in the text it is tried to end next
    while here < len(text):
        if at < len(glob) and glob[at] == STAR:
            star, resume = at, here
            at += 1
        elif at < len(glob) and glob[at] == text[here]:
            at, here = at + 1, here + 1
        elif star >= 0:
            resume += 1
            at, here = star + 1, resume
        else:
            return False
    return all(sign == STAR for sign in glob[at:])

"""Names with a star in them: `api-service*`, `https://github.com/example/*/.github/workflows/release.yml@refs/heads/main`.

In the name of a file a star stands for any number of characters, none among them. An identity has parts, between
/ @ ? and #, and a part may have one star, which stands for one or more characters of that part. Every other character
stands for itself, and the whole text is compared. That takes time that is at most the product of both lengths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tiles.errors import UsageError

STAR = "*"
_ENDS = re.compile(r"([/@?#])")  # between the parts of an identity: addresses, URIs of workflows with a ref behind @


@dataclass(frozen=True, slots=True)
class Glob:
    """A glob. in_parts: whether it is one of identities

    Raises UsageError for two stars where one can stand.
    """

    text: str
    in_parts: bool = False

    def __post_init__(self) -> None:
        if not self.in_parts and STAR * 2 in self.text:
            raise UsageError("** is written *")
        if self.in_parts and any(part.count(STAR) > 1 for part in _ENDS.split(self.text)):
            raise UsageError("an identity has one * at most between / @ ? and #")

    def matches(self, text: str) -> bool:
        """Whether the whole text is what the glob describes."""
        if not self.in_parts:
            return _matches(self.text, text)
        mine, others = _ENDS.split(self.text), _ENDS.split(text)
        return len(mine) == len(others) and all(map(_is_part, mine, others))

    def finds(self, text: str) -> bool:  # noqa: ARG002  as `tiles.sigstore.pattern.Pattern` has it
        """Whether a part of the text is: never asked of a glob."""
        return False

    def covers(self, other: Glob) -> bool:
        """Whether every text that the other one matches is matched by this one: a star is covered by a star only."""
        return not self.in_parts and not other.in_parts and _matches(self.text, other.text)


def _is_part(wanted: str, found: str) -> bool:
    begin, star, end = wanted.partition(STAR)
    if not star:
        return wanted == found
    return len(found) > len(begin) + len(end) and found.startswith(begin) and found.endswith(end)


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

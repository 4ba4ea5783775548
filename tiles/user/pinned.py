"""With which policy a log is read, and why: as a call says, as is remembered, or as the log showed at its first use."""

from __future__ import annotations

from dataclasses import dataclass

from tiles.notes.policy import Policy

PINNED = "pinned"
REMEMBERED = "remembered"
FIRST_USE = "first use, not pinned"


@dataclass(frozen=True, slots=True)
class Pinned:
    """With which policy a log is read, and why: PINNED, REMEMBERED or FIRST_USE, to be shown with every result.

    not_remembered   why the key of a first use could not be remembered, so that the next use is a first one again; or
                     "". What was seen of the log is then not to be remembered either: the log could show another key
                     each time, and fill the disk.
    """

    policy: Policy
    how: str
    not_remembered: str = ""

    @property
    def is_first_use(self) -> bool:
        """Whether the key is only what the log itself showed."""
        return self.how == FIRST_USE

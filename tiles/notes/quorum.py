"""The quorum of a policy (https://c2sp.org/tlog-policy): what it asks for, what is there, and what it needs. Pure.

`Policy.accept` decides whether a checkpoint is acceptable. This module says why, in values and in words:

    2 of w1, w2, w3; w1 has cosigned; one more of w2, w3
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from tiles.notes.keys import VerifierKey
from tiles.notes.policy import Policy


@dataclass(frozen=True, slots=True)
class Standing:
    """What is there of a witness or a group.

    name        octets, as the policy has it
    threshold   how many members it takes; 1 for a witness
    members     of a group, in the order of its line; none for a witness
    met         whether the witness has cosigned, or enough members are met
    """

    name: bytes
    threshold: int
    members: tuple[Standing, ...]
    met: bool

    @property
    def shown(self) -> str:
        """The name in text."""
        return shown(self.name)

    @property
    def is_group(self) -> bool:
        """Whether it is a group, and not a witness."""
        return bool(self.members)

    @property
    def missing(self) -> int:
        """How many more witnesses have to cosign, at least."""
        return self._missing(against=False)

    @property
    def smallest(self) -> int:
        """How many witnesses are enough, at least, where none has cosigned."""
        return self._missing(against=True)

    def _missing(self, *, against: bool) -> int:
        """Return how many more are needed; against: as if none had cosigned."""
        if self.met and not against:
            return 0
        if not self.is_group:
            return 1
        # a witness is in one group only ("can be listed as a group member at most once"), so members add up
        return sum(sorted(member._missing(against=against) for member in self.members)[: self.threshold])  # noqa: SLF001

    @property
    def witnesses(self) -> tuple[bytes, ...]:
        """The names of the witnesses that it is made of, in the order of the groups' lines."""
        return tuple(name for member in self.members for name in member.witnesses) if self.is_group else (self.name,)

    @property
    def asks(self) -> str:
        """What it asks for, in words, without what its members ask for: "2 of w1, w2, w3"."""
        names = ", ".join(member.shown for member in self.members)
        if not self.is_group:
            return self.shown
        if self.threshold == len(self.members):
            return f"all of {names}" if len(self.members) > 1 else names
        return f"{'one' if self.threshold == 1 else self.threshold} of {names}"

    @property
    def stands(self) -> str:
        """What is there and what is missing, in words: "w1 has cosigned; one more of w2, w3"."""
        if not self.is_group:
            return f"{self.shown} has cosigned" if self.met else f"{self.shown} has not cosigned"
        there = [member for member in self.members if member.met]
        absent = [member for member in self.members if not member.met]
        said = [
            _said([member.shown for member in there if not member.is_group], "has cosigned", "have cosigned"),
            _said([member.shown for member in there if member.is_group], "is met", "are met"),
        ]
        if not there:
            groups = any(member.is_group for member in self.members)
            said = ["none of them is there" if groups else "none of them has cosigned"]
        needed = self.threshold - len(there)
        if needed == len(absent):
            said.append(_said([member.shown for member in absent], "is missing", "are missing"))
        elif needed > 0:
            more = "one more" if needed == 1 else f"{needed} more"
            said.append(f"{more} of {', '.join(member.shown for member in absent)}")
        return "; ".join(text for text in said if text)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Standing]]:
        """Yield it and everything below it, each with its depth, in the order in which the quorum names them."""
        yield depth, self
        for member in self.members:
            yield from member.walk(depth + 1)


def standing(policy: Policy, cosigned: Container[VerifierKey] = ()) -> Standing | None:
    """Return how the quorum stands; None where the policy asks for no witness.

    cosigned   the keys of witnesses whose cosignatures were verified
    """
    if policy.quorum is None:
        return None
    found = {witness.name: Standing(witness.name, 1, (), witness.key in cosigned) for witness in policy.witnesses}
    for group in policy.groups:  # members are defined on preceding lines: one pass is enough
        members = tuple(found[name] for name in group.members)
        met = sum(member.met for member in members) >= group.threshold
        found[group.name] = Standing(group.name, group.threshold, members, met)
    return found[policy.quorum]


def shown(name: bytes) -> str:
    """Return the name of a witness or group as text: they are octets, in most policies UTF-8."""
    return name.decode("utf-8", "backslashreplace")


def _said(names: list[str], of_one: str, of_several: str) -> str:
    """Return "w1 has cosigned", "w1 and w2 have cosigned", or nothing where there is no name."""
    if not names:
        return ""
    *first, last = names
    return f"{', '.join(first)} and {last} {of_several}" if first else f"{last} {of_one}"

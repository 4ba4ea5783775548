"""The history of a log's keys, as its own statements tell it to a reader who knows some of them. Pure.

A statement (`tiles.notes.key_change`) is taken for the log's if a key that is known has signed it, and the keys that it
names are known for the others, the earlier ones as well: who knows only the newest key is led back from it. That the
log says so is no reason to trust a key. What a key that is known has signed itself is told apart from what only a key
says that another statement names: whoever got hold of a key after it was retired can sign statements, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tiles.errors import SignatureError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.key_change import ADD, RETIRE, KeyChange
from tiles.notes.keys import SIGNS_TEXT, VerifierKey
from tiles.notes.note import Note, verify_note
from tiles.notes.policy import Accepted, Policy
from tiles.notes.policy_logs import accepting_also

_Called = tuple[str, bytes]  # name and key id, by which a signature line says whose it is


@dataclass(frozen=True, slots=True)
class Said:
    """A statement of the log. by: the keys, known or led to, that have signed it, all of them verified"""

    change: KeyChange
    by: tuple[VerifierKey, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """How long a log has used a key.

    since     the size of the tree from which on it has signed; None if no statement that is taken for the log's says so
    until     the last size that it has signed; None if the log uses it still
    added     the number of the statement that says that it was added; None if there is none
    retired   and of the one that says that it was retired
    vouched   whether it is known, or is one of before of which a key that is known has signed that it was the log's
    """

    key: VerifierKey
    since: int | None
    until: int | None = None
    added: int | None = None
    retired: int | None = None
    vouched: bool = False

    def has_signed(self, size: int) -> bool:
        """Whether it was the log's key when the tree had that size."""
        return (self.since or 0) <= size and (self.until is None or size <= self.until)


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """What a log says of its keys.

    known   the keys of the log that the reader knows
    said    the statements, in order
    """

    known: tuple[VerifierKey, ...]
    said: tuple[Said, ...] = ()

    @property
    def uses(self) -> tuple[Use, ...]:
        """Each key that is known or named by a statement, in the order in which the log began to use them."""
        is_whole = not self.said or self.said[0].change.number == 0  # otherwise earlier ones are not believed
        found: dict[VerifierKey, Use] = {}
        for each in self.said:
            change, vouched = each.change, any(key in self.known for key in each.by)
            for key in change.before:
                use = found.get(key, Use(key, 0 if is_whole else None))
                found[key] = replace(use, vouched=use.vouched or vouched)
            if change.action == RETIRE:
                found[change.key] = replace(found[change.key], until=change.tree.size, retired=change.number)
            else:
                found[change.key] = Use(change.key, change.tree.size, added=change.number)
        for key in self.known:
            found.setdefault(key, Use(key, None if self.said else 0))
        return tuple(
            replace(use, vouched=use.key in self.known or (use.vouched and self._is_before(use)))
            for use in found.values()
        )

    @property
    def forerunners(self) -> tuple[Use, ...]:
        """The keys, not known, that the log has retired, or had before one that is known was added.

        One that was added later is none of them: that the log has a new key is for its publisher to say.
        """
        found = {_called(key): Use(key, None) for key in self.known}
        for use in self.uses:
            if self._is_before(use):  # of two that a signature line cannot tell apart, the first
                found.setdefault(_called(use.key), use)
        return tuple(use for use in found.values() if use.key not in self.known)

    def _is_before(self, use: Use) -> bool:
        added = (each.change for each in self.said if each.change.key in self.known)
        return use.until is not None or any(use.key in change.before for change in added if change.action == ADD)

    def accept(self, policy: Policy, signed: SignedCheckpoint, origin: str | None = None) -> Accepted:
        """Return an earlier checkpoint of the log, accepted by a policy, or by a key that the log had at that size.

        Raises what `Policy.accept` raises. That it is of the log's history has to be shown beside that.
        """
        try:
            return policy.accept(signed, origin)
        except SignatureError:
            then = [use.key for use in self.forerunners if use.has_signed(signed.tree.size)]
            if not then:
                raise
            return accepting_also(policy, then).accept(signed, origin)

    def led_to_by(self, policy: Policy) -> Policy:
        """Return a policy that accepts what the keys of before have signed, too: to say who has signed a fork."""
        return accepting_also(policy, (use.key for use in self.forerunners))


def _called(key: VerifierKey) -> _Called:
    return key.name, key.key_id


def history_of(known: Iterable[VerifierKey], statements: Sequence[tuple[KeyChange, Note]]) -> KeyHistory:
    """Return the history that follows from keys that are known. statements: of the log, in order, not verified yet

    A key that is named as another one that was found before is left out. Raises SignatureError for a statement with a
    wrong signature by a key that is known, or led to.
    """
    known = tuple(dict.fromkeys(known))
    origins = {key.name for key in known}
    signed_as: dict[_Called, set[int]] = {}
    for at, (change, note) in enumerate(statements):
        if change.origin in origins:
            for line in note.signatures:
                signed_as.setdefault((line.name, line.key_id), set()).add(at)
    led_to: dict[_Called, VerifierKey] = {}  # whose signatures were all verified
    found: set[int] = set()
    left = list(known)
    while left:
        key = left.pop()
        if key.type not in SIGNS_TEXT or led_to.setdefault(_called(key), key) != key:
            continue
        for at in signed_as.get(_called(key), ()):
            change, note = statements[at]
            verify_note(note, [key])
            found.add(at)
            left += [each for each in (*change.before, change.key) if _called(each) not in led_to]
    said = []
    for at in sorted(found):
        change, note = statements[at]
        named = (led_to.get((line.name, line.key_id)) for line in note.signatures)
        said.append(Said(change, tuple(dict.fromkeys(key for key in named if key is not None))))
    return KeyHistory(known, tuple(said))

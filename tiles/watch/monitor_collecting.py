"""For monitor: the endorsements of other logs that one log holds are collected, while it is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tiles.errors import AccessError, Refused, TilesError, placed
from tiles.notes.fork_evidence import fork_error
from tiles.read.histories import forked
from tiles.user.seen_checkpoints import NoMoreEvidence
from tiles.watch.endorsements import endorsed_by
from tiles.watch.monitor_endorsed import EndorsedLog
from tiles.watch.monitor_state import Begin, LogState


@dataclass
class Endorsements:
    """What a round found of the endorsements of one log in another.

    first    the entry from which on they were looked for
    new      how many tree sizes were not endorsed before, in any log
    others   how many entries name the log, and are signed by none of its keys
    """

    log: EndorsedLog
    first: int
    new: int = 0
    others: int = 0


class Collecting:
    """Collects, in one round, what one log holds of the endorsements of others.

    state     of the log that is read
    logs      those whose endorsements are looked for; a log cannot endorse itself, and is left out
    begin     as the call says
    trouble   is told what is wrong
    """

    def __init__(
        self,
        state: LogState,
        where: str,
        origin: str,
        logs: Sequence[EndorsedLog],
        begin: Begin | None,
        trouble: Callable[[TilesError], None],
    ) -> None:
        self._state = state
        self._where = where
        self._trouble = trouble
        self._all: dict[str, Endorsements] = {}
        for log in logs:
            if log.origin == origin:
                continue
            try:
                self._all[log.origin] = Endorsements(log, self._begun(log, begin))
            except (AccessError, Refused) as error:
                trouble(error)
        self._policies = {origin: each.log.policy for origin, each in self._all.items()}

    @property
    def found(self) -> list[Endorsements]:
        """What was found up to now."""
        return list(self._all.values())

    @property
    def logs(self) -> Collection[str]:
        """The ids of those that are looked for."""
        return [each.log.id for each in self._all.values()]

    @property
    def start(self) -> int:
        """The entry from which on this log has to be looked through: one that was read before, if one is new."""
        cursors = [cursor.next for each in self.logs if (cursor := self._state.cursor(each)) is not None]
        return min([self._state.next, *cursors])

    def give_up(self) -> None:
        """Look for those only that were looked for in all that was read: the others are gone on with another time."""
        for origin, each in list(self._all.items()):
            cursor = self._state.cursor(each.log.id)
            if cursor is None or cursor.next < self._state.next:
                del self._all[origin], self._policies[origin]

    def take(self, index: int, entry: bytes) -> None:
        """Take an entry, whatever it is. Raises AccessError and Refused: it is to be taken again."""
        if not self._policies or (claimed := endorsed_by(entry, self._policies)) is None:
            return
        origin, signed = claimed
        found = self._all[origin]
        if signed is None:
            found.others += 1
            return
        kept, is_new = found.log.keep(signed)
        found.new += is_new
        if kept.tree == signed.tree:
            return
        fork, policy = fork_error(kept, signed), found.log.policy
        with suppress(NoMoreEvidence):  # this entry is not read again, so the evidence has to be kept first
            self._state.save_evidence(policy.logs[0].key, fork.evidence)
        self._trouble(placed(forked(fork, policy, self._state), f"{self._where}: entry {index} endorses it"))

    def _begun(self, log: EndorsedLog, begin: Begin | None) -> int:
        """Return from which entry on endorsements of a log are looked for."""
        is_known = self._state.cursor(log.id) is not None
        anew = is_known and begin is Begin.FIRST and not log.folder.exists()
        if log.is_begun or (is_known and not anew):  # by another log in which it is endorsed, perhaps
            log.check()
        else:
            log.begin()
        return self._state.look_for(log.id, anew=anew).first

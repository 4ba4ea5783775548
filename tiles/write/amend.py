"""Commits that add nothing: a log is closed, or admits submissions by another policy.

Each swaps in a head on the published tree. It is loaded again to know whether that was done, so an answer that is lost
does no harm, and a run that dies before the swap has changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tiles.errors import AccessError, Refused
from tiles.inbox.admission import Admission
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.records.head import Head
from tiles.retry import ATTEMPTS, Clock, among_writers
from tiles.write.ahead import check_open
from tiles.write.recover import Recoverer, Steps
from tiles.write.state import State


@dataclass(frozen=True, slots=True)
class Amendments:
    """What can be changed of one log, by `steps` of its writer. url: of its private part"""

    url: str
    recoverer: Recoverer
    steps: Steps
    clock: Clock

    def freeze(self) -> SignedCheckpoint:
        """Close the log for ever, and return its last checkpoint: nothing can be added any more."""
        return self.until(lambda head: head.frozen, self.steps.committer.freeze, "the log is not frozen")

    def admit(self, admission: Admission, instead_of: str) -> SignedCheckpoint:
        """Let the log admit by another policy from now on, and return its checkpoint, which stays as it is.

        instead_of   SHA-256 (hex) of the policy that it replaces; Refused if the log has another one by now

        A run that has loaded the old policy can commit nothing by it afterwards: its swap of the head is lost.
        """

        def change(state: State) -> None:
            check_open(state)
            if state.head.admission != instead_of:
                raise Refused(
                    f"the admission policy of {state.head.origin} is {state.head.admission}, not {instead_of}",
                    hint="somebody has changed it meanwhile; `tiletree admission LOG` shows it",
                )
            self.steps.committer.admit(state, admission)

        return self.until(lambda head: head.admission == admission.sha256, change, "the admission policy is as it was")

    def until(self, done: Callable[[Head], bool], change: Callable[[State], None], otherwise: str) -> SignedCheckpoint:
        """Change the head until that is done, and return the checkpoint. otherwise: what is so if it never is"""
        for _ in among_writers(self.clock):
            state, _ = self.recoverer.settle()
            if done(state.head):
                return state.checkpoint
            change(state)
        raise AccessError(f"{self.url}: other writers were first {ATTEMPTS} times; {otherwise}")

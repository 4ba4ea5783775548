"""Cosigning: what a run is told about witnesses, what it comes to, and which policies a log can be published by.

Step 8 of the commit (docs/data-flow.md). `tiles.write.witnesses` asks the witnesses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tiles.errors import AccessError, Refused, Unfinished
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.keys import VerifierKey
from tiles.notes.note import MAX_SIGNATURES
from tiles.notes.policy import Policy
from tiles.records.head import Head
from tiles.records.staged_batch import Batch
from tiles.write.witness_requests import OverNetwork, Ways

TIMEOUT = 10.0  # seconds for all witnesses together


class Overtaken(Exception):
    """Another writer is further on: it has published the tree at hand, and committed another."""


@dataclass(frozen=True, slots=True)
class Cosigned:
    """What came of asking the witnesses.

    signed        the checkpoint with all lines that count: the log's and, of each witness, the newest
    cosigned_by   the names, in the policy, of the witnesses that cosigned it
    missing       the others, each with the reason
    shortfall     why the policy is not met; "" if it is
    published     whether readers can see it
    """

    signed: SignedCheckpoint = field(repr=False)
    cosigned_by: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]
    shortfall: str = ""
    published: bool = False


@dataclass(frozen=True, slots=True)
class Witnessing:
    """How the witnesses of a policy are asked.

    timeout     seconds for all of them together
    extra       seconds to go on for further lines, once the policy is met
    fail_open   publish even if the policy is not met
    told        is told what came of it, of each checkpoint
    ways        how a witness is reached
    """

    timeout: float = TIMEOUT
    extra: float = 0.0
    fail_open: bool = False
    told: Callable[[Cosigned], object] = lambda _: None
    ways: Ways = field(default_factory=OverNetwork)


class BelowQuorum(AccessError):
    """A committed tree is not published, because too few witnesses have cosigned it; the next run asks again.

    head, batch   what waits, where that is known
    """

    def __init__(self, cosigned: Cosigned) -> None:
        self.cosigned = cosigned
        self.head: Head | None = None
        self.batch: Batch | None = None
        missing = "; ".join(f"{name}: {why}" for name, why in cosigned.missing)
        super().__init__(
            f"the tree of size {cosigned.signed.tree.size} is committed and cannot be published yet: "
            f"{cosigned.shortfall} ({missing})",
            hint="the next run asks the witnesses again; --fail-open publishes without them",
        )

    def unfinished(self) -> Unfinished:
        """Return the error for a run that was to publish it."""
        size = self.cosigned.signed.tree.size
        first = self.head.base if self.head else size
        already = self.batch.already if self.batch else ()
        return Unfinished(
            self.message, first_index=first, count=size - first, published=False, already=already, hint=self.hint
        )


def check_policy(policy: Policy, verifier: VerifierKey) -> None:
    """Raise Refused for a policy that no checkpoint of a run with this key could meet."""
    if verifier not in [log.key for log in policy.logs]:
        raise Refused(
            f"the policy does not accept what {verifier} signs",
            hint=f"the policy needs the line: log {verifier.vkey}; `tiletree key generate` makes a key before the log "
            "begins, for the policy and for --key",
        )
    reachable = [witness.key for witness in policy.witnesses if witness.url]
    if policy.quorum is not None and policy.quorum not in policy.met_by(reachable):
        raise Refused(
            "the quorum of the log's policy needs witnesses that its lines give no URL of, so nobody can ask them",
            hint="a witness line is: witness NAME VKEY URL",
        )
    if len(policy.witnesses) + len(policy.logs) > MAX_SIGNATURES:
        raise Refused(f"the policy has more keys than a checkpoint has room for lines: {MAX_SIGNATURES}")

"""Cosigning: a signed checkpoint → the same one with the cosignatures that its policy asks for.

Step 8 of the commit (docs/data-flow.md). Cosignatures are not collected in this version: a policy that needs them is
refused when a log is loaded, before anything is written.
"""

from __future__ import annotations

from tiles.errors import Refused
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import Policy


def check_policy(policy: Policy, verifier: VerifierKey) -> None:
    """Raise Refused for a policy that no checkpoint of a run with this key could meet."""
    if verifier not in [log.key for log in policy.logs]:
        raise Refused(f"the policy does not accept what {verifier} signs", hint="name the key in a log line")
    if policy.needs_witnesses:
        raise Refused(
            "the log's policy asks for cosignatures, which this version does not collect",
            hint="publish with a policy whose quorum is none",
        )


def cosign(signed: SignedCheckpoint, policy: Policy) -> SignedCheckpoint:
    """Return the checkpoint once it meets the policy. Raises PolicyError or SignatureError."""
    policy.accept(signed, signed.origin)
    return signed

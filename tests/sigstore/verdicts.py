"""The verdict on every bundle of Sigstore that the tests have: name of the folder → what is demanded, and what comes.

The bundles are those of sigstore-conformance, test/assets/bundle-verify; the folder's name says what is right.
`KEY`: the key beside the bundle. `WORKFLOW`: the identity that the conformance suite signs as.
"""

from __future__ import annotations

from dataclasses import dataclass

KEY = "key.pub"
WORKFLOW = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/"
    "extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)
ISSUER = "https://token.actions.githubusercontent.com"


@dataclass(frozen=True)
class Expected:
    """What a bundle comes to.

    demanded       KEY, or the identity
    error          the class of ours that refuses it; "" if it verifies
    problem        part of the message
    at_log_level   the same, of the entry alone: what the page checks of a certificate's bundle
    """

    demanded: str
    error: str = ""
    problem: str = ""
    at_log_level: str = ""


VERDICTS: dict[str, Expected] = {
    "happy-path-v0.3": Expected(WORKFLOW),
    "managed-key-happy-path": Expected(KEY),
    "rekor2-happy-path": Expected(WORKFLOW),
    "rekor2-dsse-happy-path": Expected(WORKFLOW),
    "rekor2-checkpoint-cosigned": Expected(WORKFLOW),
    "rekor2-checkpoint-origin-not-first": Expected(WORKFLOW),
    "managed-key-wrong-key_fail": Expected(KEY, "Malformed", "not one PEM text"),
    "checkpoint-wrong-roothash_fail": Expected(WORKFLOW, "ProofError", "and its checkpoint says", "ProofError"),
    "inclusion-proof-corrupted-hash_fail": Expected(WORKFLOW, "ProofError", "leads to root", "ProofError"),
    "rekor2-checkpoint-missing-root-hash_fail": Expected(WORKFLOW, "Malformed", "not at least three", "Malformed"),
    "rekor2-checkpoint-missing-size_fail": Expected(WORKFLOW, "Malformed", "not at least three", "Malformed"),
    "rekor2-no-inclusion-proof_fail": Expected(WORKFLOW, "Malformed", "without inclusionProof", "Malformed"),
}

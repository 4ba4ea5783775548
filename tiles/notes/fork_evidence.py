"""Evidence of a fork: two signed checkpoints of one log, whose trees exclude each other. Pure.

Anyone can check it, offline, with the log's key and nothing else (docs/evidence.md has it byte for byte):

    older        signed note
    newer        signed note, of the same origin and at least the same size
    prefix       only where the sizes differ: the root over the first entries of the newer tree, as many as the older
                 has, and the consistency proof that leads from it to the newer root; base64, a line each

The newer tree holds the prefix, by the proof. The older checkpoint states another root for the same size. Both are
signed, so the log has shown two histories. A consistency proof that fails is no evidence: the proof may be wrong.

If a policy has several keys for one origin, the two checkpoints may be by two of them. Then no key has signed two
histories, and perhaps one key is somebody else's; so who has signed is said with every fork (`fork_signers`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tiles.errors import ForkError, Malformed, PolicyError, ProofError, SignatureError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.encoding import decode_base64, decode_text, encode_base64
from tiles.notes.keys import VerifierKey
from tiles.notes.note import no_known_signature
from tiles.notes.policy import Policy, policy_for
from tiles.tree.merkle import Hash, TreeHead, to_hash
from tiles.tree.proof import verify_consistency

OLDER = "older"
NEWER = "newer"
PREFIX = "prefix"

_WHAT = "evidence of a fork"


def fork_error(
    older: SignedCheckpoint, newer: SignedCheckpoint, prefix: Sequence[Hash] = (), *, hint: str = ""
) -> ForkError:
    """Return the error for two checkpoints that exclude each other, evidence included.

    prefix   root of the newer tree's first `older.tree.size` entries, then the consistency proof from it; empty for
             two checkpoints of one size
    """
    evidence = {OLDER: older.data, NEWER: newer.data}
    if prefix:
        evidence[PREFIX] = "".join(f"{encode_base64(hash_)}\n" for hash_ in prefix).encode()
    message = f"the log {newer.origin} shows two histories: it signed {older.tree}, and {newer.tree}"
    return ForkError(f"{message}, which does not extend it", hint=hint, evidence=evidence)


def check_fork(evidence: Mapping[str, bytes], policy: Policy) -> tuple[SignedCheckpoint, SignedCheckpoint]:
    """Return the older and the newer checkpoint if they are signed by a log of the policy and exclude each other.

    policy   names the log's key; its quorum does not matter
    Raises Malformed, SignatureError, PolicyError, or ProofError if they are no fork or the prefix is not proven.
    """
    missing = {OLDER, NEWER} - evidence.keys()
    if missing:
        raise Malformed(_WHAT, f"there is no {', no '.join(sorted(missing))}")
    older, newer = (parse_signed_checkpoint(evidence[name]) for name in (OLDER, NEWER))
    logs = replace(policy, witnesses=(), groups=(), quorum=None)
    for signed in (older, newer):
        logs.accept(signed)
    if older.origin != newer.origin:
        raise PolicyError(f"the origins are {older.origin!r} and {newer.origin!r}: two logs are no fork")
    if older.tree.size > newer.tree.size:
        raise Malformed(_WHAT, "the older tree is the larger one")
    if older.tree.size == newer.tree.size and PREFIX in evidence:
        raise Malformed(_WHAT, f"there is a {PREFIX}, and the two trees are of one size")
    found = newer.tree
    if older.tree.size < newer.tree.size:
        if PREFIX not in evidence:
            raise Malformed(_WHAT, f"there is no {PREFIX}, so nothing shows that two trees of different size differ")
        root, *proof = _parse_prefix(evidence.get(PREFIX, b""))
        found = TreeHead(older.tree.size, root)
        verify_consistency(found, newer.tree, proof)
    if found == older.tree:
        raise ProofError("the two checkpoints are consistent: this is no fork")
    return older, newer


def fork_signers(older: SignedCheckpoint, newer: SignedCheckpoint, policy: Policy) -> tuple[VerifierKey, VerifierKey]:
    """Return the keys of the policy that signed the one and the other checkpoint: one key twice, if it signed both.

    Raises SignatureError unless each is signed by a log of the policy.
    """
    of_older, of_newer = _signers(older, policy), _signers(newer, policy)
    both = next((key for key in of_older if key in of_newer), None)
    return (both, both) if both is not None else (of_older[0], of_newer[0])


def _signers(signed: SignedCheckpoint, policy: Policy) -> list[VerifierKey]:
    """Return the log keys of the policy that signed a checkpoint, at least one."""
    keys = policy.keys_of(signed.origin)
    found = [key for key in keys if signs_alone(signed, key)]
    if not found:
        raise no_known_signature(signed.note, keys)
    return found


def signs_alone(signed: SignedCheckpoint, key: VerifierKey) -> bool:
    """Whether one who knows this key only would take a checkpoint for the log's."""
    try:
        policy_for(key, signed.origin).accept(signed)
    except SignatureError:
        return False
    return True


def _parse_prefix(data: bytes) -> list[Hash]:
    *lines, after = decode_text(data, _WHAT).split("\n")
    if after or not lines:
        raise Malformed(_WHAT, "the prefix is not lines that each end in newline")
    return [to_hash(decode_base64(line, _WHAT)) for line in lines]

"""A log, three witnesses and a checkpoint for tests, made from fixed seeds; and tables of malformed texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.reference import flipped
from tiles.errors import Malformed
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint, with_signatures
from tiles.notes.cosignature import cosign
from tiles.notes.keys import SIGNS_TEXT, SignatureType, SigningKey, signing_key
from tiles.notes.note import Signature
from tiles.notes.policy import Policy, parse_policy
from tiles.tree.merkle import TreeHead, leaf_hash

VECTORS = Path(__file__).parents[1] / "vectors"

ED25519, ECDSA, COSIGNATURE, RFC6962, MLDSA44 = SignatureType
TIME = 1_679_315_147  # seconds since the epoch

ORIGIN = "log.example.com"
TREE = TreeHead(123, leaf_hash(b"stands for a root"))
CHECKPOINT = Checkpoint(ORIGIN, TREE)


def key(name: str, number: int, type_: SignatureType = ED25519) -> SigningKey:
    """Return the signing key whose seed is 32 times the byte `number`."""
    return signing_key(name, bytes([number]) * 32, type_)


LOG = key(ORIGIN, 1)
W1 = key("witness.example.com/w1", 2, COSIGNATURE)
W2 = key("witness.example.com/w2", 3, MLDSA44)
W3 = key("witness.example.com/w3", 4, COSIGNATURE)


def sign(checkpoint: Checkpoint, by: SigningKey, timestamp: int = TIME) -> Signature:
    """Return the signature line of a key of any type, whatever its name."""
    if by.verifier.type in SIGNS_TEXT:
        return Signature(by.name, by.verifier.key_id, by.sign(checkpoint.text))
    return cosign(checkpoint, by, timestamp)


def signed(checkpoint: Checkpoint, *by: SigningKey) -> SignedCheckpoint:
    """Return the checkpoint, signed by these keys in this order."""
    return with_signatures(checkpoint, [sign(checkpoint, signer) for signer in by])


def forged(signature: Signature) -> Signature:
    """Return the signature line with the last bit of the signature changed."""
    return replace(signature, signature=flipped(signature.signature, 8 * len(signature.signature) - 8))


LOG_LINE = f"log {LOG.verifier.vkey}\n"
WITNESSES = {
    name: key(f"{name}.example.com", number, (COSIGNATURE, MLDSA44)[number % 2])
    for number, name in enumerate(("X1", "X2", "X3", "Y1", "Y2", "Y3"), 20)
}
WITNESS_LINES = "".join(f"witness {name} {by.verifier.vkey}\n" for name, by in WITNESSES.items())
X1, X2, X3, Y1, Y2, Y3 = (by.verifier.vkey for by in WITNESSES.values())
X1_PUBLIC = WITNESSES["X1"].verifier.public

# tlog-policy, "Example policy", with keys put in
EXAMPLE = f"""log {LOG.verifier.vkey}

witness X1 {X1}
witness X2 {X2}
witness X3 {X3}
group X-witnesses 2 X1 X2 X3

witness Y1 {Y1}
witness Y2 {Y2}
witness Y3 {Y3}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def policy(text: str) -> Policy:
    """Return the policy of a text."""
    return parse_policy(text.encode())


def cosigned(*names: str) -> SignedCheckpoint:
    """Return the log's checkpoint, cosigned by the example's witnesses of these names."""
    return signed(CHECKPOINT, LOG, *(WITNESSES[name] for name in names))


def cases(table: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """Return the parameters (value, problem) of a table {problem: {name: value}}."""
    return [pytest.param(value, problem, id=name) for problem, named in table.items() for name, value in named.items()]


@contextmanager
def malformed(problem: str) -> Iterator[None]:
    """Expect Malformed with exactly this message; one that ends in a colon is followed by what was found."""
    with pytest.raises(Malformed) as caught:
        yield
    message = str(caught.value)
    if problem.endswith(":"):
        assert message.startswith(f"malformed {problem} ")
        assert caught.value.found is not None
    else:
        assert message == f"malformed {problem}"

"""Signatures by SSH, minisign and OpenPGP, their keys and their entries: what is damaged in `fuzzing`.

What is accepted was signed: of an Ed25519 key there is one signature over a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.support.fuzz_parsers import Target
from tests.support.fuzz_verdicts import verdict
from tests.support.signature_texts import DATA, SIGNATURES, stored
from tiles.entries.signer_keys import key_value
from tiles.errors import Malformed, SignatureError
from tiles.signatures import minisign, openpgp, ssh
from tiles.signatures.digests import signed
from tiles.signatures.entry import parse_signature_entry

FILE = signed(DATA)
REFUSALS = (Malformed, SignatureError)
SSH_KEY, MINISIGN_KEY = ssh.parse_key(stored("ssh_ed25519.pub")), minisign.parse_key(stored("minisign.pub"))
SSH = [stored("ssh_ed25519.sig"), stored("ssh_ed25519_sha256.sig")]
MINISIGN = [stored("minisign_prehashed.minisig"), stored("minisign_legacy.minisig")]


def judge(
    parse: Callable[[bytes], bytes], check: Callable[[bytes], None], good: Iterable[bytes]
) -> Callable[[bytes], None]:
    """Return what judges a file with a signature; what is accepted is one of the good ones."""
    known = {parse(one) for one in good}

    def judged(data: bytes) -> None:
        signature = parse(data)
        check(signature)
        assert signature in known

    return judged


SIGNED = (
    Target(
        "signature entry",
        parse_signature_entry,
        lambda found: found.data,
        tuple(entry for entry, keys in SIGNATURES.items() if keys is not None and len(entry) < 2000),
    ),
    verdict("SSH", judge(ssh.parse_signature, lambda one: ssh.check(SSH_KEY, one, FILE), SSH), SSH, REFUSALS),
    verdict(
        "SSH, not armored",
        judge(ssh.parse_signature, lambda one: ssh.check(SSH_KEY, one, FILE), SSH),
        map(ssh.parse_signature, SSH),
        REFUSALS,
    ),
    verdict(
        "minisign",
        judge(minisign.parse_signature, lambda one: minisign.check(MINISIGN_KEY, one, FILE), MINISIGN),
        MINISIGN,
        REFUSALS,
    ),
    verdict("OpenPGP", openpgp.parse_signature, [stored("pgp_ed25519.asc"), stored("pgp_rsa.asc")], REFUSALS),
    verdict(
        "keys of signers",
        key_value,
        [stored(f"{name}.pub") for name in ("ssh_rsa2048", "ssh_ecdsa521", "openssh_ecdsa_sk", "minisign", "pgp_rsa")],
        REFUSALS,
    ),
)

"""Revoking: that something which was logged should not be relied on any more is logged; docs/entry-formats.md."""

from __future__ import annotations

from tiles.errors import UsageError
from tiles.log import Log
from tiles.signing.artifact_key import ArtifactKey
from tiles.sigstore.body import HASHES
from tiles.sigstore.revocation import IDENTITY, KEY, Revocation, Statement
from tiles.write.results import Appended


def revoke(log: Log, what: str, value: str, reason: str, key: ArtifactKey | None = None) -> tuple[Revocation, Appended]:
    """Log a revocation, once, and return it with what came of it.

    what, value, reason   as `Statement` has them
    key    that signs it; None: the log itself does
    Raises UsageError for a revocation that counts for nobody; what `Signer.sign_revocation` and `Log.append` raise.
    """
    if key is None:
        made = log.sign_revocation(Statement(what, value, reason, log=log.verifier.vkey))
    else:
        made = signed_by(key, what, value, reason)
    return made, log.append([made.data], once=True)


def signed_by(key: ArtifactKey, what: str, value: str, reason: str) -> Revocation:
    """Return a revocation by a key, signed. Raises UsageError for one that only the log can make."""
    public = key.public
    if what == IDENTITY:
        raise UsageError("only the log revokes an identity: the key of a certificate is used for minutes",
                         hint="leave out --by, on a machine that has the log's key")  # fmt: skip
    if what == KEY and value != public.hint.hex():
        raise UsageError("a key is revoked by itself, or by the log", hint="name the key's own private key with --by")
    said = Statement(what, value, reason, key=public.spki)
    return Revocation(said, key.sign_digest(HASHES[public.algorithm](said.text).digest()))

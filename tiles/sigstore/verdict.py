"""The verdict on a bundle: an artifact was signed by whom the verifier demands, and the signature is in a log that the
verifier trusts (https://github.com/sigstore/architecture-docs, client-spec.md, "Verification").

Checked besides what clients of Sigstore check: tree size, root hash and both indexes of the entry; the logged bytes, to
the byte, against signature, digest and key; the checkpoint's origin against the trust root.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from tiles.errors import Malformed, PolicyError, SignatureError, UsageError, VerificationError
from tiles.notes.policy import Policy
from tiles.sigstore.body import HASHES, body_of, check_body
from tiles.sigstore.bundle import Bundle, LogEntry, MessageSignature
from tiles.sigstore.dsse import Envelope
from tiles.sigstore.logged import Logged, verify_entry
from tiles.sigstore.public_key import PublicKey, certificate_key, verify_digest

if TYPE_CHECKING:
    from tiles.notes.acceptances import Acceptances
    from tiles.sigstore.identity import Rule
    from tiles.sigstore.in_toto import Statement
    from tiles.sigstore.keyless import CheckedCertificate
    from tiles.sigstore.trusted_root import TrustedRoot

Digests = Mapping[str, bytes]  # of an artifact, by algorithms such as "SHA2_256"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was verified of a bundle; there is none of a bundle that does not verify.

    logged      the entry and the log that it is in
    key         that signed the artifact
    checked     its certificate, where one was demanded; None where the key was
    statement   what an envelope says of the artifact; None where the artifact itself is signed
    time        when the signature is known to have existed; None if nothing that was verified says so
    """

    logged: Logged
    key: PublicKey
    checked: CheckedCertificate | None = None
    statement: Statement | None = field(default=None, repr=False)
    time: datetime | None = None


def needed_digests(bundle: Bundle) -> frozenset[str]:
    """Return the algorithms of the artifact's digests that a verdict needs, such as {"SHA2_256"}: one of them.

    Raises Malformed for an envelope without a statement about artifacts.
    """
    content = bundle.content
    if isinstance(content, Envelope):
        return _statement(content).algorithms
    return frozenset({content.algorithm})


def verify_bundle(
    bundle: Bundle,
    artifact: Digests,
    trust: TrustedRoot | Policy,
    demanded: PublicKey | Rule,
    now: datetime,
    acceptances: Acceptances | None = None,
) -> Verdict:
    """Return the verdict on a bundle of this artifact.

    artifact   its digests, at least one of `needed_digests`
    trust      whose logs, and for certificates whose authorities: never taken from what is verified
    demanded   who has to have signed: a key, or what a certificate has to say
    now        with its zone; a log's key whose time is over is trusted for what is known to be older, only
    acceptances   what was verified of other bundles' checkpoints, for who has many
    Raises VerificationError, one of its kinds, or Malformed; UsageError where the call lacks something.
    """
    statement = _check_artifact(bundle.content, artifact)
    _check_signer(bundle, demanded)
    logged = verify_entry(entry_in(bundle), trust, acceptances)
    body = body_of(logged.entry)
    key = demanded if isinstance(demanded, PublicKey) else certificate_key(bundle.certificates[0])
    if isinstance(demanded, PublicKey) and not body.is_certificate and body.raw != key.spki:
        raise SignatureError(f"signed by another key than {key.hint.hex()}, which has to have signed")
    check_body(body, bundle, bundle.certificates[0] if bundle.certificates else key.spki)
    _verify_signature(bundle, key)
    if isinstance(demanded, PublicKey):
        return Verdict(logged, key, None, statement, _time_of_key(bundle, logged, trust, now))
    checked = _check_certificate(bundle, logged, trust, demanded)
    _check_period(logged, checked.time.at)
    return Verdict(logged, key, checked, statement, checked.time.at)


def entry_in(bundle: Bundle) -> LogEntry:
    """Return the entry of a bundle, not verified. Raises VerificationError unless there is exactly one."""
    if len(bundle.entries) != 1:
        raise VerificationError(
            f"the bundle has {len(bundle.entries)} log entries instead of one",
            hint="" if bundle.entries else "`tiletree staple` logs the signature and puts the entry into the bundle",
        )
    return bundle.entries[0]


def _check_signer(bundle: Bundle, demanded: PublicKey | Rule) -> None:
    """Raise SignatureError if a key is demanded of a certificate's bundle, or an identity of a key's."""
    if bundle.certificates and isinstance(demanded, PublicKey):
        raise SignatureError(
            "signed with a certificate, and a key was demanded",
            hint="name whom the certificate has to be of: --certificate-identity and --certificate-oidc-issuer",
        )
    if not bundle.certificates and not isinstance(demanded, PublicKey):
        raise SignatureError("signed by a key, and a certificate was demanded", hint="name the key with --key")


def _check_certificate(bundle: Bundle, logged: Logged, trust: TrustedRoot | Policy, rule: Rule) -> CheckedCertificate:
    """Return the certificate, checked. A policy names no authorities, so nothing can be said of one under a policy."""
    from tiles.sigstore.keyless import check_certificate  # slow to import, and not needed for keys
    from tiles.sigstore.timestamp import VerifiedTime

    if isinstance(trust, Policy):
        raise UsageError(
            "a certificate is judged by the authorities of a trusted root, and a policy names none",
            hint="name the trusted root with --trusted-root",
        )
    log_times = [VerifiedTime(logged.integrated, logged.signed.origin)] if logged.integrated else []
    return check_certificate(bundle.certificates, bundle.signature, bundle.timestamps, trust, rule, log_times=log_times)


def _time_of_key(bundle: Bundle, logged: Logged, trust: TrustedRoot | Policy, now: datetime) -> datetime | None:
    """Return when the signature of a key is known to have existed. Raises PolicyError if the log is not trusted then.

    A key's signature needs no time. Timestamps are looked at only if the log's key is not trusted any more.
    """
    time = logged.integrated
    expired = not _is_trusted(logged, time or now)
    if expired and bundle.timestamps and not isinstance(trust, Policy):
        from tiles.sigstore.timestamp import verify_timestamps

        time = min(
            each.at for each in verify_timestamps(bundle.timestamps, bundle.signature, trust.timestamp_authorities)
        )
    _check_period(logged, time or now)
    return time


def _check_artifact(content: MessageSignature | Envelope, artifact: Digests) -> Statement | None:
    """Return the statement about the artifact, or None if the artifact itself is signed.

    Raises SignatureError if another artifact is signed.
    """
    if isinstance(content, Envelope):
        statement = _statement(content)
        _known(artifact, statement.algorithms)
        if not statement.is_about(artifact):
            raise SignatureError(
                f"the statement is about {len(statement.subjects)} other artifacts, and not about this one",
                hint="the file was changed, or the bundle is that of another file",
            )
        return statement
    _known(artifact, {content.algorithm})
    if artifact[content.algorithm] != content.digest:
        raise SignatureError(
            f"the bundle is of {content.algorithm} {content.digest.hex()}, and this is another file",
            hint="the file was changed, or the bundle is that of another file",
        )
    return None


def _known(artifact: Digests, algorithms: Collection[str]) -> None:
    """Raise UsageError unless one of these digests of the artifact is known, VerificationError if there is none."""
    if not algorithms:
        raise VerificationError("the statement names its artifacts by no digest that is known here")
    if not set(algorithms) & artifact.keys():
        needed = " or ".join(sorted(algorithms))
        raise UsageError(f"the bundle is of an artifact by its {needed}", hint="name the file, and not its digest")


def _verify_signature(bundle: Bundle, key: PublicKey) -> None:
    """Verify the artifact's signature. Raises SignatureError."""
    content = bundle.content
    if isinstance(content, Envelope):
        verify_digest(key, HASHES[key.algorithm](content.signed).digest(), content.signature)
    else:
        verify_digest(key, content.digest, content.signature, content.algorithm)


def _check_period(logged: Logged, at: datetime) -> None:
    """Raise PolicyError unless the trusted root trusts the log at that time."""
    if not _is_trusted(logged, at):
        periods = " and ".join(str(log.period) for log in logged.trusted)
        raise PolicyError(
            f"the trusted root trusts {logged.trusted[0].base_url} {periods}, and nothing shows that the entry is of "
            "that time",
            hint="an RFC 3161 timestamp in the bundle would show it; where the log has changed its key, `tiletree "
            "staple` gives the bundle a proof by the one that it has by now",
        )


def _is_trusted(logged: Logged, at: datetime) -> bool:
    """Whether the log is trusted at a time; a policy says nothing of times."""
    return not logged.trusted or any(log.period.holds(at) for log in logged.trusted)


def _statement(envelope: Envelope) -> Statement:
    from tiles.sigstore.in_toto import PAYLOAD_TYPE, parse_statement  # not for bundles of a message

    if envelope.payload_type != PAYLOAD_TYPE:
        raise Malformed("bundle", "an envelope of something else than a statement", envelope.payload_type)
    return parse_statement(envelope.payload)

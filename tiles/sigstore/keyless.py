"""Whether a certificate's holder has made a signature, by what the trusted root says (https://github.com/sigstore/
architecture-docs/blob/main/client-spec.md, "Verification").

    signed time   one timestamp at least, by an authority of the trusted root, over the signature (`timestamp`)
    path          to a certificate authority of the trusted root, as it was valid at each of these times (`chain`)
    SCT           a log of certificates of the trusted root has it (`sct`)
    identity      and the issuer, as demanded (`identity`)

The clock is never asked. What is not checked here: the signature itself, and that it is in a log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tiles.errors import VerificationError
from tiles.sigstore.certificate import Certificate, parse_certificate
from tiles.sigstore.chain import verify_chain
from tiles.sigstore.identity import Rule
from tiles.sigstore.sct import VerifiedSct, verify_scts
from tiles.sigstore.timestamp import VerifiedTime, verify_timestamps
from tiles.sigstore.trusted_root import TrustedRoot


@dataclass(frozen=True, slots=True)
class CheckedCertificate:
    """A certificate of which everything was checked.

    times   at which the signature existed, the earliest first; the certificate was valid at each
    scts    by which logs it was promised to be found
    """

    certificate: Certificate
    times: tuple[VerifiedTime, ...]
    scts: tuple[VerifiedSct, ...]

    @property
    def time(self) -> VerifiedTime:
        """The time that counts: the earliest at which the signature existed."""
        return self.times[0]


def check_certificate(
    certificates: Sequence[bytes],
    signature: bytes,
    timestamps: Sequence[bytes],
    root: TrustedRoot,
    rule: Rule,
    *,
    log_times: Sequence[VerifiedTime] = (),
    told: Callable[[str], object] = lambda check: None,  # noqa: ARG005
) -> CheckedCertificate:
    """Return the certificate that a signature comes with, if the trusted root vouches for it and the rule is content.

    certificates   DER, the signer's own first; of the others a path may be made, and nothing is believed of them
    signature      over the artifact: the raw bytes, which the timestamps are over
    timestamps     TimeStampResp of RFC 3161
    rule           what identity and issuer have to be: a `Demanded`, or a rule of an admission policy
    log_times      times that a log of the trusted root has promised (Rekor v1's signed entry timestamp), which the
                   caller has verified
    told           called with what is checked next: "time", "path", "SCT", "identity". An error may repeat what the
                   certificate's maker chose; this does not
    Raises VerificationError that says what does not hold; Malformed; UsageError if the extra `sigstore` is needed and
    not installed.
    """
    if not certificates:
        raise VerificationError("there is no certificate")
    own, *added = certificates
    certificate = parse_certificate(own)
    told("time")
    if not timestamps and not log_times:
        raise VerificationError(
            "nothing says when this was signed: there is no signed timestamp",
            hint="a certificate is valid for minutes: whoever signs has to ask a timestamp authority (RFC 3161) then",
        )
    # those of a log count beside others, but a timestamp that does not verify is not made up for by them
    stamped = verify_timestamps(timestamps, signature, root.timestamp_authorities) if timestamps else ()
    times = tuple(sorted((*stamped, *log_times), key=lambda each: each.at))
    told("path")
    for time in times:
        path = verify_chain(certificate, root.authorities, time.at, added)
    told("SCT")
    scts = verify_scts(certificate, path[1], root.ct_logs)
    told("identity")
    rule.check(certificate)
    return CheckedCertificate(certificate, times, scts)

"""The files that `tiletree verify` is called with: what each is verified by."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tiles.errors import AccessError, Malformed, NotFound, UsageError
from tiles.notes.acceptances import Acceptances
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.freshness import check_age
from tiles.notes.policy import Policy
from tiles.notes.tlog_proof import FILE_SUFFIX
from tiles.user.pinned import PINNED, Pinned
from tiletree.brought import brought
from tiletree.commands.verify_report import Check, of_bundle, of_gate, of_listed
from tiletree.commands.verify_revocations import NOT_CHECKED, LogNow, Verified
from tiletree.files import BUNDLE_SUFFIX
from tiletree.gating import OpenGate
from tiletree.reading import Pins
from tiletree.subjects import SHA2_256, Material, Subject
from tiletree.trusting import NAME_A_SIGNER, Who, check_trust, pinned, read_trusted_root

if TYPE_CHECKING:
    from tiles.signatures.formats import SignerKey
    from tiles.sigstore.bundle import Bundle
    from tiles.sigstore.gate import Required
    from tiles.sigstore.identity import Demanded, Rule
    from tiles.sigstore.public_key import PublicKey
    from tiles.sigstore.trusted_root import TrustedRoot
    from tiletree.listing import InList


@dataclass(frozen=True)
class Call:
    """What a call says, besides its files.

    proof, bundle   what to verify the file by; None of both: what stands beside it
    root            a trusted root
    log             where to look for revocations; None: they are not looked for
    gate            who has to have signed which file, in place of `who`
    signature       by SSH, minisign or OpenPGP
    max_age         how many seconds ago a quorum has to have confirmed the log, at most
    endorsement     of the proof's tree, by the log that `public` says how to know
    """

    proof: Material | None
    bundle: Material | None
    pins: Pins
    root: Path | None
    who: Who
    explain: bool
    log: str | None = None
    gate: OpenGate | None = None
    signature: Path | None = None
    max_age: int | None = None
    endorsement: Path | None = None
    public: Pins = field(default_factory=Pins)


class Judge:
    """Verifies one file after the other. What the call trusts is read once, and so is what many proofs have in common.

    The options are read before any file is.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        check_trust(call.pins, call.root)
        self.root: TrustedRoot | None = read_trusted_root(call.root)
        self.acceptances = Acceptances()
        self._log_now = None if call.log is None else LogNow(call.log)
        self._trusted: dict[str, Pinned] = {}
        self._lists: dict[str, list[tuple[Material, Check]]] = {}
        self.demanded, self.signer = _told_apart(call.who.read())
        if call.signature is not None and self.signer is None:
            raise UsageError(
                f"{call.signature}: a signature is verified by the SSH, minisign or OpenPGP key that --key names",
                hint="one by a key in PEM or DER goes into a bundle: `tiletree upload -o` makes one",
            )

    @property
    def demands_nobody(self) -> bool:
        """Whether the call does not say who has to have signed."""
        return self.demanded is None and self.signer is None and self.call.gate is None

    @cached_property
    def now(self) -> datetime:
        """The time of this call."""
        return datetime.now(UTC)

    def trusted(self, origin: str) -> Pinned:
        """Return whom the call trusts for a log. Raises UsageError if that is nobody."""
        if origin not in self._trusted:
            self._trusted[origin] = pinned(origin, self.call.pins, self.root)
        return self._trusted[origin]

    def checks(self, file: Subject) -> list[tuple[str, Check]]:
        """Return what a file was verified by, and what that says. Raises what the first error is."""
        made = self._made(file)
        for _, check in made:
            if file.listed is not None:
                file.listed.check(file.shown, check.sha256)
            if file.web is not None and check.sha256 != made[0][1].sha256:
                raise AccessError(f"{file.shown} changed while it was read: it was read twice")
        return [(by.shown, self.settled(file, check)) for by, check in made]

    def _made(self, file: Subject) -> list[tuple[Material, Check]]:
        """Return what a file was verified by; nothing of it was compared."""
        required = None if self.call.gate is None else self.call.gate.required(file)
        if self.signer is not None:
            return [self.by_signature(file, self.signer)]
        proof, bundle = self._by_what(file)
        if proof is None and bundle is None:
            return self.by_list(file)
        made: list[tuple[Material, Check]] = []
        if proof is not None:
            made.append((proof, self.by_proof(file, proof)))
        if bundle is not None:
            made.append((bundle, self.by_bundle(file, bundle, required)))
        return made

    def settled(self, file: Subject, check: Check) -> Check:
        """Return what was verified, with what is known of revocations.

        Raises VerificationError if it was revoked, is older than the call allows, or of another history than the log.
        """
        if self.call.max_age is not None:
            check_age(check.fields.get("time"), self.call.max_age, int(self.now.timestamp()), check.undated)
        if self._log_now is None:
            said, line = "not checked", NOT_CHECKED
        else:
            said, line = "none", self._log_now.check(file.shown, check.verified)
        fields, lines = {**check.fields, "revocation": said}, [*check.lines, line]
        if file.web is not None:  # it may serve something else next time
            fields, lines = {**fields, "sha256": check.sha256}, [*lines, f"sha256    {check.sha256}"]
        return replace(check, fields=fields, lines=lines)

    def _by_what(self, file: Subject) -> tuple[Material | None, Material | None]:
        """Return the proof and the bundle of a file: as named, or those beside it.

        Raises NotFound if there is none, and it is not listed where there is one beside the list.
        """
        proof, bundle = self.call.proof, self.call.bundle
        if proof is None and bundle is None:
            if file.name is None:
                raise UsageError(
                    f"{file.shown} has no name beside which a proof could be found",
                    hint="name what to verify it by: --proof or --bundle",
                )
            proof, bundle = file.beside(FILE_SUFFIX), file.beside(BUNDLE_SUFFIX)
            if proof is None and bundle is None:
                file.check_there()
                if file.listed is not None and self.call.gate is None and self._beside_list(file.listed):
                    return None, None
                raise NotFound(
                    f"there is neither {file.shown}{FILE_SUFFIX} nor {file.shown}{BUNDLE_SUFFIX}",
                    hint=f"{'check the URL, or ' if file.web else ''}get its proof from where the file is from, and "
                    "name it with --proof, or --bundle; `tiletree search LOG FILE` asks the log itself",
                )
        if bundle is None and not self.demands_nobody:
            raise NotFound(
                f"there is no bundle of {file.shown}, so nothing shows who signed it",
                hint="name it with --bundle; without --key, --certificate-… and --require the proof alone is verified",
            )
        return proof, bundle

    @staticmethod
    def _beside_list(listed: InList) -> bool:
        """Whether something stands beside a list that shows that it is logged."""
        return any(Subject(listed.source).beside(suffix) for suffix in (FILE_SUFFIX, BUNDLE_SUFFIX))

    def by_list(self, file: Subject) -> list[tuple[Material, Check]]:
        """Verify a listed file, beside which nothing stands, by what stands beside the list: it has the digest."""
        listed = file.listed
        assert listed is not None  # noqa: S101  or there is something beside it
        if listed.source not in self._lists:
            self._lists[listed.source] = self._made(Subject(listed.source, listed=replace(listed, line=0)))
        (sha256,) = file.digests(frozenset({SHA2_256})).values()
        made = []
        for by, check in self._lists[listed.source]:
            if check.sha256 != listed.whole:
                raise AccessError(f"{listed.source} changed while it was read")
            made.append((by, of_listed(check, listed.source, sha256.hex())))
        return made

    def by_signature(self, file: Subject, key: SignerKey) -> tuple[Material, Check]:
        """Verify a file by a signature, or the proof of one, as named or beside it; by the key that the call names."""
        from tiletree.commands.verify_signatures import check_signature  # few calls need it

        if self.call.bundle is not None:
            raise UsageError(
                f"{self.call.bundle.shown}: no bundle is signed by an {key.shown}", hint="name --signature"
            )
        return check_signature(file, key, self.call.proof or file.beside(FILE_SUFFIX), self)

    def by_proof(self, file: Subject, proof: Material) -> Check:
        """Verify a file by a proof."""
        from tiletree.commands.verify_proofs import check_proof  # not for calls with bundles only

        return check_proof(file, proof, self)

    def by_bundle(self, file: Subject, source: Material, required: Required | None = None) -> Check:
        """Verify a file by a bundle. required: what the gate requires of it"""
        from tiles.sigstore.bundle import MAX_BUNDLE_SIZE, parse_bundle  # not for calls without a bundle
        from tiles.sigstore.verdict import needed_digests, verify_bundle

        with brought(data := source.read(MAX_BUNDLE_SIZE), source, instead="it is a proof: --proof names one"):
            bundle = parse_bundle(data)
            needed = needed_digests(bundle)
            demanded = self._demanded(source, bundle, required)
        digests = file.digests(needed | {SHA2_256} if self.call.log or file.listed or file.web else needed)
        trusted: TrustedRoot | Policy
        if self.root is not None:
            trusted, how, policy = self.root, PINNED, None
        else:
            trust = self.trusted(_origin(bundle))
            trusted, how, policy = trust.policy, trust.how, trust.policy
        verdict = verify_bundle(bundle, digests, trusted, demanded, self.now, self.acceptances)
        met = None if required is None else (required.met(verdict), required.source)
        origin = verdict.logged.signed.origin
        verified = Verified(
            verdict.logged.entry.body,
            (digests[SHA2_256].hex(),) if SHA2_256 in digests else (),
            verdict.logged.signed,
            lambda: self.trusted(origin).policy,
            verdict.key.hint.hex(),
            bundle.certificates[0] if bundle.certificates else b"",
        )
        check = of_bundle(verdict, how, policy, digests, verified, explain=self.call.explain)
        return check if met is None else of_gate(check, *met)

    def _demanded(self, source: Material, bundle: Bundle, required: Required | None) -> PublicKey | Rule:
        """Return who has to have signed a bundle. Raises UsageError if nothing says it."""
        if required is not None:
            return required.demanded(bundle)
        if self.demanded is None:
            name = source.shown.rpartition("/")[2].removesuffix(BUNDLE_SUFFIX)
            raise UsageError(
                f"{source.shown} is a signature, and nothing says who has to have signed: {NAME_A_SIGNER}",
                hint=f"--proof {name}{FILE_SUFFIX} verifies a proof alone",
            )
        return self.demanded


def _told_apart(
    who: PublicKey | SignerKey | Demanded | None,
) -> tuple[PublicKey | Demanded | None, SignerKey | None]:
    """Return who has to have signed a bundle, or by which key of SSH, minisign or OpenPGP the signature has to be."""
    if who is None:
        return None, None
    from tiles.signatures.formats import SignerKey  # not for calls that name nobody

    return (None, who) if isinstance(who, SignerKey) else (who, None)


def _origin(bundle: Bundle) -> str:
    """Return of which log a bundle's entry says it is: to look for a remembered key, never to trust it."""
    for entry in bundle.entries:
        if entry.proof is not None:
            with suppress(Malformed):
                return parse_signed_checkpoint(entry.proof.checkpoint).origin
    return "the log of this bundle"

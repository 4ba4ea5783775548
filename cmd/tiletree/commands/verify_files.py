"""The files that `tiletree verify` is called with: what each is verified by, and what comes of all of them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tiles.errors import Malformed, NotFound, TilesError, UsageError
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.freshness import check_age
from tiles.notes.policy import Policy
from tiles.notes.tlog_proof import FILE_SUFFIX
from tiles.read.trouble import judged
from tiles.user.pinned import PINNED
from tiletree.commands.verify_report import Check, of_bundle, of_gate
from tiletree.commands.verify_revocations import NOT_CHECKED, Verified, check_revocations
from tiletree.files import BUNDLE_SUFFIX, digest_named, digests_of, read_limited
from tiletree.gating import OpenGate
from tiletree.reading import Pins
from tiletree.several import WORST, worst
from tiletree.trusting import NAME_A_SIGNER, Who, check_trust, pinned, read_trusted_root
from tiletree.ui import Output, exit_code

if TYPE_CHECKING:
    from tiles.signatures.formats import SignerKey
    from tiles.sigstore.bundle import Bundle
    from tiles.sigstore.gate import Required
    from tiles.sigstore.identity import Demanded, Rule
    from tiles.sigstore.public_key import PublicKey
    from tiles.sigstore.trusted_root import TrustedRoot


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

    proof: Path | None
    bundle: Path | None
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


class _Judge:
    """Verifies one file after the other. What the call trusts is read once, and before any file."""

    def __init__(self, call: Call) -> None:
        self.call = call
        check_trust(call.pins, call.root)
        self.root: TrustedRoot | None = read_trusted_root(call.root)
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

    def checks(self, file: str) -> list[tuple[Path, Check]]:
        """Return what a file was verified by, and what that says. Raises what the first error is."""
        required = None if self.call.gate is None else self.call.gate.required(file)
        if self.signer is not None:
            path, check = self.by_signature(file, self.signer)
            return [(path, self.settled(file, check))]
        proof, bundle = self._by_what(file)
        made = []
        if proof is not None:
            made.append((proof, self.by_proof(file, proof)))
        if bundle is not None:
            made.append((bundle, self.by_bundle(file, bundle, required)))
        return [(path, self.settled(file, check)) for path, check in made]

    def settled(self, file: str, check: Check) -> Check:
        """Return what was verified, with what is known of revocations.

        Raises VerificationError if it was revoked, or is older than the call allows.
        """
        if self.call.max_age is not None:
            check_age(check.fields.get("time"), self.call.max_age, int(self.now.timestamp()), check.undated)
        if self.call.log is None:
            return replace(
                check, fields={**check.fields, "revocation": "not checked"}, lines=[*check.lines, NOT_CHECKED]
            )
        where = check_revocations(self.call.log, file, check.verified)
        return replace(check, fields={**check.fields, "revocation": "none"}, lines=[*check.lines, where])

    def _by_what(self, file: str) -> tuple[Path | None, Path | None]:
        """Return the proof and the bundle of a file: as named, or those beside it. Raises NotFound if there is none."""
        proof, bundle = self.call.proof, self.call.bundle
        if proof is None and bundle is None:
            if file == "-" or digest_named(file) is not None:
                raise UsageError(f"nothing stands beside {file}", hint="name a --bundle, or for a file a --proof")
            beside = (Path(f"{file}{FILE_SUFFIX}"), Path(f"{file}{BUNDLE_SUFFIX}"))
            proof, bundle = (path if path.exists() else None for path in beside)
            if proof is None and bundle is None:
                raise NotFound(
                    f"there is neither {beside[0]} nor {beside[1]}",
                    hint="name what to verify the file by: --proof or --bundle",
                )
        if bundle is None and not self.demands_nobody:
            raise NotFound(
                f"there is no bundle of {file}, so nothing shows who signed it",
                hint="name it with --bundle; without --key, --certificate-… and --require the proof alone is verified",
            )
        return proof, bundle

    def by_signature(self, file: str, key: SignerKey) -> tuple[Path, Check]:
        """Verify a file by a signature, or the proof of one, as named or beside it; by the key that the call names."""
        from tiletree.commands.verify_signatures import check_signature  # few calls need it

        if self.call.bundle is not None:
            raise UsageError(f"{self.call.bundle}: no bundle is signed by an {key.shown}", hint="name --signature")
        beside = Path(f"{file}{FILE_SUFFIX}")
        named = digest_named(file)
        proof = self.call.proof or (beside if file != "-" and named is None and beside.exists() else None)
        return check_signature(file, named, key, proof, self.call)

    def by_proof(self, file: str, path: Path) -> Check:
        """Verify a file by a proof file."""
        from tiletree.commands.verify_proofs import check_proof  # not for calls with bundles only

        return check_proof(file, path, self.call, self.root)

    def by_bundle(self, file: str, path: Path, required: Required | None = None) -> Check:
        """Verify a file by a bundle. required: what the gate requires of it"""
        from tiles.sigstore.bundle import MAX_BUNDLE_SIZE, parse_bundle  # not for calls without a bundle
        from tiles.sigstore.verdict import needed_digests, verify_bundle

        with judged(data := read_limited(path, MAX_BUNDLE_SIZE), str(path)):
            bundle = parse_bundle(data)
            needed = needed_digests(bundle)
            demanded = self._demanded(path, bundle, required)
        digests = digests_of(file, needed if self.call.log is None else needed | {"SHA2_256"})
        trusted: TrustedRoot | Policy
        if self.root is not None:
            trusted, how, policy = self.root, PINNED, None
        else:
            trust = pinned(_origin(bundle), self.call.pins)
            trusted, how, policy = trust.policy, trust.how, trust.policy
        verdict = verify_bundle(bundle, digests, trusted, demanded, self.now)
        met = None if required is None else (required.met(verdict), required.source)
        origin = verdict.logged.signed.origin
        verified = Verified(
            verdict.logged.entry.body,
            (digests["SHA2_256"].hex(),) if "SHA2_256" in digests else (),
            origin,
            verdict.logged.signed.tree.size,
            lambda: pinned(origin, self.call.pins, self.root).policy,
            verdict.key.hint.hex(),
            bundle.certificates[0] if bundle.certificates else b"",
        )
        check = of_bundle(verdict, how, policy, digests, verified, explain=self.call.explain)
        return check if met is None else of_gate(check, *met)

    def _demanded(self, path: Path, bundle: Bundle, required: Required | None) -> PublicKey | Rule:
        """Return who has to have signed a bundle. Raises UsageError if nothing says it."""
        if required is not None:
            return required.demanded(bundle)
        if self.demanded is None:
            raise UsageError(
                f"{path} is a signature, and nothing says who has to have signed: {NAME_A_SIGNER}",
                hint=f"--proof {path.name.removesuffix(BUNDLE_SUFFIX)}{FILE_SUFFIX} verifies a proof alone",
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


def verify_files(out: Output, files: tuple[str, ...], call: Call) -> None:
    """Verify files. Raises the error that decides the exit code, once all of them were looked at."""
    judge = _Judge(call)
    if len(files) == 1 and call.proof is not None and call.bundle is None and judge.demands_nobody:
        check = judge.settled(files[0], judge.by_proof(files[0], call.proof))
        out.result(
            {"verified": True, **check.fields}, f"verified: {files[0]} {check.words}", *check.lines, *check.steps
        )
        return
    documents: list[dict[str, Any]] = []
    errors: list[tuple[str, TilesError]] = []
    out.partial = {"verified": False, "files": documents}
    for file in files:
        try:
            made = judge.checks(file)
        except TilesError as error:
            if exit_code(error) not in WORST:
                raise
            errors.append((file, error))
            said = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
            documents.append({"file": file, "verified": False, "error": said})
            if len(files) > 1:
                out.line(f"not verified: {file}: {error.message}")
            continue
        checks = [{"by": str(path), **check.fields} for path, check in made]
        documents.append({"file": file, "verified": True, "checks": checks})
        out.line(f"verified: {file} {'; '.join(check.words for _, check in made)}")
        for _, check in made:
            for line in [*(check.lines if len(files) == 1 else ()), *check.steps]:
                out.line(line)
    if errors:
        raise worst(errors, f"{len(errors)} of {len(files)} files not verified" if len(files) > 1 else "")
    summary = [f"{len(files)} of {len(files)} files verified"] if len(files) > 1 else []
    out.result({"verified": True, "files": documents}, *summary)


def _origin(bundle: Bundle) -> str:
    """Return of which log a bundle's entry says it is: to look for a remembered key, never to trust it."""
    for entry in bundle.entries:
        if entry.proof is not None:
            with suppress(Malformed):
                return parse_signed_checkpoint(entry.proof.checkpoint).origin
    return "the log of this bundle"

"""Whom a call of `verify` trusts, and who it says has to have signed: from options to values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiles.errors import PolicyError, SignatureError, UsageError
from tiles.notes.policy import policy_for
from tiles.user.pinned import PINNED, REMEMBERED, Pinned
from tiletree.files import read_named
from tiletree.options import as_one
from tiletree.pins import memory, read_policy, read_vkey
from tiletree.reading import Pins

if TYPE_CHECKING:
    from tiles.signatures.formats import SignerKey
    from tiles.sigstore.identity import Demanded
    from tiles.sigstore.public_key import PublicKey
    from tiles.sigstore.trusted_root import TrustedRoot

NAME_A_SIGNER = "name the key with --key, or --certificate-identity and --certificate-oidc-issuer, or --require a gate"


@dataclass(frozen=True)
class Who:
    """Who has to have signed, as a call says it; all None: nothing is said.

    key   a file with a public key
    the others are of a certificate: each exact, or as a regular expression
    certificate_claim   NAME=TEXT, of what else it has to say
    """

    key: Path | None = None
    certificate_identity: str | None = None
    certificate_identity_regexp: str | None = None
    certificate_oidc_issuer: str | None = None
    certificate_oidc_issuer_regexp: str | None = None
    certificate_claim: tuple[str, ...] = ()

    @property
    def of_certificate(self) -> bool:
        """Whether something is said of a certificate."""
        return bool(self.certificate_claim) or any(
            one is not None
            for one in (
                self.certificate_identity,
                self.certificate_identity_regexp,
                self.certificate_oidc_issuer,
                self.certificate_oidc_issuer_regexp,
            )
        )

    def read(self) -> PublicKey | SignerKey | Demanded | None:
        """Return what is demanded; None if nothing is said. Raises UsageError for what cannot be demanded."""
        if self.key is not None and self.of_certificate:
            raise UsageError("--key and --certificate-… both say who has to have signed; name one")
        if self.key is not None:
            from tiles.signatures.formats import MAX_FILE_SIZE  # not for calls without a bundle

            return read_named(self.key, "--key", MAX_FILE_SIZE, _signer)
        if not self.of_certificate:
            return None
        from tiles.sigstore.identity import demand

        return demand(
            self.certificate_identity or "",
            self.certificate_oidc_issuer or "",
            identity_regexp=self.certificate_identity_regexp or "",
            issuer_regexp=self.certificate_oidc_issuer_regexp or "",
            claims=_claims(self.certificate_claim),
        )


def _claims(given: tuple[str, ...]) -> dict[str, str]:
    """Return what a certificate has to say besides: name → text. Raises UsageError."""
    claims: dict[str, str] = {}
    for each in given:
        name, equals, text = each.partition("=")
        if not equals or name in claims:
            raise UsageError(f"--certificate-claim {each}: it is NAME=TEXT, and each name is given once")
        claims[name] = text
    return claims


def _signer(data: bytes) -> PublicKey | SignerKey:
    """Return the public key in a file. Raises Malformed."""
    from tiles.signatures.formats import format_of, parse_signer_key
    from tiles.sigstore.public_key import parse_public_key

    name = format_of(data)
    return parse_signer_key(name, data) if name else parse_public_key(data)


who_options = as_one(
    "who",
    Who,
    key=click.option("--key", type=click.Path(path_type=Path), help="who has to have signed: a public key"),
    certificate_identity=click.option(
        "--certificate-identity", metavar="TEXT", help="or whose certificate it has to be: an address or a workflow"
    ),
    certificate_identity_regexp=click.option(
        "--certificate-identity-regexp", metavar="REGEXP", help="the same, as a regular expression of all of it"
    ),
    certificate_oidc_issuer=click.option(
        "--certificate-oidc-issuer", metavar="URL", help="who has to vouch for that identity"
    ),
    certificate_oidc_issuer_regexp=click.option(
        "--certificate-oidc-issuer-regexp", metavar="REGEXP", help="the same, as a regular expression of all of it"
    ),
    certificate_claim=click.option(
        "--certificate-claim",
        metavar="NAME=TEXT",
        multiple=True,
        help="what it has to say besides, such as 'Source Repository Ref=refs/heads/main'",
    ),
)


def read_trusted_root(path: Path | None) -> TrustedRoot | None:
    """Return the trusted root in a file the user named. Raises UsageError if there is none."""
    if path is None:
        return None
    from tiles.sigstore.trusted_root import MAX_ROOT_SIZE, parse_trusted_root

    return read_named(path, "--trusted-root", MAX_ROOT_SIZE, parse_trusted_root)


def check_trust(pins: Pins, root: object | None) -> None:
    """Raise UsageError if a call says in two ways whom to trust."""
    named = [("--vkey", pins.vkey), ("--policy", pins.policy), ("--trusted-root", root)]
    there = [name for name, value in named if value is not None]
    if len(there) > 1:
        raise UsageError(f"{' and '.join(there)} {'both' if len(there) == 2 else 'all'} say whom to trust; name one")


@contextmanager
def explained(origin: str | None, pins: Pins, root: TrustedRoot | None = None) -> Iterator[None]:
    """Let an error about who signed something of a log say what to do.

    origin       of which log it says that it is; None: that is not known here
    pins, root   what the call trusts
    """
    try:
        with times_explained(root):
            yield
    except (SignatureError, PolicyError) as error:
        if not error.hint and root is None and pins.vkey is not None and pins.policy is None:
            named = pins.origin or pins.vkey.strip().partition("+")[0]
            error.hint = (
                "either the vkey is not that of the log, or it was signed by somebody else, or changed: compare the "
                "vkey with the one that whoever runs the log has published"
                if isinstance(error, SignatureError)
                else f"the vkey is that of {named}: name the one of {origin or 'this log'}, or what {named} has signed"
            )
        raise


@contextmanager
def times_explained(root: TrustedRoot | None) -> Iterator[None]:
    """Let an error about a proof that is signed by a key whose time is over say so. root: what it is verified by"""
    try:
        yield
    except SignatureError as error:
        if root is not None and (note := error.evidence.get("note")):
            from tiles.sigstore.logged import out_of_time

            if why := out_of_time(root, note, datetime.now(UTC)):
                error.hint = f"{why}; `tiletree prove` makes a proof by the key that the log has by now"
        raise


def pinned(origin: str, pins: Pins, root: TrustedRoot | None = None, *, ever: bool = False) -> Pinned:
    """Return what a proof is verified by: never anything that came with it.

    ever   also by keys of a trusted root whose time is over: for evidence against them
    """
    check_trust(pins, root)
    if root is not None:
        from tiles.sigstore.logged import policy_in

        return Pinned(policy_in(root, None if ever else datetime.now(UTC)), PINNED)
    if (chosen := read_policy(pins.policy)) is not None:
        return Pinned(chosen, PINNED)
    if (key := read_vkey(pins.vkey)) is not None:
        return Pinned(policy_for(key, pins.origin), PINNED)
    from tiles.user.trusted_keys import Trust  # not for calls that say whom to trust

    trust = memory(Trust)
    if trust is not None and (known := trust.lookup_origin(origin)) is not None:
        return Pinned(known, REMEMBERED)
    raise UsageError(
        f"no key is trusted for {origin}: name it with --vkey, --policy or --trusted-root",
        hint="ask whoever runs the log for its vkey, which is never taken from the proof; $TILETREE_VKEY names it for "
        "all calls, and `tiletree key trust LOG VKEY` remembers it",
    )

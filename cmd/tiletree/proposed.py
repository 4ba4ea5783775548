"""A signature whose entry is looked for, as by `rekor-cli verify`: it follows from artifact, signature and key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from tiletree.files import open_binary, read_named
from tiletree.options import as_one

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True)
class Proposed:
    """What a call says of a signature; all None: nothing."""

    artifact: Path | None = None
    signature: Path | None = None
    public_key: Path | None = None

    def entry(self) -> bytes | None:
        """Return the entry of the signature, which holds; None if the call names none.

        Raises UsageError if a part is missing or is none, SignatureError if the signature does not hold.
        """
        if self == Proposed():
            return None
        if self.artifact is None or self.signature is None or self.public_key is None:
            raise click.UsageError("--artifact, --signature and --public-key go together", click.get_current_context())
        from tiles.rekor.sign import digest_of  # not for other calls
        from tiles.rekor.staple import entry_for
        from tiles.rekor.upload import MAX_SIGNATURE_SIZE, parse_signature, parse_signer, uploaded
        from tiles.sigstore.public_key import MAX_KEY_SIZE

        signer = read_named(self.public_key, "--public-key", MAX_KEY_SIZE, parse_signer)
        signed = read_named(self.signature, "--signature", MAX_SIGNATURE_SIZE, parse_signature)
        with open_binary(str(self.artifact)) as stream:
            digest = digest_of(stream, signer.key.algorithm)
        return entry_for(uploaded(digest, signed, signer), signer.key)


proposed_options = as_one(
    "proposed",
    Proposed,
    artifact=click.option("--artifact", type=_file, help="the entry of a signature: what was signed"),
    signature=click.option("--signature", type=_file, help="the signature, in base64 or as bytes"),
    public_key=click.option("--public-key", type=_file, help="the public key or certificate that signed"),
)

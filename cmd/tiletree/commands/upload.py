"""`tiletree upload`: a signature that exists is logged, as `rekor-cli upload` does it."""

from __future__ import annotations

import re
from pathlib import Path

import click

from tiles.entries.signed_file import read_signed
from tiles.errors import UsageError
from tiles.read.trouble import judged
from tiles.rekor.sign import digest_of
from tiles.rekor.upload import MAX_SIGNATURE_SIZE, parse_signer, uploaded
from tiles.rekor.upload import parse_signature as parse_bare
from tiles.signatures.digests import SHA256, WHOLE, Signed
from tiles.signatures.entry import SignatureEntry, entry_by
from tiles.signatures.formats import FORMATS, MAX_FILE_SIZE, SignerKey, format_of, parse_signature, parse_signer_key
from tiles.sigstore.public_key import DIGEST_SIZES
from tiletree.files import open_binary, read_limited
from tiletree.options import Writer, json_option, log_option, log_writer_options, output, url_option
from tiletree.stapling import Unlogged, log_bundles, log_other, open_log
from tiletree.ui import Output

_HASH = re.compile(r"(?:sha(256|384|512):)?([0-9a-f]+)", re.ASCII | re.IGNORECASE)
_X509 = "x509"
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@log_option
@click.option("--artifact", type=click.Path(exists=True, dir_okay=False, allow_dash=True), help="what was signed")
@click.option("--artifact-hash", metavar="HEX", help="its digest instead, such as sha256:HEX")
@click.option("--signature", required=True, type=_file, help="the signature, as its tool writes it; or in base64")
@click.option(
    "--public-key", "--key", "public_key", required=True, type=_file, help="the public key, or the certificate"
)
@click.option(
    "--pki-format",
    type=click.Choice([_X509, *FORMATS]),
    help="of the key and the signature: x509 is PEM or DER  [default: what the key is]",
)
@click.option(
    "--type",
    "kind",
    type=click.Choice(["hashedrekord", "hashedrekord:0.0.2"]),
    expose_value=False,
    help="Rekor's kind of entry; of these one is written, or the kind of another format",
)
@click.option(
    "-o",
    "--bundle",
    "target",
    type=click.Path(path_type=Path),
    help="write a bundle to this file; if not x509, a proof",
)
@url_option
@log_writer_options
@json_option
@output
def upload(
    out: Output,
    log: str,
    artifact: str | None,
    artifact_hash: str | None,
    signature: Path,
    public_key: Path,
    pki_format: str | None,
    target: Path | None,
    url: str | None,
    writer: Writer,
) -> None:
    """Log a signature that exists, after checking it.

    \b
    Examples:
      tiletree upload --log ./log --artifact app.whl --signature app.sig --public-key signer.pub
      tiletree upload --log ./log --artifact-hash sha256:HEX --signature app.sig --public-key signer.pub -o app.bundle
      tiletree upload --log ./log --artifact app.whl --signature app.whl.sig --public-key id_ed25519.pub \\
          -o app.whl.tlog-proof

    Beside keys in PEM or DER there are three formats: ssh, as `ssh-keygen -Y sign -n file` signs, minisign, and pgp, as
    `gpg --detach-sign` does. With these goes a proof, not a bundle; `verify --key` takes it.

    A signature is logged once, however often it is uploaded. A wrong one is not logged: exit code 1.
    """
    if (artifact is None) == (artifact_hash is None):
        raise click.UsageError("name --artifact, or --artifact-hash", click.get_current_context())
    with judged(data := read_limited(public_key, MAX_FILE_SIZE), str(public_key)):
        name = pki_format or format_of(data) or _X509
        other = parse_signer_key(name, data) if name != _X509 else None
    if other is not None:
        entry = _verified(other, artifact, artifact_hash, signature)
        about = artifact if artifact is not None else f"{artifact_hash}"
        return log_other(out, log, open_log(out, log, writer), about, entry, target, url)
    with judged(data, str(public_key)):
        signer = parse_signer(data)
    with judged(data := read_limited(signature, MAX_SIGNATURE_SIZE), str(signature)):
        signed = parse_bare(data)
    algorithm = signer.key.algorithm
    if artifact is not None:
        with open_binary(artifact) as stream:
            digest = digest_of(stream, algorithm)
    else:
        digest = _digest(artifact_hash or "", algorithm)
    bundle = uploaded(digest, signed, signer)
    about = artifact if artifact is not None else f"{artifact_hash}"
    return log_bundles(out, log, open_log(out, log, writer), [Unlogged(about, bundle, signer.key, target)], url)


def _verified(key: SignerKey, artifact: str | None, artifact_hash: str | None, signature: Path) -> SignatureEntry:
    """Return the entry of a signature of another format than x509, once it was verified."""
    with judged(data := read_limited(signature, MAX_FILE_SIZE), str(signature)):
        made = parse_signature(key.format, data)
        over = FORMATS[key.format].signed_digest(made)
    if artifact is not None:
        with open_binary(artifact) as stream:
            file = read_signed(stream, whole=over == WHOLE)
    else:
        file = Signed({SHA256: _digest(artifact_hash or "", "SHA2_256")})
    with judged(data, str(signature)):
        return entry_by(key, made, file)


def _digest(text: str, algorithm: str) -> bytes:
    """Return the digest that a call names. Raises UsageError unless it is one of the key's algorithm."""
    match = _HASH.fullmatch(text)
    size = DIGEST_SIZES[algorithm]
    if not match or len(match[2]) != 2 * size or (match[1] and int(match[1]) != 8 * size):
        raise UsageError(f"--artifact-hash: it is sha{8 * size}:HEX, because that is what is signed, or logged")
    return bytes.fromhex(match[2])

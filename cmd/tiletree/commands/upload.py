"""`tiletree upload`: a signature that exists is logged, as `rekor-cli upload` does it."""

from __future__ import annotations

import re
from pathlib import Path

import click

from tiles.errors import UsageError
from tiles.read.trouble import judged
from tiles.rekor.sign import digest_of
from tiles.rekor.upload import MAX_SIGNATURE_SIZE, parse_signature, parse_signer, uploaded
from tiles.sigstore.public_key import DIGEST_SIZES, MAX_KEY_SIZE
from tiletree.files import read_limited
from tiletree.opening import open_binary
from tiletree.options import Writer, json_option, log_option, log_writer_options, output, url_option
from tiletree.stapling import Unlogged, log_bundles, open_log
from tiletree.ui import Output

_HASH = re.compile(r"(?:sha(256|384|512):)?([0-9a-f]+)", re.ASCII | re.IGNORECASE)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@log_option
@click.option("--artifact", type=click.Path(exists=True, dir_okay=False, allow_dash=True), help="what was signed")
@click.option("--artifact-hash", metavar="HEX", help="its digest instead, such as sha256:HEX")
@click.option("--signature", required=True, type=_file, help="the signature, in base64 or as bytes")
@click.option(
    "--public-key", "--key", "public_key", required=True, type=_file, help="the public key (PEM, DER) or certificate"
)
@click.option("--pki-format", type=click.Choice(["x509"]), default="x509", help="of the key: x509, as in PEM")
@click.option("-o", "--bundle", "target", type=click.Path(path_type=Path), help="write a bundle to this file")
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
    pki_format: str,  # noqa: ARG001  one is all there is
    target: Path | None,
    url: str | None,
    writer: Writer,
) -> None:
    """Log a signature that exists, after checking it.

    \b
    Examples:
      tiletree upload --log ./log --artifact app.whl --signature app.sig --public-key signer.pub
      tiletree upload --log ./log --artifact-hash sha256:HEX --signature app.sig --public-key signer.pub -o app.bundle

    A signature is logged once, however often it is uploaded. A wrong one is not logged: exit code 1.
    """
    if (artifact is None) == (artifact_hash is None):
        raise click.UsageError("name --artifact, or --artifact-hash", click.get_current_context())
    with judged(data := read_limited(public_key, MAX_KEY_SIZE), str(public_key)):
        signer = parse_signer(data)
    with judged(data := read_limited(signature, MAX_SIGNATURE_SIZE), str(signature)):
        signed = parse_signature(data)
    algorithm = signer.key.algorithm
    if artifact is not None:
        with open_binary(artifact) as stream:
            digest = digest_of(stream, algorithm)
    else:
        digest = _digest(artifact_hash or "", algorithm)
    bundle = uploaded(digest, signed, signer)
    name = artifact if artifact is not None else f"{artifact_hash}"
    log_bundles(out, log, open_log(out, log, writer), [Unlogged(name, bundle, signer.key, target)], url)


def _digest(text: str, algorithm: str) -> bytes:
    """Return the digest that a call names. Raises UsageError unless it is one of the key's algorithm."""
    match = _HASH.fullmatch(text)
    size = DIGEST_SIZES[algorithm]
    if not match or len(match[2]) != 2 * size or (match[1] and int(match[1]) != 8 * size):
        raise UsageError(f"--artifact-hash: it is sha{8 * size}:HEX, because that is what the key signs")
    return bytes.fromhex(match[2])
